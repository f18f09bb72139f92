package main

import (
	"slices"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// storm adds bad weather upon the answer that one connection carries.
func (e *evidence) storm(w way, link string, at moment) *disturbance {
	d := &disturbance{Way: w, Link: link, Kind: cut, At: at, Until: at}
	e.weather = append(e.weather, d)
	return d
}

// worn makes the first delivery one that died of its plan, whose attempts were disturbed from the nth on.
func worn(e *evidence, from int) {
	d := &e.stored[0].Deliveries[0]
	d.State, d.Reason, d.Attempts, d.History = engine.Dead, "gave up after 6 attempts: EOF", 6, nil
	e.final.Dead++
	for i := range 6 {
		at := arrivedAt + time.Duration(i)*5*time.Second
		d.History = append(d.History, engine.Attempt{N: i + 1, At: e.began.Add(at), Took: time.Millisecond})
		if i+1 >= from {
			e.storm(wayHTTP, "another", at)
		}
	}
	e.receipts[1].Status = 503
}

// What bad weather brings about is no breach.
func TestTheWeatherExcusesWhatItBringsAbout(t *testing.T) {
	for name, change := range map[string]func(e *evidence){
		"a repeat of what was answered into it": func(e *evidence) {
			e.receipts[1].From = "link"
			e.again(1, 2*time.Second)
			e.receipts[len(e.receipts)-1].From = "another"
			e.storm(wayHTTP, "link", e.receipts[1].At+time.Millisecond)
		},
		"a repeat by mail, of which the connection is not known": func(e *evidence) {
			e.again(3, 2*time.Second)
			e.storm(wayMail, "link", e.receipts[3].At+time.Millisecond)
		},
		"a message that is held up, and comes after its repeat": func(e *evidence) {
			e.again(1, 2*time.Second)
			late := &e.receipts[len(e.receipts)-1]
			late.From = "link"
			*e.storm(wayHTTP, "link", late.At-time.Second) = disturbance{Way: wayHTTP, Link: "link", Requests: true, At: late.At - time.Second, Until: late.At}
		},
		"an attempt that did not arrive": func(e *evidence) {
			e.oneMoreAttempt(20 * time.Second)
			e.storm(wayHTTP, "link", 20*time.Second)
		},
		"all attempts but the one that its plan has fail": func(e *evidence) { worn(e, 2) },
		"a yes that was not heard before it was given up": func(e *evidence) {
			worn(e, 2)
			e.receipts[1].Status, e.receipts[1].From = 200, "another"
			e.weather[0].At = e.receipts[1].At
		},
		"a target that asks to wait is not heard": func(e *evidence) {
			e.sent[0].Plan, e.receipts[1].At = planLimited, arrivedAt+700*time.Millisecond
			e.stored[0].Deliveries[0].step, e.receipts[0].Action, e.receipts[1].Action = step{ruleBookLimited, actionLimited}, actionLimited, actionLimited
			for i := range 2 {
				e.receipts[i].Text = e.sent[0].says(actionLimited, 1)
			}
			e.storm(wayHTTP, "link", arrivedAt)
		},
		"a first send after it": func(e *evidence) {
			e.lives[0].First = time.Minute
			e.blows = append(e.blows, &blow{Kind: kindStorm + cut, At: 30 * time.Second, Until: 40 * time.Second})
		},
		"a first send after the disk was full": func(e *evidence) {
			e.lives[0].First = time.Minute
			e.blows = append(e.blows, &blow{Kind: kindFull, At: 30 * time.Second, Until: 40 * time.Second})
		},
		"a reminder by a clock that was ahead": func(e *evidence) {
			e.sent[2].Due = e.began.Add(time.Hour).Format(time.RFC3339Nano)
			e.blows = append(e.blows, &blow{Kind: kindClock, By: day, At: sentAt, Until: arrivedAt + time.Second})
		},
	} {
		e := soundRun()
		change(e)
		if found := e.judge(); len(found) > 0 {
			t.Errorf("%s: judge() = %v, want nothing", name, found)
		}
	}
}

// What it cannot have brought about still is one, I1 to I13.
func TestTheWeatherExcusesNothingElse(t *testing.T) {
	for name, c := range map[string]struct {
		trips  string
		damage func(e *evidence)
	}{
		"a repeat, and another connection met it": {"I3", func(e *evidence) {
			e.receipts[1].From = "link"
			e.again(1, 2*time.Second)
			e.storm(wayHTTP, "another", e.receipts[1].At+time.Millisecond)
		}},
		"a repeat, and the connection met it under another message": {"I3", func(e *evidence) {
			e.receipts[1].From = "link"
			e.again(1, 2*time.Second)
			newer := e.receipts[4]
			newer.At, newer.From = e.receipts[1].At+time.Second, "link"
			e.receipts = append(e.receipts, newer)
			e.storm(wayHTTP, "link", newer.At+time.Millisecond)
		}},
		"two repeats, and one was not heard": {"I3", func(e *evidence) {
			e.receipts[1].From = "link"
			e.again(1, 2*time.Second)
			e.again(1, 3*time.Second)
			for i := range 2 {
				e.receipts[len(e.receipts)-1-i].From = "another"
			}
			e.storm(wayHTTP, "link", e.receipts[1].At+time.Millisecond)
		}},
		"a repeat, and the last yes met it": {"I3", func(e *evidence) {
			e.receipts[1].From = "link"
			e.again(1, 2*time.Second)
			last := &e.receipts[len(e.receipts)-1]
			last.From = "another"
			e.storm(wayHTTP, "another", last.At+time.Millisecond)
		}},
		"a repeat, and the disk was full": {"I3", func(e *evidence) {
			e.again(1, time.Second)
			e.blows = append(e.blows, &blow{Kind: kindFull, At: 0, Until: forEver})
		}},
		"a repeat, and the clock jumped": {"I3", func(e *evidence) {
			e.again(1, time.Second)
			e.blows = append(e.blows, &blow{Kind: kindClock, By: day, At: 0, Until: forEver})
		}},
		"given up, and one attempt too few met it": {"I1", func(e *evidence) { worn(e, 3) }},
		"given up, and a yes was heard":            {"I5", func(e *evidence) { worn(e, 2); e.receipts[1].Status = 200 }},
		"an attempt that did not arrive, at another time": {"I6", func(e *evidence) {
			e.oneMoreAttempt(20 * time.Second)
			e.storm(wayHTTP, "link", 30*time.Second)
		}},
		"an attempt before its time, told by a clock that is ahead": {"I8", func(e *evidence) {
			e.receipts[1].At = arrivedAt + 30*time.Millisecond
			for i := range e.stored[0].Deliveries[0].History {
				a := &e.stored[0].Deliveries[0].History[i]
				a.At = a.At.Add(day)
			}
			e.blows = append(e.blows, &blow{Kind: kindClock, By: day, At: 0, Until: time.Minute})
		}},
		"a reminder before its time by the clock that was ahead, too": {"I13", func(e *evidence) {
			e.sent[2].Due = e.began.Add(2 * day).Format(time.RFC3339Nano)
			e.blows = append(e.blows, &blow{Kind: kindClock, By: day, At: sentAt, Until: arrivedAt + time.Second})
		}},
		"a reminder after the clock was ahead": {"I13", func(e *evidence) {
			e.sent[2].Due = e.began.Add(time.Hour).Format(time.RFC3339Nano)
			e.blows = append(e.blows, &blow{Kind: kindClock, By: day, At: 0, Until: sentAt})
		}},
	} {
		e := soundRun()
		c.damage(e)
		found := e.judge()
		if !slices.ContainsFunc(found, func(b breach) bool { return b.Invariant == c.trips }) {
			t.Errorf("%s: judge() = %v, want a breach of %s", name, found, c.trips)
		}
	}
}
