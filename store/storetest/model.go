package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// followsTheModel calls a store in any order, and compares it with a plain memory of what it must hold.
func (s suite) followsTheModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := &model{test: t, db: s.open(t), now: later(), events: map[int]*known{}, owed: map[engine.DeliveryID]*owed{}, stood: map[engine.DeliveryID]engine.State{}, moves: noMoves()}
		defer func() {
			m.details(r)
			balances(r, m.db)
			if err := m.db.Close(); err != nil {
				r.Errorf("Close() = %v", err)
			}
		}()
		r.Repeat(map[string]func(*rapid.T){
			"":        m.agrees,
			"accept":  m.accept,
			"lease":   m.lease,
			"settle":  m.settle,
			"expire":  m.expire,
			"replay":  m.replay,
			"discard": m.discard,
			"many":    m.mendMany,
			"drop":    m.drop,
			"wait":    func(r *rapid.T) { m.now = m.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(r, "s")) * time.Second) },
		})
	})
}

// known is an event by what its bytes tell.
type known struct {
	id         engine.EventID
	duplicates int
}

// owed is a delivery as it must be.
type owed struct {
	engine.Delivery // NextAt is zero when the store dated it
	generation      int64
	planFrom        int
	until           time.Time
	history         int
	lost            int  // leases in a row without a result
	says            bool // the store itself says what happened, in words of its own
}

type model struct {
	test   *testing.T
	db     Store
	now    time.Time
	events map[int]*known
	owed   map[engine.DeliveryID]*owed
	order  []engine.DeliveryID
	stood  map[engine.DeliveryID]engine.State // before the last call
	moves  store.Moves
}

var modelActions = []engine.ActionName{"a", "b"}

func (m *model) accept(r *rapid.T) {
	n := rapid.IntRange(0, 12).Draw(r, "body")
	a := event(m.test, n, m.now, rapid.SliceOfN(rapid.SampledFrom(modelActions), 0, 3).Draw(r, "actions")...)
	for i := range a.Judgement.Owed {
		switch rapid.IntRange(0, 2).Draw(r, "how") {
		case 0:
			a.Judgement.Owed[i].Leased = true
		case 1:
			a.Judgement.Owed[i].Dead = "stillborn"
		}
	}
	receipt, err := m.db.Accept(m.test.Context(), a.Acceptance)
	if err != nil {
		r.Fatalf("Accept() = %v", err)
	}
	if first, ok := m.events[n]; ok {
		first.duplicates++
		if !receipt.Duplicate || receipt.ID != first.id || len(receipt.Leases) > 0 {
			r.Fatalf("Accept() of known bytes = %+v; want the duplicate of %s", receipt, first.id)
		}
		return
	}
	m.events[n] = &known{id: a.ID}
	leases := 0
	for i, o := range a.Judgement.Owed {
		d := &owed{until: a.LeaseUntil, Delivery: engine.Delivery{ID: engine.NewDeliveryID(a.ID, i+1), Action: o.Action, State: engine.Pending, NextAt: m.now}}
		switch {
		case o.Dead != "":
			d.State, d.LastError = engine.Dead, o.Dead
		case o.Leased:
			d.State, d.generation = engine.Sending, 1
			if leases++; leases > len(receipt.Leases) || receipt.Leases[leases-1].ID != d.ID {
				r.Fatalf("Accept() gave %d leases, without one of %s in its place", len(receipt.Leases), d.ID)
			}
		}
		m.owed[d.ID] = d
		m.order = append(m.order, d.ID)
	}
}

func (m *model) lease(r *rapid.T) {
	action, n := rapid.SampledFrom(modelActions).Draw(r, "action"), rapid.IntRange(1, 4).Draw(r, "n")
	due := m.leasable(action)
	until := m.now.Add(time.Minute)
	leases, err := m.db.Lease(m.test.Context(), action, n, m.now, until)
	if err != nil || len(leases) != min(n, due) {
		r.Fatalf("Lease(%s, %d) = %d leases, %v; %d are due", action, n, len(leases), err, due)
	}
	for _, l := range leases {
		d := m.owed[l.ID]
		if !d.due(m.now) || l.Suspect != d.suspect() || l.Generation != d.generation+1 || l.Attempts != d.Attempts || l.PlanFrom != d.planFrom {
			r.Fatalf("Lease() = %+v; want one that is due, as %+v", l, d)
		}
		d.State, d.generation, d.until = engine.Sending, d.generation+1, until
	}
}

// leasable is how many deliveries of an action could be leased: what is due, and of suspects one, while no other is being sent.
func (m *model) leasable(action engine.ActionName) (plain int) {
	suspects, sending := 0, false
	for _, d := range m.owed {
		switch {
		case d.suspect() && d.State == engine.Sending:
			sending = true
		case !d.due(m.now) || d.Action != action:
		case d.suspect():
			suspects = 1
		default:
			plain++
		}
	}
	if sending {
		return plain
	}
	return plain + suspects
}

// suspect tells whether the next lost lease is the last (F42).
func (d *owed) suspect() bool { return d.lost == 2 }

func (d *owed) due(now time.Time) bool { return d.State == engine.Pending && !d.NextAt.After(now) }

// settle brings a result for a lease of any age.
func (m *model) settle(r *rapid.T) {
	d := m.pick(r)
	s := engine.Settlement{
		ID: d.ID, Generation: rapid.Int64Range(max(0, d.generation-1), d.generation+1).Draw(r, "generation"),
		State: rapid.SampledFrom([]engine.State{engine.Delivered, engine.Dead, engine.Pending}).Draw(r, "state"),
	}
	switch s.State {
	case engine.Pending:
		s.NextAt = m.now.Add(time.Duration(rapid.IntRange(0, 60).Draw(r, "wait")) * time.Second)
	case engine.Dead:
		s.Reason = "gave up"
	}
	if s.State == engine.Delivered || rapid.Bool().Draw(r, "tried") {
		s.Attempt = &engine.Attempt{At: m.now, Took: time.Millisecond, Status: fmt.Sprint(d.history), Error: "because"}
	}
	recorded, err := m.db.Settle(m.test.Context(), s)
	applied := recorded.Applied
	want := d.State == engine.Sending && s.Generation == d.generation
	if err != nil || applied != want {
		r.Fatalf("Settle(%+v) = %t, %v; want %t of %+v", s, applied, err, want, d)
	}
	if applied {
		d.settled(s)
	}
}

func (d *owed) settled(s engine.Settlement) {
	d.State, d.NextAt, d.lost = s.State, s.NextAt, 0
	d.says = d.says && s.Attempt == nil && s.State != engine.Dead
	if s.Attempt != nil {
		d.Attempts, d.LastStatus, d.LastError, d.history = d.Attempts+1, s.Attempt.Status, s.Attempt.Error, d.history+1
	}
	if s.State == engine.Dead {
		d.LastError = s.Reason
	}
}

func (m *model) expire(r *rapid.T) {
	want := 0
	for _, d := range m.owed {
		if d.State == engine.Sending && d.until.Before(m.now) {
			d.expired(m.now)
			want++
		}
	}
	if freed, err := m.db.ReleaseExpired(m.test.Context(), m.now); err != nil || freed != want {
		r.Fatalf("ReleaseExpired() = %d, %v; want %d", freed, err, want)
	}
}

// expired is what becomes of a delivery whose lease ran out: the third time in a row it dies (F42).
func (d *owed) expired(now time.Time) {
	d.State, d.NextAt, d.says = engine.Pending, now, true
	if d.lost++; d.lost == 3 {
		d.State = engine.Dead
	}
}

func (m *model) replay(r *rapid.T) {
	d := m.pick(r)
	if m.mended(r, "Replay", d, m.db.Replay(m.test.Context(), d.ID)) {
		d.replayed()
	}
}

func (m *model) discard(r *rapid.T) {
	d := m.pick(r)
	if m.mended(r, "Discard", d, m.db.Discard(m.test.Context(), d.ID)) {
		d.State = engine.Discarded
	}
}

// drop discards what is pending or dead.
func (m *model) drop(r *rapid.T) {
	d := m.pick(r)
	want := error(nil)
	switch d.State {
	case engine.Pending, engine.Dead:
	case engine.Sending:
		want = store.ErrSending
	default:
		want = store.ErrNotOpen
	}
	if err := m.db.DiscardOpen(m.test.Context(), d.ID); !errors.Is(err, want) || (err != nil && want == nil) {
		r.Fatalf("DiscardOpen(%s) = %v, of one that is %s", d.ID, err, d.State)
	}
	if want == nil {
		d.State, d.NextAt = engine.Discarded, time.Time{}
	}
}

// mended tells whether a dead letter was to be mended, after it has compared that with what came of it.
func (m *model) mended(r *rapid.T, call string, d *owed, err error) bool {
	if d.State == engine.Dead && err == nil {
		return true
	}
	if d.State == engine.Dead || !errors.Is(err, store.ErrNotDead) {
		r.Fatalf("%s(%s) = %v, of one that is %s", call, d.ID, err, d.State)
	}
	return false
}

func (d *owed) replayed() {
	d.State, d.NextAt, d.generation, d.planFrom, d.lost = engine.Pending, time.Time{}, d.generation+1, d.Attempts, 0
}

// mendMany replays or discards all dead letters, or those of an action.
func (m *model) mendMany(r *rapid.T) {
	filter := store.Filter{Action: rapid.SampledFrom(append(modelActions, "")).Draw(r, "of")}
	call, change := m.db.ReplayDead, (*owed).replayed
	if rapid.IntRange(0, 3).Draw(r, "discard") == 0 {
		call, change = m.db.DiscardDead, func(d *owed) { d.State = engine.Discarded }
	}
	counted, err := m.db.CountDead(m.test.Context(), filter)
	if err != nil {
		r.Fatalf("CountDead(%+v) = %v", filter, err)
	}
	want := 0
	for _, d := range m.owed {
		if d.State == engine.Dead && (filter.Action == "" || filter.Action == d.Action) {
			change(d)
			want++
		}
	}
	if n, err := call(m.test.Context(), filter); err != nil || n != want || counted != want {
		r.Fatalf("mending %+v = %d of %d, %v; want %d", filter, n, counted, err, want)
	}
}

// pick is any delivery.
func (m *model) pick(r *rapid.T) *owed {
	if len(m.order) == 0 {
		r.Skip("nothing is owed yet")
	}
	return m.owed[rapid.SampledFrom(m.order).Draw(r, "delivery")]
}

// agrees compares every list with the model: each delivery is in exactly one state, and everywhere in the same.
func (m *model) agrees(r *rapid.T) {
	listed := allDeliveries(m.test, m.db, store.Filter{}, 7)
	wantOrder := slices.Clone(m.order)
	slices.Reverse(wantOrder)
	var order []engine.DeliveryID
	for _, got := range listed {
		order = append(order, got.ID)
		if d := m.owed[got.ID]; d != nil {
			m.agree(r, d, got)
		}
	}
	if diff := cmp.Diff(wantOrder, order); diff != "" {
		r.Fatalf("Deliveries():\n%s", diff)
	}
	m.moved()
	if diff := cmp.Diff(m.moves, m.db.Moves()); diff != "" {
		r.Fatalf("Moves():\n%s", diff)
	}
}

// details compares what each state, each event and each delivery has to tell alone.
func (m *model) details(r *rapid.T) {
	m.countsAgree(r)
	for n, e := range m.events {
		if got, err := m.db.Event(m.test.Context(), e.id); err != nil || got.Duplicates != e.duplicates {
			r.Errorf("Event(%d) = %d duplicates, %v; want %d", n, got.Duplicates, err, e.duplicates)
		}
	}
	for id, d := range m.owed {
		if _, history, err := m.db.Delivery(m.test.Context(), id); err != nil || len(history) != d.history {
			r.Errorf("Delivery(%s) has %d attempts, %v; want %d", id, len(history), err, d.history)
		}
	}
}

func (m *model) agree(r *rapid.T, want *owed, got engine.Delivery) {
	type fields struct {
		State              engine.State
		Action             engine.ActionName
		Attempts           int
		NextAt             time.Time
		LastStatus, Reason string
	}
	expected := fields{want.State, want.Action, want.Attempts, time.Time{}, want.LastStatus, want.LastError}
	if want.State == engine.Pending {
		expected.NextAt = want.NextAt
		if want.NextAt.IsZero() {
			expected.NextAt = got.NextAt
		}
	}
	if want.says && got.LastError != "" {
		expected.Reason = got.LastError
	}
	actual := fields{got.State, got.Action, got.Attempts, got.NextAt, got.LastStatus, got.LastError}
	if diff := cmp.Diff(expected, actual); diff != "" {
		r.Fatalf("delivery %s:\n%s", got.ID, diff)
	}
}

func (m *model) countsAgree(r *rapid.T) {
	want := map[engine.State]int{}
	for _, d := range m.owed {
		want[d.State]++
	}
	counts, err := m.db.Counts(m.test.Context())
	if err != nil {
		r.Errorf("Counts() = %v", err)
	}
	for _, state := range []engine.State{engine.Pending, engine.Sending, engine.Dead, engine.Delivered, engine.Discarded} {
		if n := len(allDeliveries(m.test, m.db, filter(state, "", "", ""), 100)); n != want[state] {
			r.Errorf("%d deliveries are listed as %s, want %d", n, state, want[state])
		}
		if n, counted := counts[state]; counted && n != want[state] {
			r.Errorf("Counts() has %d %s, want %d", n, state, want[state])
		}
	}
}
