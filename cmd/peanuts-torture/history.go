package main

import (
	"bufio"
	"encoding/json"
	"os"
	"sync"
	"time"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

// moment is a monotonic time since the run began.
type moment = time.Duration

// outcome is what came of one try to send an event, as its sender knows it.
type outcome string

// The outcomes.
const (
	outcomeOK   outcome = "ok"   // 2xx, read to its end: it is stored
	outcomeFail outcome = "fail" // 4xx: it is not
	outcomeInfo outcome = "info" // 5xx, a timeout, a broken connection: it may be stored or not
)

// try is one sending of an event's bytes.
type try struct {
	At, Done  moment
	Outcome   outcome
	Status    int    // 0 without an answer
	ID        string // that the router gave it
	Duplicate bool
}

// sent is an event with all tries to send it.
type sent struct {
	event
	Tries []try
}

// receipt is one message as a target saw it.
type receipt struct {
	At      moment
	Action  string
	Key     string
	N       int    // of the event that the message speaks of
	Text    string // of the message
	Status  int    // that was answered; 0 for none
	Whole   bool   // the answer was written to its end
	Attempt int    // at this key, from 1
	From    string // the connection that it came by; empty where that is not known

	// What the weather did to it, as far as it can be told.
	Unheard bool // the answer may not have come through whole
	Late    bool // the message may have come when the router did not wait for an answer any more
}

// said tells whether the target has answered yes.
func (r *receipt) said() bool { return r.Whole && r.Status/100 == 2 }

// blow is one thing that was done to the router.
type blow struct {
	Kind  string
	Point fault.Point // at which a life died; empty for none
	At    moment
	Until moment        // when the router was itself again
	Kills bool          // a process ended by it
	By    time.Duration // what the router's clock was set off by, for a part of it
}

// variant is one set of rules.
type variant struct {
	Number int
	At     moment // when it was written
}

// life is one run of the router's process.
type life struct {
	Began, Ready moment // Ready is 0 when it did not live to see that
	First        moment // the first receipt after it was ready; 0 for none
	Exit         int    // -1: by a signal
}

// history is all that happened. It is safe for concurrent use; what it holds is read once the run is over.
type history struct {
	began time.Time
	file  *os.File

	mu       sync.Mutex
	lines    *bufio.Writer
	sent     []*sent
	receipts []receipt
	blows    []*blow
	variants []variant
	lives    []*life
	weather  []*disturbance
}

func newHistory(path string) (*history, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &history{began: time.Now(), file: file, lines: bufio.NewWriterSize(file, 1<<16)}, nil
}

func (h *history) now() moment { return time.Since(h.began) }

// write appends a line. The history is locked.
func (h *history) write(kind string, what any) {
	line, err := json.Marshal(map[string]any{"at": h.now(), kind: what})
	if err == nil {
		_, _ = h.lines.Write(append(line, '\n')) // an unwritten history fails when it is closed
	}
}

// send notes an event that is about to be sent for the first time.
func (h *history) send(e event) *sent {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &sent{event: e}
	h.sent = append(h.sent, s)
	h.write("event", e)
	return s
}

// tried notes what came of one try.
func (h *history) tried(s *sent, t try) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.Tries = append(s.Tries, t)
	h.write(string(t.Outcome), map[string]any{"n": s.N, "try": t})
}

// received notes a receipt.
func (h *history) received(r receipt) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if last := len(h.lives) - 1; last >= 0 && h.lives[last].First == 0 && h.lives[last].Ready > 0 {
		h.lives[last].First = r.At
	}
	h.receipts = append(h.receipts, r)
	h.write("receipt", r)
}

// begin notes a blow; end that the router is over it.
func (h *history) begin(kind string, kills bool) *blow {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := &blow{Kind: kind, At: h.now(), Until: forEver, Kills: kills}
	h.blows = append(h.blows, f)
	h.write("blow", f)
	return f
}

// offset notes what the router's clock is set off by meanwhile.
func (h *history) offset(b *blow, by time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b.By = by
}

// struck notes whether a life has died at its point; else it dies of the kill that follows.
func (h *history) struck(b *blow, point fault.Point, died bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b.At = h.now()
	if died {
		b.Point = point
	} else {
		b.Kind = killAtRandom.name
	}
}

// forEver is when a blow ends of which the end was not seen.
const forEver = moment(1<<63 - 1)

func (h *history) end(f *blow) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f.Until = h.now()
	h.write("over", f)
}

// disturb notes that the weather meets a connection; calmed that it is over.
func (h *history) disturb(d disturbance) *disturbance {
	h.mu.Lock()
	defer h.mu.Unlock()
	d.At, d.Until = h.now(), forEver
	h.weather = append(h.weather, &d)
	h.write("weather", d)
	return &d
}

func (h *history) calmed(d *disturbance) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d.Until = h.now()
	h.write("calmed", d)
}

// ruled notes a set of rules.
func (h *history) ruled(number int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := variant{number, h.now()}
	h.variants = append(h.variants, v)
	h.write("rules", v)
}

// born notes a life; lived and died what became of it.
func (h *history) born() *life {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := &life{Began: h.now()}
	h.lives = append(h.lives, l)
	return l
}

func (h *history) lived(l *life) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l.Ready = h.now()
}

func (h *history) died(l *life, exit int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l.Exit = exit
	h.write("life", l)
}

// kills counts the processes that ended by a blow.
func (h *history) kills() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, f := range h.blows {
		if f.Kills {
			n++
		}
	}
	return n
}

// deaths counts the lives that died at each point.
func (h *history) deaths() map[fault.Point]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := map[fault.Point]int{}
	for _, b := range h.blows {
		if b.Point != "" {
			n[b.Point]++
		}
	}
	return n
}

// close writes what is left.
func (h *history) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.lines.Flush(); err != nil {
		return err
	}
	return h.file.Close()
}
