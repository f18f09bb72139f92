package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rehearsal"
)

// briefEvent is the event that a difference is about.
type briefEvent struct {
	ID     engine.EventID `json:"id"`
	At     time.Time      `json:"received_at"`
	Name   string         `json:"event"`
	Helper string         `json:"helper"`
	Entry  string         `json:"entry_id"`
}

// side is what one of the two made of an event.
type side struct {
	fired, failed []engine.RuleName
	owed          []*rehearsal.Delivery // whose states change until all is told
}

func sideOf(o rehearsal.Outcome) side {
	s := side{fired: o.Judgement.Fired, owed: o.Owed}
	for _, e := range o.Judgement.Errors {
		s.failed = append(s.failed, e.Rule)
	}
	return s
}

// recordedSide is what was recorded of an event when it came.
func recordedSide(record *engine.EventRecord) side {
	s := side{fired: record.Fired}
	for _, e := range record.Errors {
		s.failed = append(s.failed, e.Rule)
	}
	for _, d := range deliveriesOfReplay(record.Deliveries, 0) {
		s.owed = append(s.owed, &rehearsal.Delivery{
			Owed: engine.Owed{Rule: d.Rule, Action: d.Action, Kind: d.Kind, Message: d.Message, At: d.At}, State: d.State,
		})
	}
	return s
}

// sent are the deliveries that nobody took back: those that went out, died, or still wait.
func (s side) sent() []*rehearsal.Delivery {
	return slices.DeleteFunc(slices.Clone(s.owed), func(d *rehearsal.Delivery) bool {
		return d.State == engine.Cancelled || d.State == engine.Shadow
	})
}

// waits tells whether something may still be taken back.
func (s side) waits() bool {
	return slices.ContainsFunc(s.owed, func(d *rehearsal.Delivery) bool { return d.State == engine.Pending })
}

// comparison is one event with what both made of it.
type comparison struct {
	event      briefEvent
	fresh, old side
}

// difference is a delivery that the two do not share.
type difference struct {
	Change string            `json:"change"` // gained, lost or changed
	Event  briefEvent        `json:"event"`
	Rule   engine.RuleName   `json:"rule"`
	Action engine.ActionName `json:"action"`
	Kind   engine.Kind       `json:"kind"`
	Was    json.RawMessage   `json:"was"`    // null when it is gained
	WasAt  *time.Time        `json:"was_at"` // of a reminder; null when it is not known
	Is     json.RawMessage   `json:"is"`     // null when it is lost
	At     *time.Time        `json:"at"`     // of a reminder
}

const (
	gained  = "gained"
	lost    = "lost"
	changed = "changed"
)

// ruleCount is how a rule fares.
type ruleCount struct {
	Rule    engine.RuleName `json:"rule"`
	Fired   int             `json:"fired"`
	Before  int             `json:"before"` // how often it fired by what is compared with
	Gained  int             `json:"gained"`
	Lost    int             `json:"lost"`
	Changed int             `json:"changed"`
	Failed  int             `json:"failed"`
}

// comparer compares events as soon as nothing of them can be taken back any more, and keeps counts and the first
// differences: what it holds does not grow with the events.
type comparer struct {
	show        int
	events      int
	from, to    time.Time
	undecided   []comparison
	rules       map[engine.RuleName]*ruleCount
	order       []engine.RuleName
	differences []difference
	more        int
}

func newComparer(show int) *comparer {
	return &comparer{show: show, rules: map[engine.RuleName]*ruleCount{}}
}

func (c *comparer) add(one comparison) {
	if c.events == 0 {
		c.from = one.event.At
	}
	c.events++
	c.to = one.event.At
	if !one.fresh.waits() && !one.old.waits() {
		c.compare(one)
		return
	}
	c.undecided = append(c.undecided, one)
	if n := len(c.undecided); n >= 1024 && n&(n-1) == 0 { // at each doubling
		c.decide(false)
	}
}

// decide compares what waited for a reminder that is sent or cancelled by now; at the end, all.
func (c *comparer) decide(all bool) {
	c.undecided = slices.DeleteFunc(c.undecided, func(one comparison) bool {
		if !all && (one.fresh.waits() || one.old.waits()) {
			return false
		}
		c.compare(one)
		return true
	})
}

func (c *comparer) finish() {
	c.decide(true)
	slices.SortStableFunc(c.differences, func(a, b difference) int { return a.Event.At.Compare(b.Event.At) })
}

func (c *comparer) count(rule engine.RuleName) *ruleCount {
	count := c.rules[rule]
	if count == nil {
		count = &ruleCount{Rule: rule}
		c.rules[rule], c.order = count, append(c.order, rule)
	}
	return count
}

func (c *comparer) compare(one comparison) {
	for _, rule := range one.fresh.fired {
		c.count(rule).Fired++
	}
	for _, rule := range one.old.fired {
		c.count(rule).Before++
	}
	for _, rule := range one.fresh.failed {
		c.count(rule).Failed++
	}
	left := one.old.sent()
	for _, d := range one.fresh.sent() {
		at := slices.IndexFunc(left, func(o *rehearsal.Delivery) bool { return o.Rule == d.Rule && o.Action == d.Action && o.Kind == d.Kind })
		if at < 0 {
			c.differ(one.event, gained, nil, d)
			continue
		}
		if !sameMessage(left[at], d) {
			c.differ(one.event, changed, left[at], d)
		}
		left = slices.Delete(left, at, at+1)
	}
	for _, o := range left {
		c.differ(one.event, lost, o, nil)
	}
}

// sameMessage tells whether two deliveries say the same at the same time, which a store keeps in milliseconds.
func sameMessage(a, b *rehearsal.Delivery) bool {
	return a.At.Truncate(time.Millisecond).Equal(b.At.Truncate(time.Millisecond)) && bytes.Equal(lasting(a), lasting(b))
}

// lasting is a message without the values that differ each time, such as when a row was written.
func lasting(d *rehearsal.Delivery) []byte {
	if d.Kind != engine.KindSQL {
		return d.Message
	}
	var m engine.SQLMessage
	if json.Unmarshal(d.Message, &m) != nil {
		return d.Message
	}
	for i := range m.Columns {
		if m.Columns[i].Volatile {
			m.Columns[i].Value = nil
		}
	}
	text, err := json.Marshal(m)
	if err != nil {
		return d.Message
	}
	return text
}

func (c *comparer) differ(event briefEvent, change string, old, fresh *rehearsal.Delivery) {
	d := difference{Change: change, Event: event}
	either := fresh
	if fresh == nil {
		either = old
	}
	d.Rule, d.Action, d.Kind = either.Rule, either.Action, either.Kind
	if old != nil {
		d.Was, d.WasAt = old.Message, timeOrNil(old.At)
	}
	if fresh != nil {
		d.Is, d.At = fresh.Message, timeOrNil(fresh.At)
	}
	count := c.count(d.Rule)
	switch change {
	case gained:
		count.Gained++
	case lost:
		count.Lost++
	case changed:
		count.Changed++
	}
	if len(c.differences) >= c.show {
		c.more++
		return
	}
	c.differences = append(c.differences, d)
}

func timeOrNil(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
