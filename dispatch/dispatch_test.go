package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/peanuts-router/peanuts-router/engine"
)

// R85, R89, R92, C11: a target that never recovers is tried by its plan, over more than a day, and ends as a dead letter
// with its reason.
func TestAPlanRunsToItsEnd(t *testing.T) {
	for _, c := range []struct {
		name string
		plan engine.RetryPlan
	}{{"standard", engine.RetryStandard()}, {"peanuts", engine.RetryPeanuts()}, {"one attempt", engine.RetryPlan{Waits: []time.Duration{}}}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newMemory()
				_, stop := start(t, Config{Store: store, Routes: new(table).set("a", c.plan, fails).get})
				id := store.owe(1, "a", time.Now())
				store.await(1)
				stop()
				k := store.of(id)
				if want := fmt.Sprintf("gave up after %d attempts: 503 Service Unavailable", c.plan.Limit()); k.state != engine.Dead || k.reason != want {
					t.Errorf("the delivery is %s: %q, want dead: %q", k.state, k.reason, want)
				}
				if len(k.history) != c.plan.Limit() {
					t.Fatalf("%d attempts, want %d", len(k.history), c.plan.Limit())
				}
				for i, wait := range c.plan.Waits {
					gap := k.history[i+1].At.Sub(k.history[i].At)
					if gap < scaled(wait, 1-c.plan.Jitter) || gap > scaled(wait, 1+c.plan.Jitter)+time.Millisecond {
						t.Errorf("attempt %d came %v after the one before, want %v ±%v", i+2, gap, wait, c.plan.Jitter)
					}
				}
			})
		})
	}
}

// R88, R90: success stops; a delivery is sent once.
func TestSuccessStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		calls := 0
		_, stop := start(t, Config{Store: store, Routes: new(table).set("a", engine.RetryStandard(), func(ctx context.Context, s engine.Shipment) engine.Outcome {
			if calls++; calls <= 4 {
				return fails(ctx, s)
			}
			return ok(ctx, s)
		}).get})
		id := store.owe(1, "a", time.Now())
		store.await(1)
		time.Sleep(48 * time.Hour)
		stop()
		if k := store.of(id); k.state != engine.Delivered || calls != 5 || len(k.history) != 5 {
			t.Errorf("%s after %d calls and %d attempts, want delivered after 5 and 5", k.state, calls, len(k.history))
		}
	})
}

// C8, F26: an action that hangs delays no other.
func TestALaneDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		routes := new(table).set("stuck", engine.RetryStandard(), hangs).set("fine", engine.RetryStandard(), ok)
		d, stop := start(t, Config{Store: store, Routes: routes.get})
		for n := range 500 {
			store.owe(n, "stuck", time.Now())
		}
		d.Wake("stuck")
		synctest.Wait()
		began := time.Now()
		for n := 500; n < 600; n++ {
			store.owe(n, "fine", time.Now())
		}
		d.Wake("fine")
		store.await(100)
		if took := time.Since(began); took > 0 {
			t.Errorf("100 deliveries of the other action took %v, want no time at all", took)
		}
		stop()
	})
}

// Fresh work is handed over in memory: the store is not asked for it.
func TestFreshWorkNeverWaitsForALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		d, stop := start(t, Config{Store: store, Routes: new(table).set("a", engine.RetryStandard(), ok).get})
		if d.Reserve("unknown") {
			t.Error("Reserve of an action that is not there keeps a room")
		}
		d.Wake("a") // makes the lane, which looks into the store first
		synctest.Wait()
		began := time.Now()
		for n := range 100 {
			if !d.Reserve("a") {
				t.Fatalf("no room for delivery %d of an idle lane", n)
			}
			d.Hand(store.accept(n, "a", time.Now()))
			synctest.Wait()
		}
		if took := time.Since(began); took > 0 || store.number(&store.leased) > 0 {
			t.Errorf("handed deliveries took %v and %d looks into the store, want none", took, store.number(&store.leased))
		}
		rooms := 0
		for d.Reserve("a") {
			rooms++
		}
		if rooms != mostRooms {
			t.Errorf("an idle lane has %d rooms, want %d", rooms, mostRooms)
		}
		for range rooms {
			d.Release("a")
		}
		stop()
		store.await(100)
	})
}

// C12, F31, R91: Retry-After is a lower bound, pauses the whole action, is capped, and outlives a restart.
func TestRetryAfterPausesTheWholeAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		var calls []time.Time
		var mu sync.Mutex
		routes := new(table).set("a", engine.RetryPlan{Waits: []time.Duration{time.Second, time.Second}}, func(ctx context.Context, s engine.Shipment) engine.Outcome {
			mu.Lock()
			defer mu.Unlock()
			if calls = append(calls, time.Now()); len(calls) == 1 {
				return engine.Outcome{Verdict: engine.VerdictRetry, Status: "429", RetryAfter: 10 * time.Minute}
			}
			return ok(ctx, s)
		})
		began := time.Now()
		d, stop := start(t, Config{Store: store, Routes: routes.get})
		store.owe(1, "a", began)
		time.Sleep(2 * time.Second)
		store.owe(2, "a", time.Now())
		d.Wake("a")
		if d.Reserve("a") {
			t.Error("a paused lane keeps a room")
		}
		time.Sleep(time.Minute)
		if flags := d.Flags(); len(flags) != 1 || !strings.HasPrefix(flags[0].Says, "paused by its target until ") {
			t.Errorf("Flags() = %v, want the pause", flags)
		}
		stop()

		_, stop = start(t, Config{Store: store, Routes: routes.get})
		store.await(2)
		stop()
		if len(calls) != 3 {
			t.Fatalf("%d calls, want 3", len(calls))
		}
		for _, call := range calls[1:] {
			if wait := call.Sub(began); wait < 10*time.Minute || wait > 10*time.Minute+2*time.Second {
				t.Errorf("a call %v after the start, want 10 minutes", wait)
			}
		}
	})
}

// C14: the longest wait is looked up, so that an edit ends a pause that a target asked for by mistake; also one from before a
// restart.
func TestALowerCapEndsAPause(t *testing.T) {
	for name, restarts := range map[string]bool{"an edit": false, "an edit before a restart": true} {
		synctest.Test(t, func(t *testing.T) {
			store, routes := newMemory(), new(table)
			routes.set("a", engine.RetryPeanuts(), func(context.Context, engine.Shipment) engine.Outcome {
				return engine.Outcome{Verdict: engine.VerdictRetry, Status: "503", RetryAfter: time.Hour}
			})
			_, stop := start(t, Config{Store: store, Routes: routes.get})
			store.owe(1, "a", time.Now())
			time.Sleep(time.Minute)
			if restarts {
				stop()
			}
			routes.set("a", engine.RetryPeanuts(), ok).change("a", func(r *Route) { r.MaxRetryAfter = 5 * time.Second })
			if restarts {
				_, stop = start(t, Config{Store: store, Routes: routes.get})
			}
			edited := time.Now()
			store.owe(2, "a", edited)
			store.await(1)
			if took := time.Since(edited); took < 5*time.Second || took > 8*time.Second {
				t.Errorf("%s: what came then was sent after %v, want 5 s", name, took)
			}
			if until := store.heldUntil("a", engine.HeldPaused); until.After(time.Now()) {
				t.Errorf("%s: the store tells of a pause until %v from now", name, time.Until(until))
			}
			stop()
		})
	}
}

func TestRetryAfterIsCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		action := engine.Action{Retry: engine.RetryPeanuts(), MaxRetryAfter: time.Minute}
		s := decide(action, engine.Lease{}, engine.Outcome{Verdict: engine.VerdictRetry, RetryAfter: 240 * time.Hour}, now)
		if s.NextAt.Sub(now) != time.Minute {
			t.Errorf("due in %v, want a minute", s.NextAt.Sub(now))
		}
		s = decide(action, engine.Lease{}, engine.Outcome{Verdict: engine.VerdictRetry, RetryAfter: time.Second}, now)
		if s.NextAt.Sub(now) != 2*time.Second {
			t.Errorf("due in %v, want the plan's 2 s: Retry-After is a lower bound", s.NextAt.Sub(now))
		}
	})
}

// C13: a replay starts the plan anew; its attempts are numbered on.
func TestAReplayStartsThePlanAnew(t *testing.T) {
	lease := engine.Lease{PlanFrom: 3}
	lease.Attempts = 4
	s := decide(engine.Action{Retry: engine.RetryPeanuts()}, lease, engine.Outcome{Verdict: engine.VerdictRetry}, time.Now())
	if s.State != engine.Pending {
		t.Errorf("the second attempt of a replay leaves the delivery %s, want pending", s.State)
	}
	lease.Attempts = 5
	if s = decide(engine.Action{Retry: engine.RetryPeanuts()}, lease, engine.Outcome{Verdict: engine.VerdictRetry}, time.Now()); s.State != engine.Dead {
		t.Errorf("the third attempt of a replay leaves the delivery %s, want dead", s.State)
	}
}

// C14, F36: the action is looked up at each attempt.
func TestAnActionIsLookedUpAtEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		routes := new(table).set("mended", engine.RetryStandard(), fails).set("gone", engine.RetryStandard(), fails).set("other", engine.RetryStandard(), fails)
		_, stop := start(t, Config{Store: store, Routes: routes.get})
		mended, gone, other := store.owe(1, "mended", time.Now()), store.owe(2, "gone", time.Now()), store.owe(3, "other", time.Now())
		never := store.owe(4, "never-there", time.Now())
		time.Sleep(2 * time.Second)
		routes.change("mended", func(r *Route) { r.Sender = sending(ok) })
		routes.change("other", func(r *Route) { r.Kind = engine.KindSlack })
		routes.remove("gone")
		store.await(4)
		stop()
		got := map[engine.DeliveryID]string{}
		for _, id := range []engine.DeliveryID{mended, gone, other, never} {
			k := store.of(id)
			got[id] = string(k.state) + " " + k.reason
		}
		want := map[engine.DeliveryID]string{
			mended: "delivered ", gone: "dead the action gone is gone from the rules",
			other: "dead the action other is of kind slack now, and this is a message for http",
			never: "dead the action never-there is gone from the rules",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ends (-want +got):\n%s", diff)
		}
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		var under, most atomic.Int32
		routes := new(table).set("a", engine.RetryStandard(), func(ctx context.Context, s engine.Shipment) engine.Outcome {
			if n := under.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer under.Add(-1)
			time.Sleep(time.Second)
			return ok(ctx, s)
		})
		began := time.Now()
		_, stop := start(t, Config{Store: store, Routes: routes.get})
		for n := range 100 {
			store.owe(n, "a", time.Now())
		}
		store.await(100)
		if took := time.Since(began); most.Load() != 4 || took > 30*time.Second {
			t.Errorf("at most %d at once, all in %v; want 4, in about 25 s", most.Load(), took)
		}
		stop()
	})
}

// F42: a message that makes an action panic dies alone.
func TestAPanicDiesAsADeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		_, stop := start(t, Config{Store: store, Routes: new(table).set("a", engine.RetryStandard(), func(ctx context.Context, s engine.Shipment) engine.Outcome {
			if s.Event == "event000003" {
				panic("poison")
			}
			return ok(ctx, s)
		}).get})
		for n := range 10 {
			store.owe(n, "a", time.Now())
		}
		store.await(10)
		stop()
		for id, k := range store.deliveries {
			want := engine.Delivered
			if k.Event == "event000003" {
				want = engine.Dead
			}
			if k.state != want {
				t.Errorf("%s is %s, want %s", id, k.state, want)
			}
		}
	})
}

// C18: an attempt begins only with a lease that outlasts it; handed back, it has used up nothing.
func TestALeaseThatIsTooShortIsHandedBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		d, stop := start(t, Config{Store: store, Routes: new(table).set("a", engine.RetryStandard(), ok).get})
		d.Wake("a")
		synctest.Wait()
		d.Reserve("a")
		lease := store.accept(1, "a", time.Now().Add(-55*time.Second)) // 5 s are left
		d.Hand(lease)
		store.await(1)
		stop()
		if k := store.of(lease.ID); k.state != engine.Delivered || len(k.history) != 1 || k.Generation != 2 {
			t.Errorf("%s after %d attempts in generation %d, want delivered by one attempt with the second lease", k.state, len(k.history), k.Generation)
		}
	})
}

// C18, F21: the result of a stale lease changes nothing.
func TestAStaleResultChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		observed, registry := 0, prometheus.NewRegistry()
		d, stop := start(t, Config{
			Store: store, Observe: func(Settled) { observed++ }, Metrics: registry,
			Routes: new(table).set("a", engine.RetryStandard(), func(ctx context.Context, s engine.Shipment) engine.Outcome {
				store.mu.Lock() // another router has taken the lease over
				store.deliveries[s.ID].Generation = 7
				store.mu.Unlock()
				return ok(ctx, s)
			}).get,
		})
		id := store.owe(1, "a", time.Now())
		d.Wake("a")
		time.Sleep(10 * time.Second)
		stop()
		if k := store.of(id); k.state != engine.Sending || len(k.history) != 0 || observed != 0 {
			t.Errorf("%s with %d attempts, %d observed; want it untouched", k.state, len(k.history), observed)
		}
		if n, err := testutil.GatherAndCount(registry, "peanuts_router_delivery_attempts_total"); err != nil || n != 0 {
			t.Errorf("an attempt that was not recorded is counted in %d series, %v; want none (I12)", n, err)
		}
	})
}

// C18: an expired lease is taken over within 10 s.
func TestExpiredLeasesAreTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		lease := store.accept(1, "a", time.Now())
		began := time.Now()
		_, stop := start(t, Config{Store: store, Routes: new(table).set("a", engine.RetryStandard(), ok).get})
		store.await(1)
		stop()
		if waited := time.Since(began); waited < leaseTime || waited > leaseTime+10*time.Second {
			t.Errorf("taken over after %v, want within 10 s of the lease's end", waited)
		}
		if k := store.of(lease.ID); k.state != engine.Delivered {
			t.Errorf("the delivery is %s, want delivered", k.state)
		}
	})
}

// C17, F9, F44: while the store cannot commit, results are kept and brought again, and it is asked less and less.
func TestWhileTheStoreIsDownResultsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		sent := 0
		d, stop := start(t, Config{Store: store, Routes: new(table).set("a", engine.RetryStandard(), func(ctx context.Context, s engine.Shipment) engine.Outcome {
			if sent++; sent == 1 {
				store.setDown(true)
			}
			return ok(ctx, s)
		}).get})
		first := store.owe(1, "a", time.Now())
		d.Wake("a")
		time.Sleep(30 * time.Second)
		second := store.owe(2, "a", time.Now())
		d.Wake("a")
		time.Sleep(5 * time.Second)
		if sent != 1 {
			t.Errorf("%d sent while the store was down, want 1", sent)
		}
		store.setDown(false)
		store.await(2)
		stop()
		for _, id := range []engine.DeliveryID{first, second} {
			if k := store.of(id); k.state != engine.Delivered || len(k.history) != 1 {
				t.Errorf("%s is %s after %d attempts, want delivered by one", id, k.state, len(k.history))
			}
		}
		if sent != 2 {
			t.Errorf("%d sent, want 2: a result that is kept is not sent again", sent)
		}
	})
}

// R94, P32: a dead letter that the store cannot take at once is kept until it can. When that takes longer than its lease, it is
// tried once more and dies then; it is never lost.
func TestADeadLetterThatCannotBeWrittenIsNotLost(t *testing.T) {
	for down, want := range map[time.Duration]int{30 * time.Second: 1, 5 * time.Minute: 2} {
		synctest.Test(t, func(t *testing.T) {
			store := newMemory()
			sent := 0
			_, stop := start(t, Config{Store: store, Routes: new(table).set("a", engine.RetryPeanuts(), func(context.Context, engine.Shipment) engine.Outcome {
				if sent++; sent == 1 {
					store.setDown(true)
				}
				return engine.Outcome{Verdict: engine.VerdictDead, Status: "400", Reason: "400 Bad Request", Answer: "no such thing"}
			}).get})
			id := store.owe(1, "a", time.Now())
			time.Sleep(down)
			if k := store.of(id); k.state != engine.Sending {
				t.Errorf("while the store is down the delivery is %s, want sending still", k.state)
			}
			store.setDown(false)
			store.await(1)
			stop()
			k := store.of(id)
			if k.state != engine.Dead || k.reason != "400 Bad Request" || len(k.history) != 1 || k.history[0].Answer != "no such thing" {
				t.Errorf("down for %v: %s (%q) with the attempts %+v, want one dead letter with its reason", down, k.state, k.reason, k.history)
			}
			if sent != want {
				t.Errorf("down for %v: sent %d times, want %d", down, sent, want)
			}
		})
	}
}

// C22, F37: at the end no attempt begins, those under way may finish for a while, and the rest is handed back uncounted.
func TestAnEndHandsBackWhatWasNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		routes := new(table).set("slow", engine.RetryStandard(), func(ctx context.Context, s engine.Shipment) engine.Outcome {
			time.Sleep(5 * time.Second)
			return ok(ctx, s)
		}).set("stuck", engine.RetryStandard(), hangs)
		routes.change("stuck", func(r *Route) { r.Timeout = engine.MaxTimeout })
		d, stop := start(t, Config{Store: store, Routes: routes.get, Grace: 10 * time.Second})
		for n := range 12 {
			store.owe(n, "slow", time.Now())
		}
		for n := 12; n < 24; n++ {
			store.owe(n, "stuck", time.Now())
		}
		d.Wake("slow")
		d.Wake("stuck")
		time.Sleep(time.Second)
		began := time.Now()
		stop()
		if took := time.Since(began); took > 11*time.Second {
			t.Errorf("the end took %v, want at most the grace of 10 s", took)
		}
		states := map[string]int{}
		for _, k := range store.deliveries {
			states[fmt.Sprintf("%s %s %d", k.Action, k.state, len(k.history))]++
		}
		if diff := cmp.Diff(map[string]int{"slow delivered 1": 4, "slow pending 0": 8, "stuck pending 0": 12}, states); diff != "" {
			t.Errorf("deliveries after the end (-want +got):\n%s", diff)
		}
		if d.Reserve("slow") || d.Reserve("stuck") {
			t.Error("a room is kept after the end")
		}
	})
}

// C11: refused credentials and targets that are gone are flagged until the next success.
func TestFlagsLastUntilTheNextSuccess(t *testing.T) {
	var f flags
	d := &Dispatcher{Config: Config{Now: time.Now}}
	steps := []struct {
		outcome engine.Outcome
		want    int
	}{
		{engine.Outcome{Verdict: engine.VerdictRetry}, 0},
		{engine.Outcome{Verdict: engine.VerdictRetry, Refused: true}, 1},
		{engine.Outcome{Verdict: engine.VerdictRetry}, 1},
		{engine.Outcome{Verdict: engine.VerdictDead, Gone: true}, 1},
		{engine.Outcome{Verdict: engine.VerdictDelivered}, 0},
	}
	for i, step := range steps {
		f.note("a", step.outcome)
		d.flags.says = f.says
		if got := d.Flags(); len(got) != step.want {
			t.Errorf("after step %d Flags() = %v, want %d", i, got, step.want)
		}
	}
}

// R87, R102: one wide line an attempt; a dead letter is an error with its reason.
func TestEveryAttemptIsLoggedInOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		store := newMemory()
		registry := prometheus.NewRegistry()
		_, stop := start(t, Config{
			Store: store, Log: slog.New(slog.NewJSONHandler(&log, nil)), Metrics: registry,
			Routes: new(table).set("a", engine.RetryPeanuts(), func(context.Context, engine.Shipment) engine.Outcome {
				return engine.Outcome{Verdict: engine.VerdictRetry, Status: "401", Reason: "refused", Answer: "who are you?", Refused: true}
			}).get,
		})
		id := store.owe(1, "a", time.Now())
		store.await(1)
		stop()
		var attempts, dead int
		for line := range strings.Lines(log.String()) {
			var record map[string]any
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				t.Fatalf("not a JSON record: %s", line)
			}
			switch record["msg"] {
			case "attempt":
				attempts++
				if record["delivery"] != string(id) || record["attempt"] != float64(attempts) || record["verdict"] != "retry" || record["level"] != "WARN" {
					t.Errorf("an attempt is logged as %s", line)
				}
			case "dead letter":
				dead++
				if record["level"] != "ERROR" || record["reason"] != "gave up after 3 attempts: refused" || record["hint"] != "peanuts-router dead-letters show "+string(id) {
					t.Errorf("a dead letter is logged as %s", line)
				}
			}
		}
		if attempts != 3 || dead != 1 {
			t.Errorf("%d attempts and %d dead letters logged, want 3 and 1", attempts, dead)
		}
		if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
			t.Errorf("metrics: %v %v", problems, err)
		}
	})
}

// R98: attempts are counted by action and verdict, so that a success rate can be told.
func TestAttemptsAreCountedByActionAndVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, registry := newMemory(), prometheus.NewRegistry()
		calls := 0
		routes := new(table).set("fine", engine.RetryPeanuts(), ok).set("down", engine.RetryPeanuts(), fails).
			set("flaky", engine.RetryPeanuts(), func(ctx context.Context, s engine.Shipment) engine.Outcome {
				if calls++; calls == 1 {
					return fails(ctx, s)
				}
				return ok(ctx, s)
			})
		_, stop := start(t, Config{Store: store, Routes: routes.get, Metrics: registry})
		for n, action := range []engine.ActionName{"fine", "fine", "down", "flaky"} {
			store.owe(n, action, time.Now())
		}
		store.await(4)
		stop()
		want := `
			# HELP peanuts_router_delivery_attempts_total Attempts at deliveries that were recorded, by action and verdict.
			# TYPE peanuts_router_delivery_attempts_total counter
			peanuts_router_delivery_attempts_total{action="down",verdict="retry"} 3
			peanuts_router_delivery_attempts_total{action="fine",verdict="delivered"} 2
			peanuts_router_delivery_attempts_total{action="flaky",verdict="delivered"} 1
			peanuts_router_delivery_attempts_total{action="flaky",verdict="retry"} 1
		`
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "peanuts_router_delivery_attempts_total"); err != nil {
			t.Error(err)
		}
	})
}

// Whatever the targets answer, over virtual days: every delivery ends delivered or dead, within its plan, never two
// attempts of one delivery at a time, by one key.
func TestWhateverTargetsAnswerEveryDeliveryEnds(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			var mu sync.Mutex
			under := map[engine.DeliveryID]bool{}
			sender := func(ctx context.Context, s engine.Shipment) engine.Outcome {
				mu.Lock()
				if under[s.ID] {
					t.Errorf("seed %d: two attempts of %s at once", seed, s.ID)
				}
				under[s.ID] = true
				what, pause := random.IntN(8), time.Duration(random.IntN(12_000))*time.Millisecond
				mu.Unlock()
				defer func() {
					mu.Lock()
					delete(under, s.ID)
					mu.Unlock()
				}()
				select {
				case <-time.After(pause):
				case <-ctx.Done():
					return hangs(ctx, s)
				}
				switch what {
				case 0:
					return engine.Outcome{Verdict: engine.VerdictDead, Reason: "400"}
				case 1:
					panic("poison")
				case 2:
					return engine.Outcome{Verdict: engine.VerdictRetry, RetryAfter: pause}
				case 3, 4:
					return ok(ctx, s)
				}
				return fails(ctx, s)
			}
			store := newMemory()
			routes := new(table).set("a", engine.RetryStandard(), sender).set("b", engine.RetryPeanuts(), sender)
			d, stop := start(t, Config{Store: store, Routes: routes.get})
			const deliveries = 60
			for n := range deliveries {
				action := engine.ActionName([]string{"a", "b"}[n%2])
				mu.Lock()
				fresh := random.IntN(2) == 0
				mu.Unlock()
				if fresh && d.Reserve(action) {
					d.Hand(store.accept(n, action, time.Now()))
				} else {
					store.owe(n, action, time.Now())
				}
			}
			store.await(deliveries)
			stop()
			for id, k := range store.deliveries {
				route, _ := routes.get(k.Action)
				if k.state != engine.Delivered && k.state != engine.Dead || len(k.history) > route.Retry.Limit() {
					t.Errorf("seed %d: %s is %s after %d attempts of at most %d", seed, id, k.state, len(k.history), route.Retry.Limit())
				}
			}
		})
	}
}
