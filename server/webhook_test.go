package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

func TestBothPathsStoreTheBytesAsReceivedAndAnswerAlike(t *testing.T) { // R1, R8, R96
	d := openDoor(t)
	for i, path := range []string{"/webhook", "/api/peanuts"} {
		body := strings.Replace(flight, "101", path[1:4], 1)
		got := d.post(t, path, []byte(body))
		stored := d.store.stored()
		if len(stored) != i+1 {
			t.Fatalf("POST %s: %d %s; %d events stored, want %d", path, got.status, got.text, len(stored), i+1)
		}
		want := `{"processed":true,"id":"` + string(stored[i].ID) + `","duplicate":false}` + "\n"
		if got.status != http.StatusOK || got.text != want || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("POST %s: %d %s %q, want 200 application/json %q", path, got.status, got.header.Get("Content-Type"), got.text, want)
		}
		if raw := string(stored[i].Event.Raw); raw != body {
			t.Errorf("POST %s stored %q, want %q", path, raw, body)
		}
	}
	if got := d.received(t, accepted); got != 2 {
		t.Errorf("events received with outcome accepted: %v, want 2", got)
	}
}

func TestUnknownEventsAreTakenLikeOthers(t *testing.T) { // C5, R6
	d := openDoor(t)
	if got := d.post(t, "/webhook", []byte(`{"event":"habit.skipped"}`)); got.status != http.StatusOK || len(d.store.stored()) != 1 {
		t.Errorf("POST of an unknown event: %d %s, %d stored, want 200 and 1", got.status, got.text, len(d.store.stored()))
	}
}

func TestNothingIsAnsweredBeforeTheStoreHasCommitted(t *testing.T) { // C1, R11
	committing, release := make(chan struct{}), make(chan struct{})
	d := openDoor(t)
	d.store.before = func(ctx context.Context) { close(committing); <-release }
	answered := make(chan answer, 1)
	go func() { answered <- d.post(t, "/webhook", []byte(flight)) }()
	<-committing
	// A whole exchange in the meantime gives an answer that comes too early time to be seen.
	get(t, d.client, d.url("/healthz"))
	select {
	case got := <-answered:
		t.Errorf("answered %d %s while the store was committing", got.status, got.text)
		close(release)
	default:
		close(release)
		if got := <-answered; got.status != http.StatusOK {
			t.Errorf("after the commit: %d %s, want 200", got.status, got.text)
		}
	}
}

func TestFiftyEqualBodiesAtOnceAreOneEvent(t *testing.T) { // C9, F45
	d := openDoor(t)
	var wg sync.WaitGroup
	answers := make([]answer, 50)
	for i := range answers {
		wg.Go(func() { answers[i] = d.post(t, "/webhook", []byte(flight)) })
	}
	wg.Wait()
	stored := d.store.stored()
	if len(stored) != 1 {
		t.Fatalf("50 equal bodies: %d events stored, want 1", len(stored))
	}
	id := string(stored[0].ID)
	first := `{"processed":true,"id":"` + id + `","duplicate":false}` + "\n"
	again := strings.Replace(first, "false", "true", 1)
	texts := map[string]int{}
	for _, a := range answers {
		texts[a.text]++
	}
	if diff := cmp.Diff(map[string]int{first: 1, again: 49}, texts); diff != "" {
		t.Errorf("answers to 50 equal bodies (-want +got):\n%s", diff)
	}
	if got := d.received(t, duplicate); got != 49 {
		t.Errorf("events received with outcome duplicate: %v, want 49", got)
	}
}

func TestAStoreThatIsDownIsA503UntilItIsBack(t *testing.T) { // C17, R12
	d := openDoor(t)
	d.store.fail(errDisk)
	got := d.post(t, "/webhook", []byte(flight))
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "5" {
		t.Errorf("POST with the store down: %d, Retry-After %q, want 503 and 5", got.status, got.header.Get("Retry-After"))
	}
	if p := got.problem(t); p.Error != "unavailable" || strings.Contains(got.text, "disk") {
		t.Errorf("problem with the store down: %s, want error unavailable and no cause", got.text)
	}
	if len(d.log.lines(t, "event not stored")) != 1 {
		t.Errorf("log with the store down: %s, want one line of the cause", d.log)
	}
	d.store.fail(nil)
	if got := d.post(t, "/webhook", []byte(flight)); got.status != http.StatusOK || len(d.store.stored()) != 1 {
		t.Errorf("POST with the store back: %d %s, want 200", got.status, got.text)
	}
}

// Whoever reads the log learns how many events an outage has kept out, and that it is over; none of it is told with the next one.
func TestTheLogTellsAnOutageFromTheNext(t *testing.T) { // C17
	now := time.Now()
	d := openDoor(t, func(c *Config) { c.Clock = func() time.Time { return now } })
	outage := func() {
		t.Helper()
		d.store.fail(errDisk)
		for range 3 {
			d.post(t, "/webhook", []byte(flight))
		}
		d.store.fail(nil)
		d.post(t, "/webhook", []byte(flight)) // so soon the next one may be refused again
		now = now.Add(time.Second)
		d.post(t, "/webhook", []byte(flight))
		d.post(t, "/webhook", []byte(flight))
	}
	outage()
	outage()
	for _, line := range d.log.lines(t, "event not stored") {
		if line["count"] != 1.0 {
			t.Errorf("an outage begins with %v, want one event", line)
		}
	}
	over := d.log.lines(t, "events are stored again")
	if len(over) != 2 || over[0]["refused"] != 3.0 || over[1]["refused"] != 3.0 {
		t.Errorf("after two outages of three events the log has %v, want each of them once", over)
	}
}

func TestAStoreThatHangsIsGivenUpInTime(t *testing.T) { // C17, C20
	d := openDoor(t, func(c *Config) { c.limits = contractLimits(); c.limits.commit = 10 * time.Millisecond })
	d.store.before = func(ctx context.Context) { <-ctx.Done() }
	if got := d.post(t, "/webhook", []byte(flight)); got.status != http.StatusServiceUnavailable {
		t.Errorf("POST with a hanging store: %d %s, want 503", got.status, got.text)
	}
}

func TestHangingUpDoesNotStopACommit(t *testing.T) { // C1: what is stored is never in doubt for the router itself
	d := openDoor(t)
	committing, outcome := make(chan struct{}), make(chan error, 1)
	gone := make(chan struct{})
	d.store.before = func(ctx context.Context) {
		close(committing)
		<-gone
		outcome <- ctx.Err()
	}
	conn := dial(t, d.Addr())
	if _, err := conn.Write([]byte(rawPost(signed(flight), flight))); err != nil {
		t.Fatalf("sending: %v", err)
	}
	<-committing
	conn.Close()
	get(t, d.client, d.url("/healthz"))
	close(gone)
	if err := <-outcome; err != nil {
		t.Errorf("context of a commit whose sender hung up: %v, want it alive", err)
	}
	eventually(t, "the event is stored", func() bool { return len(d.store.stored()) == 1 })
}

func TestMoreThanMayCommitAtOnceIsSentAway(t *testing.T) { // C17, R12
	committing, release := make(chan struct{}), make(chan struct{})
	d := openDoor(t, func(c *Config) { c.Committing = 1 })
	d.store.before = func(context.Context) { committing <- struct{}{}; <-release }
	first := make(chan answer, 1)
	go func() { first <- d.post(t, "/webhook", []byte(flight)) }()
	<-committing
	got := d.post(t, "/webhook", []byte(`{"event":"second"}`))
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "1" {
		t.Errorf("POST beyond what may commit: %d, Retry-After %q, want 503 and 1", got.status, got.header.Get("Retry-After"))
	}
	close(release)
	if got := <-first; got.status != http.StatusOK {
		t.Errorf("POST that was committing: %d %s, want 200", got.status, got.text)
	}
	go func() { <-committing }()
	if got := d.post(t, "/webhook", []byte(`{"event":"third"}`)); got.status != http.StatusOK {
		t.Errorf("POST with room again: %d %s, want 200", got.status, got.text)
	}
}

func TestAPanicIsA500AndTheProcessLives(t *testing.T) { // C8
	d := openDoor(t, func(c *Config) {
		c.Judge = judgeFunc(func(e *peanuts.Event, _ time.Time) engine.Judgement {
			if e.Event == "bad" {
				panic("judging " + string(e.Raw))
			}
			return engine.Judgement{}
		})
	})
	if got := d.post(t, "/webhook", []byte(`{"event":"bad","note":"payload-text"}`)); got.status != http.StatusInternalServerError {
		t.Errorf("POST that makes the judge panic: %d %s, want 500", got.status, got.text)
	}
	if lines := d.log.lines(t, "request met a fault of the router"); len(lines) != 1 || strings.Contains(d.log.String(), "payload-text") {
		t.Errorf("log of a panic: %s, want one line without the payload", d.log)
	}
	if got := d.post(t, "/webhook", []byte(flight)); got.status != http.StatusOK {
		t.Errorf("POST after a panic: %d %s, want 200", got.status, got.text)
	}
	if got := d.received(t, failed); got != 1 {
		t.Errorf("events received with outcome failed: %v, want 1", got)
	}
}

func TestEachEventIsOneLineOfLogWithoutItsPayload(t *testing.T) { // R102
	d := openDoor(t, func(c *Config) {
		c.Judge = judgeFunc(func(*peanuts.Event, time.Time) engine.Judgement {
			return engine.Judgement{
				Fired:      []engine.RuleName{"high"},
				Errors:     []engine.RuleError{{Rule: "broken", Message: "nil + 1"}},
				Mismatches: []engine.Mismatch{{Rule: "high", Value: "payload-text"}, {Rule: "high"}},
				Owed:       []engine.Owed{{Rule: "high", Action: "slack"}, {Rule: "high", Action: "ledger", Dead: "the message could not be rendered"}},
			}
		})
	})
	d.post(t, "/webhook", []byte(flight))
	d.post(t, "/webhook", []byte(flight))
	id := string(d.store.stored()[0].ID)
	got := d.log.lines(t, "event")
	for _, line := range got {
		if took, err := time.ParseDuration(fmt.Sprint(line["took"])); err != nil || took < 0 {
			t.Errorf("line %v has no took that can be read", line)
		}
		delete(line, "took")
		delete(line, "time")
	}
	want := []map[string]any{
		{"level": "INFO", "msg": "event", "id": id, "event": "entry.created", "helper": "/expenses", "entry": "entry-101",
			"fired": []any{"high"}, "suppressed": 0.0, "deliveries": 2.0, "rule_errors": 1.0, "mismatches": 2.0},
		{"level": "INFO", "msg": "event", "id": id, "event": "entry.created", "helper": "/expenses", "entry": "entry-101", "duplicate": true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines of an event and its duplicate (-want +got):\n%s", diff)
	}
	dead := d.log.lines(t, "dead letter")
	if len(dead) != 1 || dead[0]["level"] != "ERROR" || dead[0]["delivery"] != id+"-2" || dead[0]["reason"] != "the message could not be rendered" {
		t.Errorf("dead letters in the log: %v, want one error line of %s-2 with its reason", dead, id)
	}
	if strings.Contains(d.log.String(), "payload-text") {
		t.Errorf("the log holds payload: %s", d.log)
	}
	for name, want := range map[string]float64{"fired": 1, "mismatches": 2} {
		if got := d.counted(t, "peanuts_router_rule_"+name+"_total", "high"); got != want {
			t.Errorf("rule high: %s = %v, want %v (a duplicate counts nothing)", name, got, want)
		}
	}
	if got := d.counted(t, "peanuts_router_rule_errors_total", "broken"); got != 1 {
		t.Errorf("rule broken: errors = %v, want 1", got)
	}
}

func TestLongAndHostileValuesAreCutAndStayOneLine(t *testing.T) { // C19
	d := openDoor(t)
	d.post(t, "/webhook", []byte(`{"event":"x\nlevel=ERROR msg=forged","helper":{"command":"`+strings.Repeat("é", 5000)+`"}}`))
	lines := strings.Split(strings.TrimSpace(d.log.String()), "\n")
	if len(lines) != 1 || len(lines[0]) > 1000 {
		t.Errorf("log of hostile values: %d lines, the first of %d bytes, want one of at most 1000", len(lines), len(lines[0]))
	}
	if got := d.log.lines(t, "event")[0]["event"]; got != "x\nlevel=ERROR msg=forged" {
		t.Errorf("event in the log: %q, want it whole", got)
	}
}
