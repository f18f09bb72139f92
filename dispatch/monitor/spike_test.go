package monitor_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/dispatch/monitor"
	"github.com/peanuts-router/peanuts-router/engine"
)

// in has a test go in virtual time, with a monitor that runs.
func in(t *testing.T, test func(t *testing.T, m *memory, watching *monitor.Monitor)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		watching, stop := m.start(t)
		defer stop()
		synctest.Wait()
		test(t, m, watching)
	})
}

// round lets the next round pass.
func round() {
	time.Sleep(time.Second)
	synctest.Wait()
}

// R99, P35: a spike is so many failures of so many attempts, all within the window.
func TestASpikeNeedsAttemptsAndFailures(t *testing.T) {
	for _, c := range []struct {
		name         string
		fail, right  int
		apart, later time.Duration // between the two halves of the failures, and before the last look
		want         string
	}{
		{name: "too few attempts", fail: 19, want: ""},
		{name: "enough of them", fail: 20, want: "failure_spike"},
		{name: "half of them", fail: 10, right: 10, want: "failure_spike"},
		{name: "less than half", fail: 10, right: 11, want: ""},
		{name: "many, and hardly any", fail: 499, right: 5000, want: ""},
		{name: "enough, within the window", fail: 20, apart: 4*time.Minute + 50*time.Second, want: "failure_spike"},
		{name: "enough, but not within the window", fail: 20, apart: 5*time.Minute + 10*time.Second, want: ""},
	} {
		in(t, func(t *testing.T, m *memory, watching *monitor.Monitor) {
			succeed(watching, c.right)
			fail(watching, c.fail/2)
			if c.apart > 0 {
				time.Sleep(c.apart)
			}
			fail(watching, c.fail-c.fail/2)
			round()
			if got := m.names(); got != c.want {
				t.Errorf("%s: %d failures and %d successes raise %q, want %q", c.name, c.fail, c.right, got, c.want)
			}
		})
	}
}

// R99: an alert says which action fails, how often, and names a delivery to look at; rules are woken for what they owe.
func TestWhatASpikeSays(t *testing.T) {
	in(t, func(t *testing.T, m *memory, watching *monitor.Monitor) {
		succeed(watching, 7)
		fail(watching, 14)
		round()
		want := map[string]any{
			"action": "ledger", "rule": "high-expense", "delivery": "e-1", "event_id": "e", "attempts": 21.0, "count": 14.0, "rate": 0.667,
			"reason": "14 of 21 attempts failed within 5m; last: 503 Service Unavailable",
		}
		if len(m.all()) != 1 {
			t.Fatalf("raised: %q, want one spike", m.names())
		}
		if diff := cmp.Diff(want, m.all()[0].Data); diff != "" {
			t.Errorf("the spike says (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]engine.ActionName{"ops"}, m.woken); diff != "" {
			t.Errorf("woken (-want +got):\n%s", diff)
		}
	})
}

// R99, P35: there is one alert for a spike, however long it lasts, and one when it is over: after a whole window in which less
// than half as many fail. What swings between the two is neither.
func TestASpikeIsToldOnceAndEndsOnce(t *testing.T) {
	in(t, func(t *testing.T, m *memory, watching *monitor.Monitor) {
		every := func(length time.Duration, failed, right int) {
			for range int(length / (10 * time.Second)) {
				fail(watching, failed)
				succeed(watching, right)
				time.Sleep(10 * time.Second)
			}
			synctest.Wait()
		}
		every(48*time.Hour, 3, 0)
		if got := m.names(); got != "failure_spike" {
			t.Fatalf("two days of failures raise %q, want one spike", got)
		}
		every(6*time.Hour, 3, 7)     // 0.3: no spike by itself, and no recovery
		every(80*time.Second, 0, 10) // the rate falls below half, but not for a whole window
		every(6*time.Hour, 3, 7)
		if got := m.names(); got != "failure_spike" {
			t.Fatalf("a rate of 0.3 with a short calm raises %q, want nothing more", got)
		}
		calm := time.Now()
		every(time.Hour, 1, 9)
		if got := m.names(); got != "failure_spike failure_recovered" {
			t.Fatalf("an hour at a rate of 0.1 raises %q, want the recovery", got)
		}
		recovered := m.all()[1]
		// The rate is low once what failed before has left the window for the most part, and stays so for another window.
		if after := recovered.At.Sub(calm); after < 5*time.Minute || after > 10*time.Minute {
			t.Errorf("it is recovered %v after the rate fell, want a whole window later", after)
		}
		if recovered.Data["action"] != "ledger" || recovered.Data["rate"].(float64) >= 0.25 || recovered.Data["reason"] != nil {
			t.Errorf("the recovery says %v", recovered.Data)
		}
		every(48*time.Hour, 1, 9)
		every(time.Hour, 5, 5)
		if got := m.names(); got != "failure_spike failure_recovered failure_spike" {
			t.Errorf("another spike after two days raises %q in all", got)
		}
	})
}

// A target that nobody calls has not recovered: a window without attempts ends no spike. One that was called well, and no
// more since, has.
func TestSilenceIsNoRecovery(t *testing.T) {
	in(t, func(t *testing.T, m *memory, watching *monitor.Monitor) {
		fail(watching, 20)
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if got := m.names(); got != "failure_spike" {
			t.Errorf("a day of silence raises %q, want nothing after the spike", got)
		}
		succeed(watching, 1)
		time.Sleep(5*time.Minute + 2*time.Second)
		synctest.Wait()
		if got := m.names(); got != "failure_spike failure_recovered" {
			t.Errorf("a window after a success %q were raised, want the recovery", got)
		}
	})
}

// A breaker that opens is a spike at once, even if it is closed again before anybody looks; while it is open there is no recovery.
func TestABreakerIsASpike(t *testing.T) {
	in(t, func(t *testing.T, m *memory, watching *monitor.Monitor) {
		fail(watching, 10)
		round()
		watching.ObserveBreaker("ledger", true)
		watching.ObserveBreaker("ledger", false)
		round()
		if got := m.names(); got != "failure_spike" || m.all()[0].Data["reason"] != "its breaker has opened; 10 of 10 attempts failed within 5m; last: 503 Service Unavailable" {
			t.Fatalf("a breaker that opens raises %q: %v", got, m.all())
		}
		watching.ObserveBreaker("ledger", true)
		succeed(watching, 1000)
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := m.names(); got != "failure_spike" {
			t.Errorf("with an open breaker %q were raised, want no recovery", got)
		}
		watching.ObserveBreaker("ledger", false)
		succeed(watching, 1)
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		if got := m.names(); got != "failure_spike failure_recovered" {
			t.Errorf("a window after the breaker closed %q were raised, want the recovery", got)
		}
	})
}

// R100: nothing that becomes of alerts raises another one: they count in no window, whether they fail or arrive, and a breaker that
// they alone have opened is no spike.
func TestAlertsRaiseNoAlerts(t *testing.T) {
	in(t, func(t *testing.T, m *memory, watching *monitor.Monitor) {
		attempts(watching, 1000, "ops", engine.VerdictRetry, true)
		attempts(watching, 1000, "ops", engine.VerdictDead, true)
		watching.ObserveBreaker("ops", true)
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := m.names(); got != "" {
			t.Errorf("2000 failed attempts at alerts raise %q", got)
		}
		attempts(watching, 1000, "ledger", engine.VerdictDelivered, true)
		fail(watching, 20)
		round()
		if got := m.names(); got != "failure_spike" {
			t.Errorf("20 of 20 ordinary attempts failed, beside 1000 alerts that arrived: raised is %q", got)
		}
	})
}

// A spike that was told is not told again by the next process, and its end is told though it began before; what is lost is the
// count of the window.
func TestARestartTellsNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		for range 3 {
			watching, stop := m.start(t)
			synctest.Wait()
			fail(watching, 30)
			round()
			stop()
		}
		if got := m.names(); got != "failure_spike" {
			t.Errorf("a spike over three restarts raises %q, want one", got)
		}
		watching, stop := m.start(t)
		succeed(watching, 1)
		time.Sleep(6 * time.Minute)
		stop()
		watching, stop = m.start(t)
		succeed(watching, 1)
		time.Sleep(12 * time.Minute)
		stop()
		if got := m.names(); got != "failure_spike failure_recovered" {
			t.Errorf("after the recovery and another restart %q were raised", got)
		}
	})
}

// C17: an alert that cannot be stored is not lost, and not told twice.
func TestAnAlertWaitsForTheStore(t *testing.T) {
	in(t, func(t *testing.T, m *memory, watching *monitor.Monitor) {
		m.set(func(m *memory) { m.down = true })
		fail(watching, 20)
		m.die("ledger", 4)
		time.Sleep(time.Minute)
		m.set(func(m *memory) { m.down = false })
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := m.names(); got != "failure_spike dead_letter" {
			t.Errorf("once the store is there again %q were raised, want both once", got)
		}
	})
}

// A reload that changes the numbers is followed at once.
func TestTheNumbersAreThoseOfTheRulesInForce(t *testing.T) {
	in(t, func(t *testing.T, m *memory, watching *monitor.Monitor) {
		fail(watching, 3)
		round()
		m.set(func(m *memory) { m.settings.MinAttempts = 3 })
		round()
		if got := m.names(); got != "failure_spike" {
			t.Errorf("3 failures, with 3 for a minimum now, raise %q", got)
		}
	})
}
