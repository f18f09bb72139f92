package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// The moments of the sound run: each second is one.
const (
	sentAt     = 1 * time.Second
	acceptedAt = 2 * time.Second
	arrivedAt  = 3 * time.Second
)

// soundRun is the evidence of a run in which all went well. Event 1 failed once and arrived then; event 2 died of its plan; event
// 3 is a newer version of the entry of event 1, with a reminder and a row; event 4 is forged; event 5 wanted by no rule.
func soundRun() *evidence {
	e := &evidence{began: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), variants: []variant{{Number: 1}}, rows: map[string]row{}}
	e.spent = totals{Count: 2, Total: "302", Groups: map[string]string{"c1": "102", "c2": "200"}, Daily: map[string]string{"2026-11-26": "302"}}
	e.lives = []*life{{Ready: time.Second / 10, First: sentAt}}
	e.final.Dead = 1

	first := e.sound(event{fate: fate{N: 1, Plan: planFail1, Amount: 100, Category: "c1", Told: true}, Name: "entry.created", Entry: "e-1", Matches: true})
	first.deliver(e, step{ruleBook, actionLedger}, 503, 200)
	first.deliver(e, step{ruleTell, actionChat}, 200)
	first.deliver(e, step{ruleTell, actionPost}, 200)

	second := e.sound(event{fate: fate{N: 2, Plan: planRefused, Amount: 200, Category: "c2"}, Name: "entry.created", Entry: "e-2", Matches: true})
	second.deliver(e, step{ruleBook, actionLedger}, 400)

	third := e.sound(event{
		fate: fate{N: 3, Plan: planOK, Amount: 102, Category: "c1", Kept: true, Due: e.began.Add(arrivedAt).Format(time.RFC3339Nano)},
		Name: "entry.updated", Entry: "e-1", Matches: true,
	})
	third.deliver(e, step{ruleBook, actionLedger}, 200)
	third.deliver(e, step{ruleRemind, actionReminders}, 200)
	third.Deliveries = append(third.Deliveries, delivery{step: step{ruleKeep, actionTable}, Key: "id-3-3", State: engine.Delivered, Attempts: 1})
	e.rows["e-1"] = row{3, third.Version}

	forged := &sent{event: event{fate: fate{N: 4, Plan: planOK}, Forged: true, Matches: true, Body: []byte("4")}}
	forged.Tries = []try{{At: sentAt, Done: acceptedAt, Outcome: outcomeFail, Status: 401}}
	e.sent = append(e.sent, forged)
	e.sound(event{fate: fate{N: 5, Plan: planOK}, Name: "entry.created", Entry: "e-5"})
	return e
}

// sound adds an event that was sent and stored.
func (e *evidence) sound(one event) *stored {
	one.Body = fmt.Appendf(nil, "text of %d", one.N)
	one.Version = e.began.Add(time.Duration(one.N))
	s := &sent{event: one, Tries: []try{{At: sentAt, Done: acceptedAt, Outcome: outcomeOK, Status: 200, ID: fmt.Sprintf("id-%d", one.N)}}}
	e.sent = append(e.sent, s)
	kept := &stored{ID: fmt.Sprintf("id-%d", one.N), Text: string(one.Body), Sent: s, Version: fmt.Sprintf("v%d", one.N)}
	e.stored = append(e.stored, kept)
	return kept
}

// deliver adds a delivery with its attempts, one a second, and their receipts.
func (s *stored) deliver(e *evidence, of step, answers ...int) {
	d := delivery{step: of, Key: fmt.Sprintf("%s-%d", s.ID, len(s.Deliveries)+1), State: engine.Delivered, Attempts: len(answers)}
	for i, status := range answers {
		at := arrivedAt + time.Duration(i)*time.Second
		e.receipts = append(e.receipts, receipt{
			At: at, Action: of.Action, Key: d.Key, N: s.Sent.N, Text: s.Sent.says(of.Action, 1), Status: status, Whole: true, Attempt: i + 1,
		})
		d.History = append(d.History, engine.Attempt{N: i + 1, At: e.began.Add(at), Took: time.Millisecond})
		if status == 400 {
			d.State, d.Reason = engine.Dead, "refused"
		}
	}
	s.Deliveries = append(s.Deliveries, d)
}

// again adds a repetition of the nth receipt, later.
func (e *evidence) again(n int, later time.Duration) {
	r := e.receipts[n]
	r.At += later
	e.receipts = append(e.receipts, r)
}

func TestASoundRunBreaksNothing(t *testing.T) {
	if found := soundRun().judge(); len(found) > 0 {
		t.Errorf("judge() of a sound run = %v, want nothing", found)
	}
}

// Each invariant of RELIABILITY section 4.2 trips at a history that it is there for, I1 to I13.
func TestInvariantsTrip(t *testing.T) {
	for name, c := range map[string]struct {
		trips  string
		damage func(e *evidence)
	}{
		"an accepted event is not stored":           {"I1", func(e *evidence) { e.stored = e.stored[1:] }},
		"an accepted event owes what never arrived": {"I1", func(e *evidence) { e.receipts = slices.Delete(e.receipts, 1, 2) }},
		"the yes was never written to its end":      {"I1", func(e *evidence) { e.receipts[1].Whole = false }},
		"a step died whose plan does not say so":    {"I1", func(e *evidence) { e.receipts[1].Status, e.stored[0].Deliveries[0].State = 503, engine.Dead }},
		"a message of no event":                     {"I2", func(e *evidence) { e.receipts[0].N = 99 }},
		"a message of a forged event":               {"I2", func(e *evidence) { e.receipts[0].N = 4 }},
		"a message of an event that no rule wants":  {"I2", func(e *evidence) { e.receipts[0].N = 5 }},
		"a message with another text":               {"I2", func(e *evidence) { e.receipts[2].Text += "!" }},
		"a message of rules that came later": {"I2", func(e *evidence) {
			e.variants = append(e.variants, variant{2, arrivedAt})
			e.receipts[4].Text = e.sent[1].says(actionLedger, 2)
		}},
		"a forged event is stored":            {"I2", func(e *evidence) { e.stored = append(e.stored, &stored{ID: "x", Text: "4", Sent: e.sent[3]}) }},
		"an event is stored that nobody sent": {"I2", func(e *evidence) { e.stored = append(e.stored, &stored{ID: "x", Text: "y"}) }},
		"a repeat without a crash":            {"I3", func(e *evidence) { e.again(1, time.Second) }},
		"two repeats and one crash": {"I3", func(e *evidence) {
			e.again(1, time.Second)
			e.again(1, 2*time.Second)
			e.kill(arrivedAt + 1500*time.Millisecond)
		}},
		"a repeat and a crash before the first yes": {"I3", func(e *evidence) { e.again(1, time.Second); e.kill(sentAt) }},
		"a repeat and an orderly end": {"I3", func(e *evidence) {
			e.again(1, time.Second)
			e.blows = append(e.blows, &blow{Kind: "SIGTERM", At: 0, Until: forEver})
		}},
		"a key that changes":               {"I4", func(e *evidence) { e.receipts[1].Key += "x" }},
		"a key that two steps share":       {"I4", func(e *evidence) { e.receipts[2].Key = e.receipts[0].Key }},
		"no key":                           {"I4", func(e *evidence) { e.receipts[2].Key = "" }},
		"a delivery that is never done":    {"I5", func(e *evidence) { e.stored[0].Deliveries[0].State = engine.Pending }},
		"a lease that is left":             {"I5", func(e *evidence) { e.stored[0].Deliveries[0].State = engine.Sending }},
		"dead, and the target said yes":    {"I5", func(e *evidence) { d := &e.stored[0].Deliveries[0]; d.State, d.Reason = engine.Dead, "why" }},
		"delivered, and no target said so": {"I5", func(e *evidence) { e.stored[1].Deliveries[0].State = engine.Delivered }},
		"dead without a reason":            {"I5", func(e *evidence) { e.stored[1].Deliveries[0].Reason = "" }},
		"cancelled, and follows nothing":   {"I5", func(e *evidence) { e.stored[0].Deliveries[0].State = engine.Cancelled }},
		"a step that is not owed":          {"I5", func(e *evidence) { e.stored[0].Deliveries = e.stored[0].Deliveries[1:] }},
		"more attempts than the plan has":  {"I6", func(e *evidence) { e.stored[0].Deliveries[0].Attempts = 7 }},
		"an attempt that was not made":     {"I6", func(e *evidence) { e.stored[0].Deliveries[0].Attempts = 3 }},
		"an attempt that was not made, and a pause at another time": {"I6", func(e *evidence) {
			e.oneMoreAttempt(20 * time.Second)
			e.blows = append(e.blows, &blow{Kind: kindPause, At: 30 * time.Second, Until: 31 * time.Second})
		}},
		"a send that is not recorded, and no crash": {"I6", func(e *evidence) { e.stored[0].Deliveries[0].Attempts = 1 }},
		"given up too soon":                         {"I6", func(e *evidence) { e.sent[1].Plan = planFailing }},
		"the same bytes are two events":             {"I7", func(e *evidence) { twin := *e.stored[0]; twin.ID = "other"; e.stored = append(e.stored, &twin) }},
		"the same bytes have two ids": {"I7", func(e *evidence) {
			e.sent[0].Tries = append(e.sent[0].Tries, try{At: 4, Done: forEver, Outcome: outcomeOK, ID: "other"})
		}},
		"the id of another event":    {"I7", func(e *evidence) { e.sent[0].Tries[0].ID = "id-2" }},
		"an attempt before its time": {"I8", func(e *evidence) { e.receipts[1].At = arrivedAt + 30*time.Millisecond }},
		"an attempt before its time, after one that came in time and timed out": {"I8", func(e *evidence) {
			e.stored[0].Deliveries[0].History[0].Status = timedOut
			e.receipts[1].At = arrivedAt + 30*time.Millisecond
		}},
		"two attempts after one that timed out": {"I8", func(e *evidence) {
			e.stored[0].Deliveries[0].History[0].Status = timedOut
			e.receipts[0].At, e.receipts[1].At = arrivedAt+10*time.Millisecond, arrivedAt+30*time.Millisecond
		}},
		"an attempt before the time that was asked": {"I8", func(e *evidence) { e.sent[0].Plan = planLimited; e.receipts[1].At = arrivedAt + 700*time.Millisecond }},
		"no row":                                      {"I9", func(e *evidence) { delete(e.rows, "e-1") }},
		"a row of an older version":                   {"I9", func(e *evidence) { e.rows["e-1"] = row{1, "v1"} }},
		"a row of a deleted entry":                    {"I9", func(e *evidence) { e.sent[2].Name = peanuts.EntryDeleted }},
		"a row of no entry":                           {"I9", func(e *evidence) { e.rows["e-9"] = row{9, "v9"} }},
		"a store whose books do not balance":          {"I10", func(e *evidence) { e.audits = []string{"it is not whole"} }},
		"a router that is late to be ready":           {"I11", func(e *evidence) { e.lives[0].Ready, e.lives[0].First = 6*time.Second, 7*time.Second }},
		"a router that is late to send":               {"I11", func(e *evidence) { e.lives[0].First = 6 * time.Second }},
		"a backlog that is not sent at all":           {"I11", func(e *evidence) { e.drained.Events = []int{1} }},
		"a backlog that is sent slowly":               {"I11", func(e *evidence) { e.drained = drained{[]int{3}, sentAt} }},
		"goroutines that are left":                    {"I11", func(e *evidence) { e.final.Goroutines = 501 }},
		"files that are left open":                    {"I11", func(e *evidence) { e.final.Files = 501 }},
		"metrics that tell of too few dead letters":   {"I12", func(e *evidence) { e.final.Dead = 0 }},
		"metrics that tell of work that is not there": {"I12", func(e *evidence) { e.final.Pending = 1 }},
		"a wrong total":                               {"I13", func(e *evidence) { e.spent.Total = "301" }},
		"a wrong count":                               {"I13", func(e *evidence) { e.spent.Count = 3 }},
		"a wrong group":                               {"I13", func(e *evidence) { e.spent.Groups["c2"] = "0" }},
		"a wrong day":                                 {"I13", func(e *evidence) { e.spent.Daily["2026-11-26"] = "0" }},
		"a reminder before its time":                  {"I13", func(e *evidence) { e.sent[2].Due = e.began.Add(time.Hour).Format(time.RFC3339Nano) }},
		"no reminder":                                 {"I13", func(e *evidence) { e.stored[2].Deliveries[1].State = engine.Cancelled }},
	} {
		e := soundRun()
		c.damage(e)
		found := e.judge()
		if !slices.ContainsFunc(found, func(b breach) bool { return b.Invariant == c.trips }) {
			t.Errorf("%s: judge() = %v, want a breach of %s", name, found, c.trips)
		}
	}
}

// oneMoreAttempt records an attempt at the first delivery of which no target knows.
func (e *evidence) oneMoreAttempt(at moment) {
	d := &e.stored[0].Deliveries[0]
	d.Attempts = 3
	d.History = append(d.History, engine.Attempt{N: 3, At: e.began.Add(at), Took: time.Millisecond})
}

func (e *evidence) kill(at moment) {
	e.blows = append(e.blows, &blow{Kind: "kill -9", At: at, Until: at, Kills: true})
}

// What a crash excuses is no breach: a harness that cries wolf is switched off.
func TestACrashExcusesWhatItBringsAbout(t *testing.T) {
	for name, change := range map[string]func(e *evidence){
		"a repeat over a kill": func(e *evidence) { e.again(1, 2*time.Second); e.kill(arrivedAt + 2*time.Second) },
		"a repeat over a pause": func(e *evidence) {
			e.again(1, 2*time.Second)
			e.blows = append(e.blows, &blow{Kind: kindPause, At: arrivedAt, Until: forEver})
		},
		"an attempt that a pause has ended": func(e *evidence) {
			e.oneMoreAttempt(20 * time.Second)
			e.blows = append(e.blows, &blow{Kind: kindPause, At: 20 * time.Second, Until: 21 * time.Second})
		},
		"a first send after a pause": func(e *evidence) {
			e.lives[0].First = time.Minute
			e.blows = append(e.blows, &blow{Kind: kindPause, At: 30 * time.Second, Until: 40 * time.Second})
		},
		"an attempt that arrives after its time was up": func(e *evidence) {
			e.stored[0].Deliveries[0].History[0].Status = timedOut
			e.receipts[0].At = arrivedAt + 10*time.Millisecond
		},
		"a repeat after a lease that ran out": func(e *evidence) { e.lease = time.Second; e.again(1, 2*time.Second) },
		"given up after three crashes": func(e *evidence) {
			d := &e.stored[0].Deliveries[0]
			d.State, d.Reason, e.final.Dead = engine.Dead, "took the router down: and so on", 2
		},
		"an event in doubt that is not stored": func(e *evidence) {
			e.sent = append(e.sent, &sent{event: event{fate: fate{N: 6}}, Tries: []try{{Outcome: outcomeInfo}}})
		},
		"rules that were replaced just before": func(e *evidence) { e.variants = []variant{{Number: 1}, {Number: 2, At: sentAt - time.Second}} },
	} {
		e := soundRun()
		change(e)
		if found := e.judge(); len(found) > 0 {
			t.Errorf("%s: judge() = %v, want nothing", name, found)
		}
	}
}
