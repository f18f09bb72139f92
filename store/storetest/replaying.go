package storetest

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// replayed are rules that owe what a replay brings, and what it leaves alone.
const replayed = `
version: 1
actions:
  mail: {http: {url: "http://127.0.0.1:9/"}}
  table: {sql: {database: "sqlite:x.db", table: t, key: id, version: v}}
rules:
  - name: tell
    when: entry.data.title != nil
    once_per: entry.data.key
    then: [{action: mail, body: "{{ entry.data.title }}"}]
  - name: follow
    when: "true"
    then:
      - {action: mail, at: entry.data.due, body: "{{ entry.data.title }}"}
      - {action: table, upsert: {id: "{{ entry.id }}", title: "{{ entry.data.title }}"}}
  - {name: watched, when: "true", shadow: true, then: [{action: mail, body: watched}]}
stats:
  costs: {when: "true", value: entry.data.cost}
`

// rejudge replays an event by rules, at a moment.
func rejudge(t testing.TB, s Store, rules *engine.Rules, id engine.EventID, at time.Time, again bool) engine.Replay {
	t.Helper()
	record, err := s.Event(t.Context(), id)
	if err != nil {
		t.Fatalf("Event(%s) = %v", id, err)
	}
	e, err := peanuts.Parse([]byte(record.Payload))
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.ReplayEvent(t.Context(), &engine.Rejudging{
		ID: id, Event: e, At: at, Rules: "new.yaml", Digest: "abc",
		Judge: func(known engine.Known) engine.Judgement {
			if again {
				known.Claimed = nil
			}
			return rules.Rejudge(e, record.ReceivedAt, known)
		},
	})
	if err != nil {
		t.Fatalf("ReplayEvent(%s) = %v", id, err)
	}
	record, err = s.Event(t.Context(), id)
	if err != nil || len(record.Replays) != n {
		t.Fatalf("Event(%s) after replay %d has %d replays, %v", id, n, len(record.Replays), err)
	}
	return record.Replays[n-1]
}

func (s suite) replaysEvents(t *testing.T) {
	db, rules := s.new(t), loadRules(t, replayed)
	if err := db.DefineStats(t.Context(), rules.Stats(), false); err != nil {
		t.Fatal(err)
	}
	old := tell(t, db, rules, "e", version{peanuts.EntryCreated, 1, `{"title":"a","due":"2050-11-25","cost":5}`})
	newest := tell(t, db, rules, "e", version{peanuts.EntryUpdated, 2, `{"title":"b","due":"2050-11-26","cost":7}`})
	before, first := untouched(t, db), eventOf(t, db, old.ID)

	at := later()
	got := []engine.Replay{rejudge(t, db, rules, old.ID, at, false), rejudge(t, db, rules, newest.ID, at, false), rejudge(t, db, rules, old.ID, at.Add(time.Second), false)}
	verdicts := engine.Verdicts{
		Fired: []engine.RuleName{"tell", "follow", "watched"}, Suppressed: []engine.Suppressed{}, Errors: []engine.RuleError{}, Mismatches: []engine.Mismatch{},
		LeftOut: []engine.LeftOut{{Rule: "follow", Action: "mail"}, {Rule: "follow", Action: "table"}},
	}
	want := []engine.Replay{
		{N: 1, At: at, Rules: "new.yaml", Digest: "abc", Verdicts: verdicts},
		{N: 1, At: at, Rules: "new.yaml", Digest: "abc", Verdicts: verdicts},
		{N: 2, At: at.Add(time.Second), Rules: "new.yaml", Digest: "abc", Verdicts: verdicts},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the replays (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, untouched(t, db)); diff != "" {
		t.Errorf("a replay has touched what goes with the entry (-before +after):\n%s", diff)
	}
	after := eventOf(t, db, old.ID)
	owed := after.Deliveries[len(first.Deliveries):]
	after.Deliveries, after.Replays = first.Deliveries, nil
	if diff := cmp.Diff(first, after); diff != "" {
		t.Errorf("a replay has changed the first judgement (-before +after):\n%s", diff)
	}
	shown := func(n, replay int, rule engine.RuleName, state engine.State, at time.Time) engine.Delivery {
		d := engine.Delivery{ID: engine.NewDeliveryID(old.ID, n), Event: old.ID, Replay: replay, Rule: rule, Action: "mail", Kind: engine.KindHTTP, State: state, CreatedAt: at}
		if state == engine.Pending {
			d.NextAt = at
		}
		return d
	}
	wantOwed := []engine.Delivery{ // with numbers, and so keys, that nothing had before (C10)
		shown(5, 1, "tell", engine.Pending, at), shown(6, 1, "watched", engine.Shadow, at),
		shown(7, 2, "tell", engine.Pending, at.Add(time.Second)), shown(8, 2, "watched", engine.Shadow, at.Add(time.Second)),
	}
	if diff := cmp.Diff(wantOwed, owed); diff != "" {
		t.Errorf("what the replays owe (-want +got):\n%s", diff)
	}
	// What a replay owes goes out, though its entry has moved on.
	bodies := map[engine.DeliveryID]string{}
	for _, lease := range leaseAll(t, db, "mail", at.Add(time.Second)) {
		if lease.Event == old.ID && lease.ID != engine.NewDeliveryID(old.ID, 1) {
			bodies[lease.ID] = string(lease.Message)
			if string(lease.Body) != first.Payload || !lease.ReceivedAt.Equal(noon()) || lease.Follows {
				t.Errorf("the lease of %s is %+v; want the event as it came", lease.ID, lease)
			}
		}
		finish(t, db, lease, engine.Delivered, at)
	}
	if diff := cmp.Diff(map[engine.DeliveryID]string{wantOwed[0].ID: `{"body":"a"}`, wantOwed[2].ID: `{"body":"a"}`}, bodies); diff != "" {
		t.Errorf("what is sent of the replays (-want +got):\n%s", diff)
	}
}

func eventOf(t testing.TB, s Store, id engine.EventID) engine.EventRecord {
	t.Helper()
	e, err := s.Event(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// untouched is what stands in a store that no replay may change: what goes with entries, and the stats.
func untouched(t testing.TB, s Store) []string {
	t.Helper()
	report, err := s.Report(t.Context(), "costs", engine.StatFilter{Month: "2050-11"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	return append(standing(t, s, "follow"), string(text))
}

func (s suite) replaysOncePerValue(t *testing.T) {
	db, rules, none := s.new(t), loadRules(t, replayed), silentRules(t)
	holder := tell(t, db, rules, "a", version{peanuts.EntryCreated, 1, `{"title":"a","key":1}`})
	missed := tell(t, db, none, "b", version{peanuts.EntryCreated, 2, `{"title":"b","key":1}`})
	free := tell(t, db, none, "c", version{peanuts.EntryCreated, 3, `{"title":"c","key":2}`})
	for _, c := range []struct {
		name  string
		event engine.Receipt
		again bool
		by    engine.EventID // that suppresses it; empty when it fires
	}{
		{"an event that holds the claim itself", holder, false, holder.ID},
		{"the same, again", holder, true, ""},
		{"an event that finds the value claimed", missed, false, holder.ID},
		{"the same, again", missed, true, ""},
		{"an event whose value is free", free, false, ""},
		{"the same, which has claimed it by that", free, false, free.ID},
	} {
		replay := rejudge(t, db, rules, c.event.ID, later(), c.again)
		fired := len(replay.Fired) > 0 && replay.Fired[0] == "tell"
		var by engine.EventID
		if len(replay.Suppressed) == 1 && replay.Suppressed[0].Rule == "tell" {
			by = replay.Suppressed[0].By
		}
		if fired != (c.by == "") || by != c.by {
			t.Errorf("%s: fired %t, suppressed by %q; want it suppressed by %q", c.name, fired, by, c.by)
		}
	}
	wantVerdict(t, db, tell(t, db, rules, "d", version{peanuts.EntryCreated, 4, `{"title":"d","key":2}`}), "tell", "by "+string(free.ID))
	wantVerdict(t, db, tell(t, db, rules, "e", version{peanuts.EntryCreated, 5, `{"title":"e","key":1}`}), "tell", "by "+string(holder.ID))
}

// A suppression is noted of a version that stands for its entry, so that the claim's own delivery is tried on. One by a replay
// says nothing of that: the newer version owed nothing when it came, and has taken the older one's place.
func (s suite) replaysNoSuppression(t *testing.T) {
	db, rules, none := s.new(t), loadRules(t, once), silentRules(t)
	const data = `{"key":"none","reminder":"r","due":"2050-11-23T11:00:00Z"}`
	tell(t, db, rules, "e", version{peanuts.EntryCreated, 1, data})
	lease := leaseOf(t, db, "remind", noon())
	newest := tell(t, db, none, "e", version{peanuts.EntryUpdated, 2, data})
	if replay := rejudge(t, db, rules, newest.ID, later(), false); len(replay.Suppressed) != 1 {
		t.Errorf("the replay is %+v; want it suppressed by the older version", replay)
	}
	if recorded := finish(t, db, lease, engine.Pending, noon()); recorded.State != engine.Cancelled {
		t.Errorf("a failed attempt for the older version leaves it %s, want it cancelled", recorded.State)
	}
}

func silentRules(t testing.TB) *engine.Rules {
	t.Helper()
	return loadRules(t, "version: 1\nactions: {mail: {http: {url: \"http://127.0.0.1:9/\"}}}\nrules: [{name: none, when: \"false\", then: [{action: mail}]}]\n")
}

func (s suite) refusesReplays(t *testing.T) {
	db, now := s.new(t), later()
	a := event(t, 1, now, "ledger")
	accept(t, db, a)
	replay := func(id engine.EventID, owed engine.Owed) error {
		_, err := db.ReplayEvent(t.Context(), &engine.Rejudging{ID: id, Event: a.Event, At: now, Judge: func(engine.Known) engine.Judgement {
			return engine.Judgement{Fired: []engine.RuleName{owed.Rule}, Owed: []engine.Owed{owed}}
		}})
		return err
	}
	plain := a.Judgement.Owed[0]
	if err := replay(newID(t), plain); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("ReplayEvent() of what is not there = %v, want ErrNotFound", err)
	}
	reminder, row := plain, plain
	reminder.At, row.Sync = now, engine.SyncUpsert
	for _, follows := range []engine.Owed{reminder, row} {
		if err := replay(a.ID, follows); err == nil {
			t.Errorf("ReplayEvent() that owes %+v went well", follows)
		}
	}
	got, ignored := eventOf(t, db, a.ID), cmpopts.IgnoreFields(engine.Delivery{}, "NextAt", "CreatedAt")
	if diff := cmp.Diff([]engine.Delivery{{ID: engine.NewDeliveryID(a.ID, 1), Event: a.ID, Rule: plain.Rule, Action: "ledger", Kind: plain.Kind, State: engine.Pending}},
		got.Deliveries, ignored); diff != "" || len(got.Replays) > 0 {
		t.Errorf("what was refused has left %d replays and (-want +got):\n%s", len(got.Replays), diff)
	}
}

func (s suite) prunesReplays(t *testing.T) {
	db, now := s.new(t), time.Now().Add(-time.Hour).Truncate(time.Millisecond).UTC()
	a, last := event(t, 1, now, "ledger"), event(t, 2, now)
	a.Event, last.Event = plainEvent(t, 1), plainEvent(t, 2) // that are the newest of no entry
	accept(t, db, a)
	accept(t, db, last)
	finish(t, db, leaseOne(t, db, "ledger", now), engine.Delivered, now)
	_, err := db.ReplayEvent(t.Context(), &engine.Rejudging{ID: a.ID, Event: a.Event, At: now, Judge: a.Judge})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := db.Prune(t.Context(), now.Add(time.Millisecond)); err != nil || n != 0 {
		t.Errorf("Prune() while a replay has something pending = %d, %v; want nothing removed", n, err)
	}
	finish(t, db, leaseOne(t, db, "ledger", now), engine.Delivered, now)
	if n, err := db.Prune(t.Context(), now.Add(time.Millisecond)); err != nil || n != 1 {
		t.Errorf("Prune() = %d, %v; want the event removed with its replay", n, err)
	}
	if _, _, err := db.Delivery(t.Context(), engine.NewDeliveryID(a.ID, 2)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Delivery() of a replay that was pruned = %v, want ErrNotFound", err)
	}
}

func plainEvent(t testing.TB, n int) *peanuts.Event {
	t.Helper()
	e, err := peanuts.Parse([]byte(`{"event":"report.ready","helper":{"command":"/reports"},"n":` + string(rune('0'+n)) + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return e
}
