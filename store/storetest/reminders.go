package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

func (s suite) movesReminders(t *testing.T) {
	db, rules := s.new(t), loadRules(t, tasks)
	tell(t, db, rules, "e", version{peanuts.EntryCreated, 1, `{"title":"a","due":"2050-11-25"}`})
	wantStanding(t, db, "remind", "pending 11-24 a")
	tell(t, db, rules, "e", version{peanuts.EntryUpdated, 3, `{"title":"c","due":"2050-11-27"}`})
	wantStanding(t, db, "remind", "pending 11-26 c", "cancelled a")
	tell(t, db, rules, "e", version{peanuts.EntryUpdated, 2, `{"title":"b","due":"2050-11-26"}`}) // late
	wantStanding(t, db, "remind", "cancelled b", "pending 11-26 c", "cancelled a")
	tell(t, db, rules, "e", version{peanuts.EntryUpdated, 4, `{"title":"d","due":null}`})
	wantStanding(t, db, "remind", "cancelled b", "cancelled c", "cancelled a")
	tell(t, db, rules, "e", version{peanuts.EntryUpdated, 5, `{"title":"e","due":"2050-11-23T11:00:00Z"}`}) // past
	if lease := leaseOf(t, db, "remind", noon()); !lease.Follows || lease.NextAt != noon().Add(-time.Hour) {
		t.Errorf("a reminder whose time is past: %+v; want it due since then", lease)
	}
	tell(t, db, rules, "other", version{peanuts.EntryCreated, 1, `{"title":"z","due":"2050-11-30"}`})
	tell(t, db, rules, "e", version{peanuts.EntryDeleted, 6, ``})
	if got := standing(t, db, "remind")[0]; got != "pending 11-29 z" {
		t.Errorf("a delete of another entry leaves %q, want the reminder pending", got)
	}
	tell(t, db, rules, "other", version{peanuts.EntryDeleted, 2, ``})
	if got := standing(t, db, "remind")[0]; got != "cancelled z" {
		t.Errorf("one second before it is due a delete leaves %q, want it cancelled", got)
	}
}

func (s suite) remindsOnce(t *testing.T) {
	db, rules := s.new(t), loadRules(t, tasks)
	due, later := time.Date(2050, 11, 24, 23, 0, 0, 0, time.UTC), time.Date(2050, 12, 31, 0, 0, 0, 0, time.UTC)
	say := func(minute int, title, day string) {
		tell(t, db, rules, "e", version{peanuts.EntryUpdated, minute, fmt.Sprintf(`{"title":%q,"due":%q}`, title, day)})
	}
	say(1, "a", "2050-11-25")
	next(t, db, "mail", due, engine.Delivered)
	say(2, "b", "2050-11-25")
	wantStanding(t, db, "remind", "delivered a")
	say(3, "c", "2050-11-28")
	say(4, "d", "2050-11-25") // back to what was sent
	wantStanding(t, db, "remind", "cancelled c", "delivered a")
	// A newer version with the same time, while the older one is being sent.
	say(5, "e", "2050-12-01")
	sending := leaseOf(t, db, "remind", later)
	say(6, "f", "2050-12-01")
	if leases, err := db.Lease(t.Context(), "mail", 9, later, later.Add(time.Minute)); err != nil || countOf(leases, "remind") != 0 {
		t.Errorf("Lease() beside a reminder that is being sent = %+v, %v; want none", leases, err)
	}
	finish(t, db, sending, engine.Delivered, later)
	if got := standing(t, db, "remind")[:2]; !cmp.Equal(got, []string{"cancelled f", "delivered e"}) {
		t.Errorf("once it was sent they are %v; want it sent once", got)
	}
	// The same, but the target fails: the newer one takes over.
	say(7, "g", "2050-12-02")
	sending = leaseOf(t, db, "remind", later)
	say(8, "h", "2050-12-02")
	if recorded := finish(t, db, sending, engine.Pending, later); recorded.State != engine.Cancelled || !recorded.Freed {
		t.Errorf("a failed attempt for an older version = %+v; want it cancelled, and the newer one freed", recorded)
	}
	if lease := leaseOf(t, db, "remind", later); string(lease.Message) != `{"body":"h"}` {
		t.Errorf("then %s is sent, want h", lease.Message)
	}
	movesAddUp(t, db)
}
