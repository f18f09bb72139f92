package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

func (s suite) recordsTrials(t *testing.T) {
	db := s.new(t)
	const live = `
version: 1
actions:
  table: {sql: {database: "sqlite:rows.db", table: t, key: id, version: version}}
  ops: {http: {url: "http://127.0.0.1:9/"}}
rules:
  - name: all
    %s
    when: "true"
    once_per: entry.id
    then:
      - {action: ops, body: now}
      - {action: ops, at: entry.data.due, body: later}
      - {action: table, upsert: {id: "{{ entry.id }}"}}
      - {action: ops, json: {a: "{{ fixed(entry.data.due, 2) }}"}}
`
	trial, real := loadRules(t, fmt.Sprintf(live, "shadow: true")), loadRules(t, fmt.Sprintf(live, "shadow: false"))
	first := tell(t, db, trial, "e", version{peanuts.EntryCreated, 1, `{"due":"2050-11-25"}`})
	wantVerdict(t, db, first, "all", "fired")
	if got := standing(t, db, "all"); !cmp.Equal(got, []string{"shadow", "shadow", "shadow later", "shadow now"}) {
		t.Errorf("the deliveries of a rule on trial are %q, want all in the state shadow", got)
	}
	e, err := db.Event(t.Context(), first.ID)
	if err != nil || e.Deliveries[3].LastError == "" {
		t.Errorf("what could not be rendered says %q, %v; want why", e.Deliveries[3].LastError, err)
	}
	wantVerdict(t, db, tell(t, db, trial, "e", version{peanuts.EntryUpdated, 2, `{"due":"2050-11-26"}`}), "all", "fired") // it claims nothing
	wantVerdict(t, db, tell(t, db, trial, "e", version{peanuts.EntryDeleted, 3, ``}), "all", "")
	if shadows := allDeliveries(t, db, filter(engine.Shadow, "", "", ""), 3); len(shadows) != 8 {
		t.Errorf("%d deliveries are listed as shadow, want 8: a newer version cancels none, and a delete removes no row that was never made", len(shadows))
	}
	far := time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, action := range []engine.ActionName{"ops", "table"} {
		if leases := leaseAll(t, db, action, far); len(leases) != 0 {
			t.Errorf("Lease(%s) = %+v, want nothing of a rule on trial", action, leases)
		}
	}
	if due, err := db.Due(t.Context(), far); err != nil || len(due) != 0 {
		t.Errorf("Due() = %v, %v; want no action", due, err)
	}
	if counts, err := db.Counts(t.Context()); err != nil || !cmp.Equal(counts, map[engine.State]int{engine.Pending: 0, engine.Sending: 0, engine.Dead: 0}) {
		t.Errorf("Counts() = %v, %v; want nothing", counts, err)
	}
	shadow := engine.NewDeliveryID(first.ID, 1)
	for name, err := range map[string]error{"Replay": db.Replay(t.Context(), shadow), "Discard": db.Discard(t.Context(), shadow)} {
		if !cmp.Equal(err, store.ErrNotDead, cmpopts.EquateErrors()) {
			t.Errorf("%s() of a shadow = %v, want ErrNotDead", name, err)
		}
	}
	if n, err := db.ReplayDead(t.Context(), store.Filter{}); err != nil || n != 0 {
		t.Errorf("ReplayDead() = %d, %v; want none", n, err)
	}
	// Taken off trial it sends what comes from then on, and nothing of the past.
	now := tell(t, db, real, "e", version{peanuts.EntryUpdated, 4, `{"due":"2050-11-27"}`})
	wantVerdict(t, db, now, "all", "fired")
	if leases := leaseAll(t, db, "ops", far); len(leases) != 2 || leases[0].Event != now.ID || leases[1].Event != now.ID {
		t.Errorf("Lease() once the rule is live = %+v; want the two of the newest event", leases)
	}
	// On trial again it finds the claim that was made meanwhile, and removes no row.
	wantVerdict(t, db, tell(t, db, trial, "e", version{peanuts.EntryUpdated, 5, `{"due":"2050-11-28"}`}), "all", "by "+string(now.ID))
	removal := tell(t, db, trial, "e", version{peanuts.EntryDeleted, 6, ``})
	if e, err := db.Event(t.Context(), removal.ID); err != nil || len(e.Deliveries) != 1 || e.Deliveries[0].State != engine.Shadow {
		t.Errorf("a delete owes %+v, %v; want the removal of the row as a shadow", e.Deliveries, err)
	}
	movesAddUp(t, db)
}
