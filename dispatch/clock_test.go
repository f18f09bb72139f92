package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/internal/clock"
	"github.com/peanuts-router/peanuts-router/internal/clock/clocktest"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// jumps are those of F24, and a few more: a leap second, small corrections, and a machine whose clock was wrong by a year.
var jumps = []time.Duration{
	24 * time.Hour, -time.Hour, 5 * time.Minute, -5 * time.Minute, time.Second, -time.Second, 365 * 24 * time.Hour, -24 * time.Hour,
}

// sweep is how long it takes to notice that the clock jumped, and then that something is due.
const sweep = 2*lookEvery + 100*time.Millisecond

// F24: whatever the clock does, a retry comes after its wait, a pause and a breaker's probe after theirs, an attempt under way
// is made once, a reminder goes by the wall clock, and what comes in is sent at once.
func TestAJumpOfTheClockHurriesNothingAndHoldsUpNothing(t *testing.T) {
	for _, jump := range jumps {
		t.Run(jump.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newJumping(t)
				began := time.Now()
				b.owe("retry", time.Time{})
				b.owe("open", time.Time{})
				b.owe("paused", time.Time{})
				b.owe("reminder", b.machine.Now().Add(20*time.Minute))
				b.owe("far", b.machine.Now().Add(48*time.Hour))
				b.owe("failing reminder", b.machine.Now().Add(time.Minute))
				time.Sleep(4*time.Minute + 40*time.Second)
				b.owe("slow", time.Time{})
				b.owe("paused", time.Time{}) // which waits for its target's pause
				b.owe("open", time.Time{})   // which waits for the breaker
				time.Sleep(20*time.Second - lookEvery/2)
				b.machine.Jump(jump)
				jumped := time.Now()
				time.Sleep(lookEvery/2 + 10*time.Second)
				b.owe("fresh", time.Time{})
				b.owe("retry late", time.Time{})
				time.Sleep(100 * time.Minute)

				wait := 10 * time.Minute
				b.wantCalls("retry", began, began.Add(wait), began.Add(2*wait))
				b.wantCalls("paused", began, began.Add(wait), began.Add(wait))
				b.wantCalls("slow", began.Add(4*time.Minute+40*time.Second))
				b.wantCalls("fresh", jumped.Add(lookEvery/2+10*time.Second))
				late := jumped.Add(lookEvery/2 + 10*time.Second)
				b.wantCalls("retry late", late, late.Add(wait), late.Add(2*wait))
				b.wantCalls("failing reminder", began.Add(time.Minute), began.Add(time.Minute+wait), began.Add(time.Minute+2*wait))
				b.wantReminder("reminder", jumped, began.Add(20*time.Minute-jump))
				b.wantReminder("far", jumped, began.Add(48*time.Hour-jump))
				b.wantProbes(began, wait)
				b.wantNothingLost()
			})
		})
	}
}

// F24: what waits in an earlier run's store waits on through a jump of this one, and what is handed back at the end is due.
func TestAJumpAfterARestartHurriesNothing(t *testing.T) {
	for _, jump := range jumps {
		t.Run(jump.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newJumping(t)
				began := time.Now()
				b.owe("paused", time.Time{})
				b.owe("retry", time.Time{})
				time.Sleep(2 * time.Minute)
				b.owe("paused", time.Time{})
				b.stop()
				b.run()
				time.Sleep(time.Minute)
				b.machine.Jump(jump)
				time.Sleep(30 * time.Second)
				b.stop()
				b.run()
				time.Sleep(30 * time.Minute)
				wait := 10 * time.Minute
				b.wantCalls("paused", began, began.Add(wait), began.Add(wait))
				b.wantCalls("retry", began, began.Add(wait), began.Add(2*wait))
				b.wantNothingLost()
			})
		})
	}
}

// jumping is a courier with a real store, by the clock of a machine that is set.
type jumping struct {
	t       *testing.T
	machine *clocktest.Machine
	clock   *clock.Clock
	store   *store.Store
	courier *Dispatcher
	routes  *table
	log     bytes.Buffer
	end     func()

	mu    sync.Mutex
	calls map[engine.ActionName][]time.Time // by the test's own clock, that does not jump
	n     int
}

func newJumping(t *testing.T) *jumping {
	t.Helper()
	b := &jumping{t: t, machine: clocktest.New(), calls: map[engine.ActionName][]time.Time{}, routes: &table{}}
	b.clock = clock.New(b.machine.Now)
	db, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "router.db"), Now: b.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	b.store = db
	plan := engine.RetryPlan{Waits: []time.Duration{10 * time.Minute, 10 * time.Minute}}
	for _, action := range []engine.ActionName{"retry", "retry late", "failing reminder"} {
		b.routes.set(action, plan, b.notes(fails))
	}
	for _, action := range []engine.ActionName{"reminder", "far", "fresh"} {
		b.routes.set(action, plan, b.notes(ok))
	}
	b.routes.set("open", engine.RetryPlan{Waits: slices.Repeat([]time.Duration{time.Second}, 100)}, b.notes(fails))
	b.routes.guard("open", engine.Breaker{Failures: 1, Probe: 10 * time.Minute})
	b.routes.set("slow", plan, b.notes(after(40*time.Second, ok)))
	b.routes.change("slow", func(route *Route) { route.Timeout = 45 * time.Second })
	pauses := 0
	b.routes.set("paused", plan, b.notes(func(ctx context.Context, s engine.Shipment) engine.Outcome {
		if pauses++; pauses > 1 {
			return ok(ctx, s)
		}
		return engine.Outcome{Verdict: engine.VerdictRetry, Status: "429", RetryAfter: 10 * time.Minute}
	}))
	b.routes.change("paused", func(route *Route) { route.Concurrency = 1 })
	b.run()
	t.Cleanup(func() {
		b.stop()
		if err := db.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return b
}

// run sets the courier and the clock going; stop ends both.
func (b *jumping) run() {
	log := slog.New(slog.NewTextHandler(&b.log, nil))
	var stop func()
	b.courier, stop = start(b.t, Config{Store: b.store, Routes: b.routes.get, Now: b.clock.Now, Log: log})
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() { b.clock.Run(ctx, b.store, log) })
	b.end = func() {
		stop()
		cancel()
		following.Wait()
	}
}

func (b *jumping) stop() {
	b.end()
	b.end = func() {}
}

// notes has a sender note when it was called.
func (b *jumping) notes(answers sending) sending {
	return func(ctx context.Context, s engine.Shipment) engine.Outcome {
		b.mu.Lock()
		b.calls[s.Action] = append(b.calls[s.Action], time.Now())
		b.mu.Unlock()
		return answers(ctx, s)
	}
}

// owe has an event come that owes a delivery to an action, at a time or at once, as the door does it.
func (b *jumping) owe(action engine.ActionName, at time.Time) {
	b.t.Helper()
	b.n++
	event, err := peanuts.Parse(fmt.Appendf(nil, `{"event":"entry.created","helper":{"command":"/expenses"},"entry":{"id":"e%d"}}`, b.n))
	if err != nil {
		b.t.Fatal(err)
	}
	came := b.clock.Now()
	leased := at.IsZero() && b.courier.Reserve(action)
	receipt, err := b.store.Accept(b.t.Context(), &engine.Acceptance{
		ID: engine.EventID(uuid.Must(uuid.NewV7()).String()), ReceivedAt: came.Truncate(time.Millisecond), Event: event, LeaseUntil: came.Add(leaseTime),
		Judge: func(engine.Known) engine.Judgement {
			return engine.Judgement{Generation: 1, Fired: []engine.RuleName{"rule"}, Owed: []engine.Owed{{
				Rule: "rule", Action: action, Kind: engine.KindHTTP, Message: json.RawMessage(`{}`), At: at.Truncate(time.Millisecond), Leased: leased,
			}}}
		},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, lease := range receipt.Leases {
		b.courier.Hand(lease)
	}
	if leased && len(receipt.Leases) == 0 {
		b.courier.Release(action)
	}
	if !leased && at.IsZero() {
		b.courier.Wake(action)
	}
}

// wantCalls holds the calls of an action against when they are to come: never earlier, and no later than a sweep after it,
// or after the one before came too late.
func (b *jumping) wantCalls(action engine.ActionName, want ...time.Time) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	got := b.calls[action]
	if len(got) != len(want) {
		b.t.Errorf("%s was called %d times, at %v, want %d times at %v\n%s", action, len(got), got, len(want), want, &b.log)
		return
	}
	for i := range want {
		if got[i].Before(want[i]) || got[i].Sub(want[i]) > time.Duration(i+1)*sweep {
			b.t.Errorf("call %d of %s came at %v, want %v, or within %v", i+1, action, got[i], want[i], sweep)
		}
	}
}

// wantReminder holds that an action is called when its time has come by the clock that jumped, or at the jump that passed it
// over; and not at all while it has not.
func (b *jumping) wantReminder(action engine.ActionName, jumped, due time.Time) {
	b.t.Helper()
	if due.After(time.Now()) {
		b.wantCalls(action)
		return
	}
	b.wantCalls(action, maxTime(jumped, due))
}

// wantProbes holds the calls of the action whose breaker is open against its probes.
func (b *jumping) wantProbes(began time.Time, probe time.Duration) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, call := range b.calls["open"] {
		if i > 0 && (call.Sub(b.calls["open"][i-1]) < probe || call.Sub(b.calls["open"][i-1]) > probe+sweep) {
			b.t.Errorf("the probes came at %v, want one every %v", b.calls["open"], probe)
		}
	}
	if n, want := len(b.calls["open"]), int(time.Since(began)/(probe+sweep)); n < want {
		b.t.Errorf("%d probes in %v, want %d", n, time.Since(began), want)
	}
}

// wantNothingLost holds that no lease was taken over, and that the books balance.
func (b *jumping) wantNothingLost() {
	b.t.Helper()
	b.stop()
	if bytes.Contains(b.log.Bytes(), []byte("expired leases")) || bytes.Contains(b.log.Bytes(), []byte("stale=true")) {
		b.t.Errorf("a lease was taken over:\n%s", &b.log)
	}
	if audit, err := b.store.Check(context.Background()); err != nil || len(audit.Discrepancies) > 0 {
		b.t.Errorf("Check() = %+v, %v", audit, err)
	}
}
