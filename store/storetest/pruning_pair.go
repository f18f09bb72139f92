package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// aging are rules with one of everything that may outlive the event it came from.
const aging = `
version: 1
timezone: Europe/Berlin
actions:
  table: {sql: {database: "sqlite:tasks.db", table: tasks, key: id, version: version}}
  mail: {http: {url: "http://127.0.0.1:9/"}}
rules:
  - name: sync
    when: not entry.data.done
    then: [{action: table, upsert: {id: "{{ entry.id }}"}}]
  - name: remind
    when: not entry.data.done
    then: [{action: mail, at: entry.data.due, body: "due"}]
  - name: moved
    when: changed("due")
    then: [{action: mail, body: "from {{ old.due }} to {{ entry.data.due }}"}]
  - name: tell
    when: entry.data.key != nil
    once_per: entry.data.key
    then: [{action: mail, body: "{{ entry.data.key }}"}, {action: mail, at: entry.data.due, body: "again"}]
  - name: trial
    shadow: true
    when: "true"
    then: [{action: mail, body: "trial"}]
stats:
  costs: {when: not entry.data.done, value: entry.data.cost, group_by: entry.data.key}
`

// prunesUnnoticed tells two stores the same and prunes one of them every now and then.
func (s suite) prunesUnnoticed(t *testing.T) {
	rules := loadRules(t, aging)
	rapid.Check(t, func(r *rapid.T) {
		p := &pair{test: t, rules: rules, whole: s.open(t), pruned: s.open(t), now: noon(), newest: map[string]*arrived{}}
		defer p.close(r)
		for _, db := range p.both() {
			if err := db.DefineStats(t.Context(), rules.Stats(), false); err != nil {
				r.Fatal(err)
			}
			rebuild(t, db, rules)
		}
		r.Repeat(map[string]func(*rapid.T){
			"tell": p.tell, "courier": p.courier, "replay": p.replay, "discard": p.discard, "prune": p.prune, "rebuild": p.rebuild, "": p.agree,
		})
	})
}

// pair is a store that keeps all and one that is pruned.
type pair struct {
	test          *testing.T
	rules         *engine.Rules
	whole, pruned Store
	now           time.Time
	events        []*arrived
	newest        map[string]*arrived // of each entry
}

// arrived is an event that both have been told.
type arrived struct {
	id      engine.EventID
	at      time.Time
	version string
	gone    bool
}

func (p *pair) both() []Store { return []Store{p.whole, p.pruned} }

func (p *pair) tell(r *rapid.T) {
	p.now = p.now.Add(time.Duration(rapid.IntRange(0, 2).Draw(r, "s")) * time.Second)
	due := rapid.SampledFrom([]string{`null`, `"2050-11-25"`, `"2050-11-26"`}).Draw(r, "due")
	key := rapid.SampledFrom([]string{`null`, `"x"`, `1`}).Draw(r, "key")
	v := version{
		rapid.SampledFrom([]string{peanuts.EntryCreated, peanuts.EntryUpdated, peanuts.EntryDeleted, "entry.archived"}).Draw(r, "event"),
		rapid.IntRange(1, 59).Draw(r, "minute"),
		fmt.Sprintf(`{"n":%d,"due":%s,"key":%s,"done":%t,"cost":%d}`, len(p.events), due, key, rapid.Bool().Draw(r, "done"), len(p.events)),
	}
	entry := rapid.SampledFrom([]string{"e", "f"}).Draw(r, "entry")
	e := v.as(p.test, entry, "u")
	one := &arrived{id: newID(p.test), at: p.now, version: e.Version(p.now)}
	p.events = append(p.events, one)
	if newest := p.newest[entry]; one.version != "" && (newest == nil || newest.version < one.version) {
		p.newest[entry] = one
	}
	var records [2]engine.EventRecord
	for i, db := range p.both() {
		_, err := db.Accept(p.test.Context(), &engine.Acceptance{
			ID: one.id, ReceivedAt: p.now, Event: e, LeaseUntil: p.now.Add(time.Minute),
			Judge: func(known engine.Known) engine.Judgement { return p.rules.Judge(e, p.now, known) },
		})
		if err == nil {
			records[i], err = db.Event(p.test.Context(), one.id)
		}
		if err != nil {
			r.Fatalf("Accept(%s) = %v", e.Raw, err)
		}
	}
	if diff := cmp.Diff(records[0], records[1]); diff != "" {
		r.Fatalf("the same event (-in the whole store +in the pruned one):\n%s", diff)
	}
}

func (p *pair) courier(r *rapid.T) {
	action := rapid.SampledFrom([]engine.ActionName{"mail", "table"}).Draw(r, "action")
	far := time.Now().AddDate(100, 0, 0)
	leases, same := leaseAll(p.test, p.whole, action, far), leaseAll(p.test, p.pruned, action, far)
	if len(leases) != len(same) {
		r.Fatalf("Lease() gives %d of the whole store and %d of the pruned one", len(leases), len(same))
	}
	for i, lease := range leases {
		if lease.ID != same[i].ID {
			r.Fatalf("Lease() gives %s of the whole store and %s of the pruned one", lease.ID, same[i].ID)
		}
		state := rapid.SampledFrom([]engine.State{engine.Delivered, engine.Delivered, engine.Pending, engine.Dead}).Draw(r, "came to")
		if a, b := finish(p.test, p.whole, lease, state, noon()), finish(p.test, p.pruned, same[i], state, noon()); a != b {
			r.Fatalf("Settle() = %+v in the whole store and %+v in the pruned one", a, b)
		}
	}
}

func (p *pair) replay(r *rapid.T) {
	for _, db := range p.both() {
		if _, err := db.ReplayDead(p.test.Context(), store.Filter{}); err != nil {
			r.Fatal(err)
		}
	}
}

func (p *pair) discard(r *rapid.T) {
	dead := allDeliveries(p.test, p.whole, filter(engine.Dead, "", "", ""), 100)
	if len(dead) == 0 {
		r.Skip("nothing is dead")
	}
	for _, db := range p.both() {
		if err := db.Discard(p.test.Context(), dead[0].ID); err != nil {
			r.Fatal(err)
		}
	}
}

// prune removes all that may go, and nothing else does.
func (p *pair) prune(r *rapid.T) {
	before := noon().Add(time.Duration(rapid.IntRange(0, 20).Draw(r, "before")) * time.Second)
	want := 0
	for i, one := range p.events {
		if !one.gone && i < len(p.events)-1 && one.at.Before(before) && !p.needed(r, one) {
			one.gone = true
			want++
		}
	}
	if n, err := p.pruned.Prune(p.test.Context(), before); err != nil || n != want {
		r.Fatalf("Prune() = %d, %v; want %d", n, err, want)
	}
	for _, one := range p.events {
		if _, err := p.pruned.Event(p.test.Context(), one.id); errors.Is(err, store.ErrNotFound) != one.gone {
			r.Fatalf("Event() = %v; want it gone: %t", err, one.gone)
		}
	}
}

// needed tells whether anything may still stand on an event.
func (p *pair) needed(r *rapid.T, one *arrived) bool {
	record, err := p.whole.Event(p.test.Context(), one.id)
	if err != nil {
		r.Fatal(err)
	}
	for _, d := range record.Deliveries {
		switch d.State {
		case engine.Pending, engine.Sending, engine.Dead:
			return true
		case engine.Delivered:
			if !d.At.IsZero() && one.version != "" {
				return true
			}
		}
	}
	return p.newest[record.EntryID] == one
}

// rebuild makes the stats of the pruned store anew.
func (p *pair) rebuild(r *rapid.T) {
	if err := p.pruned.DefineStats(p.test.Context(), p.rules.Stats(), true); err != nil {
		r.Fatal(err)
	}
	rebuild(p.test, p.pruned, p.rules)
}

// agree compares the stats, and what is not done with.
func (p *pair) agree(r *rapid.T) {
	if diff := cmp.Diff(inJSON(p.test, reportOf(p.test, p.whole, "costs", "")), inJSON(p.test, reportOf(p.test, p.pruned, "costs", ""))); diff != "" {
		r.Fatalf("the stats (-of the whole store +of the pruned one):\n%s", diff)
	}
	for _, state := range []engine.State{engine.Pending, engine.Sending, engine.Dead} {
		var ids [2][]engine.DeliveryID
		for i, db := range p.both() {
			for _, d := range allDeliveries(p.test, db, filter(state, "", "", ""), 100) {
				ids[i] = append(ids[i], d.ID)
			}
		}
		if diff := cmp.Diff(ids[0], ids[1]); diff != "" {
			r.Fatalf("what is %s (-in the whole store +in the pruned one):\n%s", state, diff)
		}
	}
}

func (p *pair) close(r *rapid.T) {
	for _, db := range p.both() {
		balances(r, db)
		if err := db.Close(); err != nil {
			r.Errorf("Close() = %v", err)
		}
	}
}
