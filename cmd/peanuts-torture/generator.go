package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

const (
	connections = 16
	// remembered is how many of the newest events may come again, or have a newer version of their entry.
	remembered = 200
)

// generator sends events at a rate, whatever becomes of them: the load is open.
type generator struct {
	rate    int
	router  *router
	history *history
	dice    *dice
	client  *http.Client
	slots   chan struct{} // a connection each
	sending sync.WaitGroup

	mu       sync.Mutex
	n        int
	recent   []*sent
	accepted chan<- struct{} // told of the next 2xx; nil when nobody waits
}

func newGenerator(rate int, r *router, h *history, d *dice) *generator {
	transport := &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}
	return &generator{
		rate: rate, router: r, history: h, dice: d, slots: make(chan struct{}, connections),
		client: &http.Client{Transport: transport, Timeout: 3 * time.Second},
	}
}

// run sends events until ctx ends, and returns when what was begun has ended.
func (g *generator) run(ctx context.Context) error {
	defer g.client.CloseIdleConnections()
	defer g.sending.Wait()
	due := time.NewTicker(time.Second / time.Duration(g.rate))
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-due.C:
		}
		next, err := g.next()
		if err != nil {
			return err
		}
		g.sending.Go(func() { g.deliver(ctx, next) })
	}
}

// next is what is sent next: a new event, or one that was sent before.
func (g *generator) next() (*sent, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.recent) > 0 && g.dice.chance(5) {
		return g.recent[g.dice.below(len(g.recent))], nil
	}
	e := g.newEvent()
	if err := e.write(); err != nil {
		return nil, fmt.Errorf("making an event: %w", err)
	}
	s := g.history.send(e)
	if !e.Forged {
		g.recent = append(g.recent, s)
		g.recent = g.recent[max(0, len(g.recent)-remembered):]
	}
	return s, nil
}

// plans with their weights, in thousandths. One that asks to wait holds its whole action up: there are few.
var plans = []weighted[plan]{
	{568, planOK}, {40, planSlow}, {60, planFail1}, {50, planFail2}, {30, planFail4}, {30, planFailing}, {30, planRefused}, {30, planGone},
	{2, planLimited}, {10, planSilent}, {50, planReset}, {100, planKill},
}

// newEvent makes up an event, which may be a new version of an entry.
func (g *generator) newEvent() event {
	g.n++
	e := event{
		fate: fate{N: g.n, Plan: pick(g.dice, plans), Amount: g.dice.below(1000), Category: fmt.Sprintf("c%d", g.dice.below(5))},
		Name: peanuts.EntryCreated, Entry: fmt.Sprintf("e-%d", g.n), Version: time.Now(), Matches: true,
	}
	e.Kept, e.Told = g.dice.chance(20), g.dice.chance(10)
	if g.dice.chance(10) {
		e.Due = e.Version.Add(g.dice.between(0, 3*time.Second)).UTC().Format(time.RFC3339Nano)
	}
	switch choice := g.dice.below(100); {
	case choice < 5:
		e.Forged = true
	case choice < 15:
		e.Matches, e.Kept, e.Told, e.Due = false, false, false, ""
	case choice < 22 && len(g.recent) > 0:
		older := g.recent[g.dice.below(len(g.recent))]
		e.Name, e.Entry, e.Matches = peanuts.EntryUpdated, older.Entry, older.Matches
		if choice == 21 {
			e.Name = peanuts.EntryDeleted
		}
		if !e.Matches {
			e.Told, e.Due = false, ""
		}
		e.Kept = older.Kept
	}
	return e
}

// deliver sends an event. When it stays in doubt what came of that, it is sent again in half of the cases, as senders do.
func (g *generator) deliver(ctx context.Context, s *sent) {
	for {
		g.slots <- struct{}{}
		t := g.post(s)
		<-g.slots
		g.history.tried(s, t)
		if t.Outcome != outcomeInfo || !g.dice.chance(50) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(g.dice.between(50*time.Millisecond, 800*time.Millisecond)):
		}
	}
}

// post sends an event once.
func (g *generator) post(s *sent) (t try) {
	t = try{At: g.history.now(), Outcome: outcomeInfo}
	defer func() { t.Done = g.history.now() }()
	p := g.router.present()
	if p == nil {
		return t
	}
	ctx, hangUp := context.WithCancel(context.Background())
	defer hangUp()
	if g.dice.chance(2) { // with the answer on its way, or not yet (F16)
		time.AfterFunc(g.dice.between(0, 10*time.Millisecond), hangUp)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.webhook, bytes.NewReader(s.Body))
	if err != nil {
		return t
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(peanuts.SignatureHeader, peanuts.Sign(g.secretFor(s), s.Body))
	response, err := g.client.Do(request)
	if err != nil {
		return t
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	t.Status = response.StatusCode
	switch {
	case err != nil:
	case t.Status/100 == 2:
		t.read(answer)
		g.tell()
	case t.Status/100 == 4:
		t.Outcome = outcomeFail
	}
	return t
}

// read takes the router's word that an event is stored.
func (t *try) read(answer []byte) {
	var says struct {
		ID        string
		Duplicate bool
	}
	_ = json.Unmarshal(answer, &says) // what cannot be read names no event, which an invariant finds
	t.Outcome, t.ID, t.Duplicate = outcomeOK, says.ID, says.Duplicate
}

func (g *generator) secretFor(s *sent) string {
	if s.Forged {
		return "another secret, which the router does not know"
	}
	return secret
}

// watch has the next answer of 2xx told.
func (g *generator) watch(told chan<- struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accepted = told
}

func (g *generator) tell() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.accepted != nil {
		close(g.accepted)
		g.accepted = nil
	}
}
