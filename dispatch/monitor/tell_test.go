package monitor_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/dispatch/monitor"
	"github.com/peanuts-router/peanuts-router/engine"
)

// counts are how many dead letters each alert tells.
func counts(m *memory) (all []any) {
	for _, r := range m.all() {
		all = append(all, r.Data["count"])
	}
	return all
}

// R92, P35: a storm of dead letters is one alert with their number, and no dead letter is left untold or told twice: what dies
// later in the window is told after it.
func TestAStormOfDeadLettersIsOneAlert(t *testing.T) {
	in(t, func(t *testing.T, m *memory, _ *monitor.Monitor) {
		for range 100 {
			m.die("ledger", 10)
			time.Sleep(90 * time.Millisecond)
		}
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]any{1000.0}, counts(m)); diff != "" {
			t.Fatalf("1,000 dead letters are told as (-want +got):\n%s", diff)
		}
		want := map[string]any{
			"action": "ledger", "rule": "high-expense", "delivery": "e-1", "event_id": "e", "reason": "gave up", "attempts": 3.0, "count": 1000.0,
		}
		if diff := cmp.Diff(want, m.all()[0].Data); diff != "" {
			t.Errorf("the alert says (-want +got):\n%s", diff)
		}
		began := m.all()[0].At
		for range 24 * 60 {
			m.die("ledger", 1)
			time.Sleep(time.Minute)
		}
		synctest.Wait()
		told, last := 0.0, began.Add(-time.Hour)
		for _, r := range m.all() {
			told += r.Data["count"].(float64)
			if gap := r.At.Sub(last); gap < 5*time.Minute {
				t.Errorf("two alerts on one action came %v apart, want a window at least", gap)
			}
			last = r.At
		}
		if told < 2430 || told > 2440 {
			t.Errorf("%v dead letters were told of 2440, where the last window may wait", told)
		}
	})
}

// Each action has its own alerts.
func TestEachActionHasItsOwnDeadLetters(t *testing.T) {
	in(t, func(t *testing.T, m *memory, _ *monitor.Monitor) {
		m.die("ledger", 1)
		m.die("ops", 2)
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if len(m.all()) != 2 || m.all()[0].Data["action"] == m.all()[1].Data["action"] {
			t.Errorf("dead letters of two actions are told as %v", m.all())
		}
	})
}

// Through restarts there is one alert for an action and window, too.
func TestARestartTellsNoDeadLetterEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		for range 8 { // 2 minutes in all
			m.die("ledger", 1)
			_, stop := m.start(t)
			time.Sleep(15 * time.Second)
			stop()
		}
		if diff := cmp.Diff([]any{1.0}, counts(m)); diff != "" {
			t.Errorf("8 dead letters over 8 restarts are told as (-want +got):\n%s", diff)
		}
		_, stop := m.start(t)
		time.Sleep(5 * time.Minute)
		stop()
		if diff := cmp.Diff([]any{1.0, 7.0}, counts(m)); diff != "" {
			t.Errorf("a window later they are told as (-want +got):\n%s", diff)
		}
	})
}

// R34, C15: a refused edit is told once, however often it is read, and by however many processes; another one is another, and so
// is the same again once rules were accepted.
func TestARefusedEditIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		edit := func(refused string) {
			m.set(func(m *memory) { m.refused = refused })
			time.Sleep(time.Hour)
			synctest.Wait()
		}
		_, stop := m.start(t)
		edit("rules.yaml:1:1: unknown key\nrules.yaml:2:1: no rules")
		stop()
		_, stop = m.start(t) // on the last rules that were good
		edit(m.refused)
		if got := m.names(); got != "reload_failed" {
			t.Fatalf("one refused edit raises %q", got)
		}
		want := map[string]any{"reason": "rules.yaml:1:1: unknown key\nrules.yaml:2:1: no rules", "count": 2.0}
		if diff := cmp.Diff(want, m.all()[0].Data); diff != "" {
			t.Errorf("the alert says (-want +got):\n%s", diff)
		}
		edit("rules.yaml:1:1: another")
		edit("")
		edit("rules.yaml:1:1: another")
		if got := m.names(); got != "reload_failed reload_failed reload_failed" {
			t.Errorf("two more refused edits raise %q in all", got)
		}
		for range 10 {
			m.set(func(m *memory) { m.refused = "rules.yaml: is empty" }) // read while it is being written
			time.Sleep(2 * time.Second)
			m.set(func(m *memory) { m.refused = "" })
			time.Sleep(20 * time.Second)
		}
		if n := len(m.all()); n != 3 {
			t.Errorf("edits that are mended at once raise %d alerts more", n-3)
		}
		edit(strings.Repeat("rules.yaml:1:1: ä problem\n", 1000))
		if reason := m.all()[3].Data["reason"].(string); len(reason) > 2010 || !strings.HasSuffix(reason, "problem\n…") {
			t.Errorf("a long reason is cut to %d bytes, ending in %q", len(reason), reason[len(reason)-20:])
		}
		stop()
	})
}

// R100: what goes wrong shows whatever rules there are, alerts that do not get through their own channel first of all, until
// something does.
func TestWhatGoesWrongShowsWithoutAnyRule(t *testing.T) {
	in(t, func(t *testing.T, m *memory, watching *monitor.Monitor) {
		fail(watching, 20)
		m.die("ops", 1)
		attempts(watching, 1, "ops", engine.VerdictRetry, true)
		round()
		var said []string
		for _, flag := range watching.Flags(t.Context()) {
			said = append(said, string(flag.Action)+" "+flag.Says)
		}
		want := []string{
			"ledger fails since 2000-01-01T00:00:01Z: 20 of 20 attempts failed within 5m; last: 503 Service Unavailable",
			"ops 1 dead letter: peanuts-router dead-letters list --action ops",
			"ops the router's own alerts do not get through it: 503 Service Unavailable",
		}
		if diff := cmp.Diff(want, said); diff != "" {
			t.Errorf("Flags() say (-want +got):\n%s", diff)
		}
		attempts(watching, 1, "ops", engine.VerdictDelivered, false)
		succeed(watching, 1000)
		m.set(func(m *memory) { clear(m.deaths) })
		recovers := ""
		for range 6 * time.Minute / time.Second {
			succeed(watching, 1)
			round()
			for _, flag := range watching.Flags(t.Context()) {
				if strings.HasPrefix(flag.Says, "recovers") {
					recovers = flag.Says
				}
			}
		}
		if want := "recovers, after it failed since 2000-01-01T00:00:01Z: 0 of "; !strings.HasPrefix(recovers, want) {
			t.Errorf("an action whose failures have left the window, but for which no recovery is told yet, says %q; want %q", recovers, want)
		}
		if flags := watching.Flags(t.Context()); len(flags) > 0 {
			t.Errorf("once all is well Flags() = %v", flags)
		}
	})
}

// R100: an alert that waits behind the breaker of its own channel shows as one that does not get through, until something does.
func TestAnAlertBehindABreakerShows(t *testing.T) {
	in(t, func(t *testing.T, _ *memory, watching *monitor.Monitor) {
		watching.ObserveBreaker("ops", true)
		fail(watching, 20)
		round()
		flags := watching.Flags(t.Context())
		if len(flags) != 2 || flags[1].Action != "ops" || flags[1].Says != "the router's own alerts do not get through it: its breaker is open" {
			t.Errorf("Flags() = %v, want that alerts do not get through ops", flags)
		}
		watching.ObserveBreaker("ops", false)
		attempts(watching, 1, "ops", engine.VerdictDelivered, true)
		if flags := watching.Flags(t.Context()); len(flags) != 1 {
			t.Errorf("once the alert is delivered Flags() = %v", flags)
		}
	})
}

// C21, R100: an alert that cannot be rendered shows as one that does not get through.
func TestAnAlertThatCannotBeRenderedShows(t *testing.T) {
	in(t, func(t *testing.T, m *memory, watching *monitor.Monitor) {
		m.set(func(m *memory) { m.unsent = "the message could not be rendered" })
		fail(watching, 20)
		round()
		flags := watching.Flags(t.Context())
		if len(flags) != 2 || flags[1].Says != "the router's own alerts do not get through it: the message could not be rendered" || len(m.woken) > 0 {
			t.Errorf("Flags() = %v, woken: %v", flags, m.woken)
		}
	})
}
