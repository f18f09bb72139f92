package dispatch

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/peanuts-router/peanuts-router/engine"
)

func tenFailures() engine.Breaker { return engine.Breaker{Failures: 10, Probe: 30 * time.Second} }

// F33: a target that is dead for an hour is asked every 30 s, not by every delivery; what waits uses up no attempts, is said
// to be held, and costs the store nothing; what is fresh waits in the store. When the target is back, all is delivered.
func TestABreakerLeavesADeadTargetAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, log, registry := newMemory(), &bytes.Buffer{}, prometheus.NewRegistry()
		target := &target{answers: fails}
		routes := new(table).set("a", engine.RetryStandard(), target.Send)
		routes.guard("a", tenFailures())
		for n := range 1000 {
			store.owe(n, "a", time.Now())
		}
		d, stop := start(t, Config{Store: store, Routes: routes.get, Log: slog.New(slog.NewTextHandler(log, nil)), Metrics: registry})
		time.Sleep(time.Minute + 5*time.Second) // between two probes
		asked, written := store.number(&store.asked), len(store.settled)
		time.Sleep(time.Hour)
		synctest.Wait() // what is due at this very moment counts as done
		if d.Reserve("a") {
			t.Error("a lane with an open breaker keeps a room")
		}
		calls, _ := target.count()
		if most := 10 + 3 + 122; calls < 130 || calls > most {
			t.Errorf("the target was called %d times within 61 minutes, want 10 times, what was under way then, and a probe every 30 s", calls)
		}
		if asked, written := store.number(&store.asked)-asked, len(store.settled)-written; asked > 121 || written > 121 {
			t.Errorf("%d looks into the store and %d writes in an hour with an open breaker, want no more than there are probes", asked, written)
		}
		if store.number(&store.notes) != 1 || !store.held("a", engine.HeldBreaker) {
			t.Errorf("the hold was noted %d times, want once for all", store.number(&store.notes))
		}
		wantOpen(t, d, registry, 1)
		attempts := 0
		for id := range store.deliveries {
			attempts += len(store.of(id).history)
		}
		if attempts != calls {
			t.Errorf("%d attempts are recorded at %d calls, want no other", attempts, calls)
		}
		target.becomes(ok)
		began := time.Now()
		store.await(1000)
		synctest.Wait()
		if took := time.Since(began); took > 35*time.Second {
			t.Errorf("all is delivered %v after the target is back, want at most a probe and a slow start", took)
		}
		if store.held("a", engine.HeldBreaker) {
			t.Error("the hold is not lifted")
		}
		wantOpen(t, d, registry, 0)
		stop()
		if opened, closed := strings.Count(log.String(), "breaker opened"), strings.Count(log.String(), "breaker closed"); opened != 1 || closed != 1 {
			t.Errorf("the log tells %d times that it opened and %d times that it closed, want once each", opened, closed)
		}
	})
}

// wantOpen holds what is told of the breaker of the action a against what is wanted.
func wantOpen(t *testing.T, d *Dispatcher, registry *prometheus.Registry, open int) {
	t.Helper()
	said := 0
	for _, flag := range d.Flags() {
		if strings.HasPrefix(flag.Says, "its breaker is open since ") {
			said++
		}
	}
	if said != open {
		t.Errorf("Flags() = %v, want the breaker %d times", d.Flags(), open)
	}
	want := strings.NewReader(`
		# HELP peanuts_router_breaker_open 1 while the breaker of an action is open: its target fails, and is left alone.
		# TYPE peanuts_router_breaker_open gauge
		peanuts_router_breaker_open{action="a"} ` + string(rune('0'+open)) + "\n")
	if err := testutil.GatherAndCompare(registry, want, "peanuts_router_breaker_open"); err != nil {
		t.Error(err)
	}
}

// Only retryable failures in a row open a breaker; one delivery, even of what was under way, closes it; a dead letter does
// neither.
func TestWhatOpensAndClosesABreaker(t *testing.T) {
	const probe = engine.DeliveryID("p")
	for _, c := range []struct{ outcomes, want string }{
		{"rrr", "..o"},
		{"rrdrr", "....."},
		{"rrxr", "...o"},
		{"xxxxx", "....."},
		{"rrrrr", "..ooo"},
		{"rrrd", "..o."},
		{"rrrP", "..oo"},
		{"rrrPD", "..oo."},
		{"rrrX", "..oo"},
		{"rrrDrr", "..o..."},
		{"rrrDrrr", "..o...o"},
	} {
		b := breaker{}
		b.follow(engine.Breaker{Failures: 3, Probe: time.Second})
		got := ""
		now := time.Now()
		for _, outcome := range c.outcomes {
			id, verdict := engine.DeliveryID("other"), engine.VerdictRetry
			if strings.ContainsRune("PDX", outcome) {
				id = probe
				now = now.Add(time.Second)
				b.leased([]engine.Lease{{Delivery: engine.Delivery{ID: probe}}})
			}
			switch outcome {
			case 'd', 'D':
				verdict = engine.VerdictDelivered
			case 'x', 'X':
				verdict = engine.VerdictDead
			}
			b.learn(id, verdict, now)
			b.left(id)
			got += map[bool]string{true: "o", false: "."}[b.open]
		}
		if got != c.want {
			t.Errorf("after each of %s the breaker is %s, want %s", c.outcomes, got, c.want)
		}
	}
}

// One probe is under way at a time, however long it takes, and each comes its time after the one before has failed.
func TestProbesGoOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		target := &target{answers: fails}
		routes := new(table).set("a", engine.RetryStandard(), target.Send)
		routes.guard("a", tenFailures())
		for n := range 100 {
			store.owe(n, "a", time.Now())
		}
		d, stop := start(t, Config{Store: store, Routes: routes.get})
		time.Sleep(29 * time.Second)
		target.becomes(after(9*time.Second, fails))
		before, _ := target.count()
		for range 600 { // as fresh deliveries and retries wake the lane
			time.Sleep(time.Second)
			d.Wake("a")
		}
		after, most := target.count()
		probes := target.all()[before:after]
		for i := 1; i < len(probes); i++ {
			if gap := probes[i].Sub(probes[i-1]); gap != 39*time.Second {
				t.Errorf("probe %d came %v after the one before, which took 9 s; want 39 s", i+1, gap)
			}
		}
		if most != 1 || len(probes) < 15 {
			t.Errorf("%d probes, %d at once, want one after the other for 10 minutes", len(probes), most)
		}
		stop()
	})
}

// A breaker that is open stays so over a restart: the target is met by one probe, not by as many as there are hands.
func TestAnOpenBreakerOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		target := &target{answers: fails}
		routes := new(table).set("a", engine.RetryStandard(), target.Send)
		routes.guard("a", tenFailures())
		for n := range 100 {
			store.owe(n, "a", time.Now())
		}
		_, stop := start(t, Config{Store: store, Routes: routes.get})
		time.Sleep(time.Second)
		stop()
		before, _ := target.count()
		target.becomes(hangs)
		_, stop = start(t, Config{Store: store, Routes: routes.get})
		time.Sleep(30 * time.Second)
		if calls, most := target.count(); calls != before+1 || most != 1 {
			t.Errorf("%d calls, %d at once, within 30 s of a restart; want one probe", calls-before, most)
		}
		target.becomes(ok)
		store.await(100)
		synctest.Wait()
		if store.held("a", engine.HeldBreaker) {
			t.Error("the hold is not lifted")
		}
		stop()
	})
}

// C14: an edit of the breaker reaches the lane, and so does one that takes the action away.
func TestAnEditReachesTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, registry := newMemory(), prometheus.NewRegistry()
		target := &target{answers: fails}
		routes := new(table).set("a", engine.RetryStandard(), target.Send)
		routes.guard("a", engine.Breaker{Failures: 10, Probe: time.Hour})
		for n := range 100 {
			store.owe(n, "a", time.Now())
		}
		d, stop := start(t, Config{Store: store, Routes: routes.get, Metrics: registry})
		time.Sleep(2 * time.Minute)
		routes.guard("a", tenFailures())
		d.Wake("a")
		target.becomes(ok)
		store.await(100)
		target.becomes(fails)
		for n := 100; n < 200; n++ {
			store.owe(n, "a", time.Now())
		}
		time.Sleep(time.Minute)
		routes.remove("a")
		store.await(100)
		synctest.Wait()
		if store.held("a", engine.HeldBreaker) {
			t.Error("an action that is gone is still said to be held")
		}
		wantOpen(t, d, registry, 0)
		stop()
		states := map[engine.State]int{}
		for _, k := range store.deliveries {
			states[k.state]++
		}
		if diff := cmp.Diff(map[engine.State]int{engine.Delivered: 100, engine.Dead: 100}, states); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}
	})
}

// A hold that the store cannot take is noted once it can.
func TestAHoldIsNotedOnceTheStoreIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		calls := 0
		routes := new(table).set("a", engine.RetryStandard(), func(ctx context.Context, s engine.Shipment) engine.Outcome {
			if calls++; calls == 10 {
				store.setDown(true)
			}
			return fails(ctx, s)
		})
		routes.guard("a", tenFailures())
		routes.change("a", func(r *Route) { r.Concurrency = 1 })
		for n := range 20 {
			store.owe(n, "a", time.Now())
		}
		_, stop := start(t, Config{Store: store, Routes: routes.get})
		time.Sleep(20 * time.Second)
		if store.held("a", engine.HeldBreaker) {
			t.Fatal("a store that is down notes a hold")
		}
		store.setDown(false)
		time.Sleep(2 * time.Second)
		if !store.held("a", engine.HeldBreaker) {
			t.Error("the hold is not noted 2 s after the store is back")
		}
		stop()
	})
}

// What was on its way to a lane when its breaker opened is not sent, and uses up no attempt.
func TestWhatIsHandedToAnOpenBreakerWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		target := &target{answers: fails}
		routes := new(table).set("a", engine.RetryStandard(), target.Send)
		routes.guard("a", engine.Breaker{Failures: 1, Probe: time.Hour})
		d, stop := start(t, Config{Store: store, Routes: routes.get})
		d.Wake("a")
		synctest.Wait()
		for range 3 {
			if !d.Reserve("a") {
				t.Fatal("an idle lane has no room")
			}
		}
		for n := range 3 {
			d.Hand(store.accept(n, "a", time.Now()))
			synctest.Wait()
		}
		if calls, _ := target.count(); calls != 1 {
			t.Errorf("%d calls, want one: the breaker is open after the first", calls)
		}
		for n := 1; n < 3; n++ {
			if k := store.of(engine.NewDeliveryID(engine.EventID("event00000"+string(rune('0'+n))), 1)); k.state != engine.Pending || k.Attempts != 0 {
				t.Errorf("delivery %d is %s after %d attempts, want pending after none", n, k.state, k.Attempts)
			}
		}
		stop()
	})
}

// The breaker of an action that is gone closes, also when nothing of the action is due.
func TestTheBreakerOfAnActionThatIsGoneCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, registry := newMemory(), prometheus.NewRegistry()
		routes := new(table).set("a", engine.RetryPlan{Waits: []time.Duration{time.Hour}}, fails)
		routes.guard("a", engine.Breaker{Failures: 1, Probe: time.Minute})
		store.owe(1, "a", time.Now())
		d, stop := start(t, Config{Store: store, Routes: routes.get, Metrics: registry})
		time.Sleep(2500 * time.Millisecond)
		wantOpen(t, d, registry, 1)
		routes.remove("a")
		time.Sleep(2 * time.Second)
		wantOpen(t, d, registry, 0)
		if store.held("a", engine.HeldBreaker) {
			t.Error("the hold is not lifted")
		}
		stop()
	})
}

// R99: who watches is told when a breaker opens and when it closes, also of one that was open before a restart.
func TestABreakerIsAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, target := newMemory(), &target{answers: fails}
		routes := new(table).set("a", engine.RetryStandard(), target.Send)
		routes.guard("a", tenFailures())
		var told []bool
		config := Config{Store: store, Routes: routes.get, ObserveBreaker: func(action engine.ActionName, open bool) {
			if action != "a" {
				t.Errorf("told of the breaker of %q", action)
			}
			told = append(told, open)
		}}
		for n := range 20 {
			store.owe(n, "a", time.Now())
		}
		_, stop := start(t, config)
		time.Sleep(time.Minute)
		stop()
		_, stop = start(t, config)
		time.Sleep(time.Minute)
		target.becomes(ok)
		store.await(20)
		stop()
		if want := []bool{true, true, false}; !cmp.Equal(told, want) {
			t.Errorf("told is %v, want that it opened, was open after the restart, and closed", told)
		}
	})
}

// What is told last of a breaker is so: nobody can open or close it while it is told of.
func TestABreakerIsToldOfInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, target := newMemory(), &target{answers: fails}
		routes := new(table).set("a", engine.RetryStandard(), target.Send)
		routes.guard("a", engine.Breaker{Failures: 1, Probe: time.Second})
		var d *Dispatcher
		told := 0
		d, stop := start(t, Config{Store: store, Routes: routes.get, ObserveBreaker: func(_ engine.ActionName, open bool) {
			told++
			if l := d.lanes["a"]; l.mu.TryLock() {
				l.mu.Unlock()
				t.Errorf("while it is told that the breaker is open, %t, another attempt can turn it", open)
			}
		}})
		synctest.Wait()
		store.owe(1, "a", time.Now())
		time.Sleep(5 * time.Second)
		target.becomes(ok)
		store.await(1)
		stop()
		if told != 2 {
			t.Errorf("the breaker is told of %d times, want as it opened and as it closed", told)
		}
	})
}
