package storetest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// lines is what a random course of calls knows of the deliveries in their lines.
type lines struct {
	t      *testing.T
	db     Store
	random *rand.Rand
	now    time.Time
	all    []*stood
	seed   uint64
}

// stood is a delivery that stands, or stood, in a line.
type stood struct {
	id     engine.DeliveryID
	action engine.ActionName
	line   string
	lease  *engine.Lease // while it is being sent
	state  engine.State
	strict bool // it joined when it was created, and so goes before all that came after it
}

func (s suite) keepsLines(t *testing.T) {
	for seed := range uint64(15) {
		l := &lines{t: t, db: s.new(t), random: rand.New(rand.NewPCG(seed, 5)), now: later(), seed: seed}
		for n := range 120 {
			l.now = l.now.Add(time.Duration(l.random.IntN(20)) * time.Second)
			switch what := l.random.IntN(10); {
			case what < 3:
				l.come(n)
			case what < 5:
				l.lease()
			case what < 8:
				l.finish()
			case what < 9:
				l.mend()
			default:
				l.expire()
			}
		}
		l.drain()
	}
}

// come stores an event that owes up to three deliveries.
func (l *lines) come(n int) {
	actions := []engine.ActionName{"a", "b", "a"}[:1+l.random.IntN(3)]
	a := event(l.t, n, l.now, actions...)
	var came []*stood
	for i := range a.Judgement.Owed {
		owed := &a.Judgement.Owed[i]
		owed.Order, owed.Leased = []string{"", "x", "x", "y"}[l.random.IntN(4)], l.random.IntN(2) == 0
		one := &stood{id: engine.NewDeliveryID(a.ID, i+1), action: owed.Action, line: owed.Order, state: engine.Pending, strict: true}
		if l.random.IntN(4) == 0 {
			owed.At, one.strict = l.now.Add(time.Duration(l.random.IntN(100))*time.Second), false
		}
		came = append(came, one)
	}
	l.all = append(l.all, came...)
	l.given(accept(l.t, l.db, a).Leases)
}

func (l *lines) lease() {
	action := []engine.ActionName{"a", "b"}[l.random.IntN(2)]
	leases, err := l.db.Lease(l.t.Context(), action, 1+l.random.IntN(5), l.now, l.now.Add(time.Minute))
	if err != nil {
		l.t.Fatal(err)
	}
	l.given(leases)
}

// given notes what was leased, and holds it against the line that it stands in.
func (l *lines) given(leases []engine.Lease) {
	for _, lease := range leases {
		i := slices.IndexFunc(l.all, func(one *stood) bool { return one.id == lease.ID })
		one := l.all[i]
		for j, other := range l.all {
			if one.line == "" || other == one || other.line != one.line || other.action != one.action {
				continue
			}
			if other.lease != nil {
				l.t.Errorf("seed %d: %s is sent beside %s of the same line", l.seed, one.id, other.id)
			}
			if j < i && one.strict && other.strict && other.state == engine.Pending {
				l.t.Errorf("seed %d: %s is sent before %s, which is older and waits in the same line", l.seed, one.id, other.id)
			}
		}
		one.lease = &lease
	}
}

// finish settles one of those that are being sent.
func (l *lines) finish() {
	one := l.oneOf(func(s *stood) bool { return s.lease != nil })
	if one == nil {
		return
	}
	s := one.lease.Settle([]engine.State{engine.Delivered, engine.Dead, engine.Pending, engine.Pending}[l.random.IntN(4)])
	s.NextAt, s.Reason = l.now.Add(time.Duration(l.random.IntN(30))*time.Second), "because"
	if s.State != engine.Pending || l.random.IntN(2) == 0 {
		s.Attempt = &engine.Attempt{At: l.now, Status: "an answer"}
	}
	settle(l.t, l.db, s)
	one.state, one.lease = s.State, nil
}

// mend discards what waits, or replays what is dead.
func (l *lines) mend() {
	one := l.oneOf(func(s *stood) bool { return s.lease == nil && (s.state == engine.Pending || s.state == engine.Dead) })
	var err error
	switch {
	case one == nil:
	case one.state == engine.Dead && l.random.IntN(3) > 0:
		one.state, one.strict = engine.Pending, false
		err = l.db.Replay(l.t.Context(), one.id)
	default:
		one.state = engine.Discarded
		err = l.db.DiscardOpen(l.t.Context(), one.id)
	}
	if err != nil {
		l.t.Fatalf("seed %d: mending %s: %v", l.seed, one.id, err)
	}
}

// expire lets all leases run out.
func (l *lines) expire() {
	l.now = l.now.Add(2 * time.Minute)
	if _, err := l.db.ReleaseExpired(l.t.Context(), l.now); err != nil {
		l.t.Fatal(err)
	}
	for _, one := range l.all {
		if one.lease != nil {
			d, _ := delivery(l.t, l.db, one.id)
			one.lease, one.state = nil, d.State
		}
	}
}

// drain sends whatever is left: nobody may wait for ever.
func (l *lines) drain() {
	l.expire()
	l.now = l.now.Add(time.Hour)
	for again := true; again; {
		again = false
		for _, action := range []engine.ActionName{"a", "b"} {
			leases := due(l.t, l.db, action, l.now)
			l.given(leases)
			for _, lease := range leases {
				again = true
				finish(l.t, l.db, lease, engine.Delivered, l.now)
				one := l.all[slices.IndexFunc(l.all, func(one *stood) bool { return one.id == lease.ID })]
				one.state, one.lease = engine.Delivered, nil
			}
		}
	}
	for _, one := range l.all {
		if one.state == engine.Pending {
			d, _ := delivery(l.t, l.db, one.id)
			l.t.Errorf("seed %d: %s is left %s, held by %q, when nothing is due any more", l.seed, one.id, d.State, cmp.Or(string(d.Held), "nobody"))
		}
	}
}

// oneOf is one of the deliveries of which something holds; nil when there is none.
func (l *lines) oneOf(holds func(*stood) bool) *stood {
	var found []*stood
	for _, one := range l.all {
		if holds(one) {
			found = append(found, one)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[l.random.IntN(len(found))]
}
