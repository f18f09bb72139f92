package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

func (s suite) knowsWhatWasBefore(t *testing.T) {
	db, rules := s.new(t), loadRules(t, tasks)
	tell(t, db, rules, "e", version{peanuts.EntryCreated, 1, `{"due":"2050-11-25"}`})
	tell(t, db, rules, "e", version{peanuts.EntryUpdated, 5, `{"due":"2050-11-26"}`})
	tell(t, db, rules, "e", version{peanuts.EntryUpdated, 3, `{"due":"2050-11-27"}`}) // late: what was before it is not known
	tell(t, db, rules, "e", version{peanuts.EntryUpdated, 6, `{"due":"2050-11-26","x":1}`})
	tell(t, db, rules, "e", version{peanuts.EntryDeleted, 7, `{"due":"2050-11-26"}`})
	tell(t, db, rules, "e", version{peanuts.EntryUpdated, 8, `{"due":"2050-11-28"}`}) // after the delete there is nothing before
	wantStanding(t, db, "moved", "pending 11-23 from 2050-11-25 to 2050-11-26")
}

func (s suite) syncsInLine(t *testing.T) {
	db, rules := s.new(t), loadRules(t, tasks)
	say := func(minute int, data string) {
		tell(t, db, rules, "e", version{peanuts.EntryUpdated, minute, data})
	}
	say(1, `{"title":"a"}`)
	first := leaseOne(t, db, "table", noon())
	say(2, `{"title":"b"}`)
	say(3, `{"title":"c"}`)
	if leases, err := db.Lease(t.Context(), "table", 9, noon(), noon().Add(time.Minute)); err != nil || len(leases) != 0 {
		t.Errorf("Lease() beside a sync of the same entry = %+v, %v; want none", leases, err)
	}
	if recorded := finish(t, db, first, engine.Pending, noon()); recorded.State != engine.Cancelled || !recorded.Freed {
		t.Errorf("a sync that failed and is not the newest = %+v; want it cancelled, and the newest freed", recorded)
	}
	second := leaseOne(t, db, "table", noon())
	finish(t, db, second, engine.Dead, noon())
	wantStanding(t, db, "sync", "dead", "cancelled", "cancelled")
	say(4, `{"title":"d"}`)
	if err := db.Replay(t.Context(), second.ID); err != nil {
		t.Fatal(err)
	}
	newest := leaseOne(t, db, "table", time.Now().AddDate(100, 0, 0)) // a replay that is not the newest is never sent
	wantStanding(t, db, "sync", "sending", "cancelled", "cancelled", "cancelled")
	finish(t, db, newest, engine.Delivered, noon())
	say(5, `{"done":true}`)
	say(6, `{"done":true,"x":0}`) // takes the place of a removal that was not sent yet
	var m engine.SQLMessage
	removal := leaseOne(t, db, "table", noon())
	if err := json.Unmarshal(removal.Message, &m); err != nil || m.Remove == nil || string(m.Remove.Key) != `"e"` {
		t.Errorf("an entry that is wanted no more brings %s, want its row removed", removal.Message)
	}
	finish(t, db, removal, engine.Delivered, noon())
	say(7, `{"done":true,"x":1}`)
	tell(t, db, rules, "e", version{peanuts.EntryDeleted, 8, ``})
	tell(t, db, rules, "never synced", version{peanuts.EntryDeleted, 8, ``})
	if due, err := db.Lease(t.Context(), "table", 9, noon(), noon()); err != nil || len(due) != 0 {
		t.Errorf("what was removed, or never there, brings %+v, %v; want nothing", due, err)
	}
}

// endsTheSame tells all orders of five versions of an entry: what is left is of the newest, whatever came when (R56).
func (s suite) endsTheSame(t *testing.T) {
	db, rules := s.new(t), loadRules(t, tasks)
	if err := db.DefineStats(t.Context(), rules.Stats(), false); err != nil {
		t.Fatal(err)
	}
	for name, last := range map[string]version{
		"kept":    {peanuts.EntryUpdated, 5, `{"title":"last","due":"2050-11-29","cost":4.55,"kind":"x"}`},
		"done":    {peanuts.EntryUpdated, 5, `{"title":"last","due":"2050-11-29","done":true,"cost":4.55}`},
		"deleted": {peanuts.EntryDeleted, 5, ``},
	} {
		versions := []version{
			{peanuts.EntryCreated, 1, `{"title":"a","due":"2050-11-25","cost":0.1}`},
			{peanuts.EntryUpdated, 2, `{"title":"b","due":"2050-11-26","cost":"0.2","kind":"x"}`},
			{peanuts.EntryUpdated, 3, `{"done":true,"cost":3}`},
			{peanuts.EntryUpdated, 4, `{"title":"d","due":"2050-11-27","cost":"n/a"}`},
			last,
		}
		for n, order := range permutations(len(versions)) {
			entry := fmt.Sprintf("%s-%d", name, n)
			row := ""
			for told, i := range order {
				tellOf(t, db, rules, versions[i].as(t, entry, name))
				if 7*n%32>>told&1 == 0 { // a courier comes between any of them, or not
					row = drain(t, db, row)
				}
			}
			row = drain(t, db, row)
			var reminders []string
			for _, lease := range leaseAll(t, db, "mail", time.Date(2051, 1, 1, 0, 0, 0, 0, time.UTC)) {
				if lease.Rule == "remind" {
					reminders = append(reminders, lease.NextAt.Format(time.RFC3339)+string(lease.Message))
				}
				finish(t, db, lease, engine.Delivered, noon())
			}
			wantRow, want := "", []string(nil)
			if name == "kept" {
				wantRow, want = `"last"`, []string{`2050-11-28T23:00:00Z{"body":"last"}`}
			}
			if row != wantRow || !slices.Equal(reminders, want) {
				t.Fatalf("%s in order %v leaves the row %s and the reminders %q, want %s and %q", name, order, row, reminders, wantRow, want)
			}
		}
		report := reportOf(t, db, "costs", name)
		if count := map[string]int{"kept": 120}[name]; report.All.Count != count || report.Unreadable.Count != 0 {
			t.Errorf("%s: %d in the stat, %d unreadable; want %d and none", name, report.All.Count, report.Unreadable.Count, count)
		}
		if name == "kept" && report.All.Total.String() != "546" {
			t.Errorf("the total is %s, want 120 × 4.55 = 546", report.All.Total)
		}
	}
}
