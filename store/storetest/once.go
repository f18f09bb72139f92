package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// once are rules that fire once for a value.
const once = `
version: 1
timezone: UTC
actions:
  mail: {http: {url: "http://127.0.0.1:9/"}}
  second: {http: {url: "http://127.0.0.1:9/"}}
rules:
  - name: tell
    when: entry.data.key != "none"
    once_per: entry.data.key
    then: [{action: mail, body: "{{ entry.data.title }}"}]
  - name: also
    when: entry.data.also
    once_per: entry.data.key
    then: [{action: mail, body: "{{ entry.data.title }}"}]
  - name: remind
    when: not entry.data.done
    once_per: entry.data.reminder
    then: [{action: mail, at: entry.data.due, body: "{{ entry.data.title }}"}]
  - name: twice
    when: entry.data.first != nil
    once_per: entry.id
    then:
      - {action: mail, at: entry.data.first, body: "{{ entry.data.title }}"}
      - {action: second, at: entry.data.second, body: "{{ entry.data.title }}"}
`

// verdict is what became of a rule with once_per at an event: "fired", "by" and the event that holds the claim, or
// nothing.
func verdict(t testing.TB, s Store, id engine.EventID, rule engine.RuleName) string {
	t.Helper()
	e, err := s.Event(t.Context(), id)
	if err != nil {
		t.Fatalf("Event(%s) = %v", id, err)
	}
	for _, fired := range e.Fired {
		if fired == rule {
			return "fired"
		}
	}
	for _, suppressed := range e.Suppressed {
		if suppressed.Rule == rule {
			return "by " + string(suppressed.By)
		}
	}
	return ""
}

func wantVerdict(t testing.TB, s Store, event engine.Receipt, rule engine.RuleName, want string) {
	t.Helper()
	if got := verdict(t, s, event.ID, rule); got != want {
		t.Errorf("%s is %q, want %q", rule, got, want)
	}
}

func (s suite) firesOnce(t *testing.T) {
	const events, values = 200, 5
	db, rules := s.new(t), loadRules(t, once)
	ids := make([]engine.EventID, events)
	var sending sync.WaitGroup
	for i := range events {
		sending.Go(func() {
			ids[i] = tell(t, db, rules, fmt.Sprint("e", i), version{peanuts.EntryCreated, 1, fmt.Sprintf(`{"key":%d,"done":true}`, i%values)}).ID
		})
	}
	sending.Wait()
	for i := range values {
		fired, holder, suppressed := 0, "", map[string]int{}
		for n := i; n < events; n += values {
			if got := verdict(t, db, ids[n], "tell"); got != "fired" {
				suppressed[got]++
				continue
			}
			fired++
			holder = "by " + string(ids[n])
		}
		if fired != 1 || suppressed[holder] != events/values-1 {
			t.Errorf("the value %d fired for %d events, of which the last suppressed %d others; want one, and all others suppressed by it", i, fired, suppressed[holder])
		}
	}
	if n := len(allDeliveries(t, db, filter("", "", "tell", ""), 100)); n != values {
		t.Errorf("%d deliveries are owed for %d values", n, values)
	}
}

func (s suite) tellsClaimsApart(t *testing.T) {
	db, rules := s.new(t), loadRules(t, once)
	told := 0
	say := func(data string) engine.Receipt {
		told++
		return tell(t, db, rules, fmt.Sprint("e", told), version{peanuts.EntryCreated, 1, data})
	}
	first := say(`{"key":1,"also":true}`)
	wantVerdict(t, db, first, "tell", "fired")
	wantVerdict(t, db, first, "also", "fired") // a claim is its rule's alone
	for data, want := range map[string]string{
		`{"key":1}`: "by " + string(first.ID), `{"key":1.0}`: "by " + string(first.ID), `{"key":1e0}`: "by " + string(first.ID),
		`{"key":"1"}`: "fired", `{"key":true}`: "fired", `{"key":"true"}`: "fired", `{"key":1.5}`: "fired", `{"key":""}`: "fired",
	} {
		wantVerdict(t, db, say(data), "tell", want)
	}
	for range 3 { // what is absent suppresses nothing
		wantVerdict(t, db, say(`{"key":null}`), "tell", "fired")
	}
	// What comes late is told once as well: what is sent at once is claimed, whichever version brought it.
	tell(t, db, rules, "slow", version{peanuts.EntryUpdated, 9, `{"key":"none","done":true}`})
	late := tell(t, db, rules, "slow", version{peanuts.EntryCreated, 1, `{"key":"late"}`})
	wantVerdict(t, db, late, "tell", "fired")
	wantVerdict(t, db, tell(t, db, rules, "slow", version{peanuts.EntryUpdated, 2, `{"key":"late"}`}), "tell", "by "+string(late.ID))
	failed := say(`{"key":[1]}`)
	wantVerdict(t, db, failed, "tell", "")
	want := []engine.RuleError{{Rule: "tell", Message: "once_per: this is a list; it must be a text, a number, true, false or a time"}}
	if e, err := db.Event(t.Context(), failed.ID); err != nil || !cmp.Equal(e.Errors, want) {
		t.Errorf("a claim of a list: %v, %v; want %v", e.Errors, err, want)
	}
	// Bytes that are known are not judged: the claim's own event does not suppress itself.
	again := say(`{"key":2}`)
	told--
	if copied := say(`{"key":2}`); !copied.Duplicate || copied.ID != again.ID {
		t.Errorf("the same bytes again: %+v", copied)
	}
	wantVerdict(t, db, again, "tell", "fired")
}

func (s suite) releasesClaims(t *testing.T) {
	db, rules := s.new(t), loadRules(t, once)
	say := func(entry string, minute int, title, data string) engine.Receipt {
		t.Helper()
		return tell(t, db, rules, entry, version{peanuts.EntryUpdated, minute, fmt.Sprintf(`{"key":"none","reminder":"r","title":%q,%s}`, title, data)})
	}
	// A reminder that moves from Friday to Thursday: one, on Thursday.
	say("e", 1, "friday", `"due":"2050-11-25"`)
	thursday := say("e", 2, "thursday", `"due":"2050-11-24"`)
	wantVerdict(t, db, thursday, "remind", "fired")
	wantStanding(t, db, "remind", "pending 11-24 thursday", "cancelled friday")
	wantVerdict(t, db, say("other", 1, "theirs", `"due":"2050-11-24"`), "remind", "by "+string(thursday.ID))
	wantVerdict(t, db, say("e", 1, "late", `"due":"2050-11-24"`), "remind", "by "+string(thursday.ID))
	// An entry that is deleted, or wanted no more, lets go; another may claim then.
	tell(t, db, rules, "e", version{peanuts.EntryDeleted, 3, ``})
	other := say("other", 2, "theirs", `"due":"2050-11-24"`)
	wantVerdict(t, db, other, "remind", "fired")
	say("other", 3, "done", `"due":"2050-11-24","done":true`)
	// What owes nothing claims nothing, and so does what is cancelled at once.
	wantVerdict(t, db, say("third", 1, "dateless", `"due":null`), "remind", "fired")
	wantVerdict(t, db, say("other", 2, "too late", `"due":"2050-11-25"`), "remind", "fired")
	fourth := say("fourth", 1, "theirs at last", `"due":"2050-11-26"`)
	wantVerdict(t, db, fourth, "remind", "fired")
	// A failed attempt that is not tried again, since its entry was deleted meanwhile, lets go as well.
	due := time.Date(2050, 12, 1, 0, 0, 0, 0, time.UTC)
	lease := leaseOf(t, db, "remind", due)
	tell(t, db, rules, "fourth", version{peanuts.EntryDeleted, 2, ``})
	wantVerdict(t, db, say("fifth", 1, "waits", `"due":"2050-11-26"`), "remind", "by "+string(fourth.ID))
	if recorded := finish(t, db, lease, engine.Pending, due); recorded.State != engine.Cancelled {
		t.Errorf("an attempt for an entry that was deleted leaves it %s, want it cancelled", recorded.State)
	}
	fifth := say("fifth", 2, "has it", `"due":"2050-11-26"`)
	wantVerdict(t, db, fifth, "remind", "fired")
	// So does a lease that ran out, once it is cancelled instead of leased again.
	leaseOf(t, db, "remind", due)
	tell(t, db, rules, "fifth", version{peanuts.EntryDeleted, 3, ``})
	if _, err := db.ReleaseExpired(t.Context(), due.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if leases := leaseAll(t, db, "mail", due.Add(time.Hour)); len(leases) != 0 {
		t.Errorf("Lease() of a deleted entry = %+v", leases)
	}
	wantVerdict(t, db, say("sixth", 1, "mine", `"due":"2050-11-26"`), "remind", "fired")
}

// keepsClaims: a claim stands as long as one of its deliveries does.
func (s suite) keepsClaims(t *testing.T) {
	db, rules := s.new(t), loadRules(t, once)
	soon := time.Date(2050, 12, 1, 0, 0, 0, 0, time.UTC)
	for name, bring := range map[string]func(lease engine.Lease){
		"sending":   func(engine.Lease) {},
		"delivered": func(l engine.Lease) { finish(t, db, l, engine.Delivered, soon) },
		"dead":      func(l engine.Lease) { finish(t, db, l, engine.Dead, soon) },
		"replayed": func(l engine.Lease) {
			finish(t, db, l, engine.Dead, soon)
			if err := db.Replay(t.Context(), l.ID); err != nil {
				t.Error(err)
			}
		},
		"discarded": func(l engine.Lease) {
			finish(t, db, l, engine.Dead, soon)
			if err := db.Discard(t.Context(), l.ID); err != nil {
				t.Error(err)
			}
		},
	} {
		say := func(entry string, minute int) engine.Receipt {
			return tell(t, db, rules, name+entry, version{peanuts.EntryUpdated, minute, fmt.Sprintf(`{"key":%q,"title":%q,"done":true}`, name, name)})
		}
		first := say("a", 1)
		bring(leaseOf(t, db, "tell", noon()))
		by := "by " + string(first.ID)
		wantVerdict(t, db, say("b", 1), "tell", by)
		wantVerdict(t, db, say("a", 2), "tell", by)
		tell(t, db, rules, name+"a", version{peanuts.EntryDeleted, 3, ``})
		wantVerdict(t, db, say("b", 2), "tell", by)
	}
	// Of two reminders the first was sent, so the claim stays, also when the second is cancelled.
	first := tell(t, db, rules, "e", version{peanuts.EntryCreated, 1, `{"done":true,"title":"a","first":"2050-11-25","second":"2051-11-25"}`})
	finish(t, db, leaseOf(t, db, "twice", soon), engine.Delivered, soon)
	moved := tell(t, db, rules, "e", version{peanuts.EntryUpdated, 2, `{"done":true,"title":"b","first":"2050-12-25","second":"2051-12-25"}`})
	wantVerdict(t, db, moved, "twice", "by "+string(first.ID))
	wantStanding(t, db, "twice", "cancelled a", "delivered a")
}

// keepsWhatSuppressed: a newer version that was suppressed owes nothing, so it must not cancel what suppressed it.
func (s suite) keepsWhatSuppressed(t *testing.T) {
	db, rules := s.new(t), loadRules(t, once)
	due := time.Date(2050, 12, 1, 0, 0, 0, 0, time.UTC)
	say := func(minute int, title, data string) engine.Receipt {
		t.Helper()
		return tell(t, db, rules, "e", version{peanuts.EntryUpdated, minute, fmt.Sprintf(`{"key":"none","reminder":"r","title":%q,%s}`, title, data)})
	}
	first := say(1, "a", `"due":"2050-11-25"`)
	lease := leaseOf(t, db, "remind", due)
	wantVerdict(t, db, say(2, "b", `"due":"2050-11-24"`), "remind", "by "+string(first.ID))
	if recorded := finish(t, db, lease, engine.Pending, due); recorded.State != engine.Pending {
		t.Errorf("a failed attempt, while the newer version was suppressed, leaves it %s; want it tried again", recorded.State)
	}
	lease = leaseOf(t, db, "remind", due)
	finish(t, db, lease, engine.Dead, due)
	wantVerdict(t, db, say(3, "c", `"due":"2050-11-24"`), "remind", "by "+string(first.ID))
	if err := db.Replay(t.Context(), lease.ID); err != nil {
		t.Fatal(err)
	}
	if lease = leaseOf(t, db, "remind", time.Now().AddDate(100, 0, 0)); string(lease.Message) != `{"body":"a"}` {
		t.Fatalf("a replayed dead letter, while the newer version was suppressed, leads to %+v; want it sent", lease)
	}
	// A version that does not want it at all cancels it all the same.
	say(4, "d", `"done":true`)
	if recorded := finish(t, db, lease, engine.Pending, due); recorded.State != engine.Cancelled {
		t.Errorf("a failed attempt for what is done leaves it %s; want it cancelled", recorded.State)
	}
	wantVerdict(t, db, say(5, "e", `"due":"2050-11-24"`), "remind", "fired")
	wantStanding(t, db, "remind", "pending 11-24 e", "cancelled a")
}

// firesOnceInAnyOrder tells events of some entries with some values, early and late, while a courier delivers, fails and
// gives up: at no time has a value two firings that were not cancelled.
func (s suite) firesOnceInAnyOrder(t *testing.T) {
	rules := loadRules(t, once)
	rapid.Check(t, func(r *rapid.T) {
		db := s.open(t)
		defer db.Close()
		defer balances(r, db)
		type told struct{ entry, value string }
		all := map[engine.EventID]told{}
		minute, due := rapid.IntRange(1, 59), rapid.SampledFrom([]string{`null`, `"2050-11-25"`, `"2050-11-26"`})
		r.Repeat(map[string]func(*rapid.T){
			"tell": func(r *rapid.T) {
				value := rapid.SampledFrom([]string{`"x"`, `1`, `"1"`}).Draw(r, "value")
				v := version{rapid.SampledFrom([]string{peanuts.EntryCreated, peanuts.EntryUpdated, peanuts.EntryDeleted}).Draw(r, "event"), minute.Draw(r, "minute"),
					fmt.Sprintf(`{"key":%s,"reminder":%s,"done":%t,"due":%s,"first":%s,"second":%s}`, value, value, rapid.Bool().Draw(r, "done"),
						due.Draw(r, "due"), due.Draw(r, "first"), due.Draw(r, "second"))}
				entry := rapid.SampledFrom([]string{"e", "f"}).Draw(r, "entry")
				all[tell(t, db, rules, entry, v).ID] = told{entry, value}
			},
			"courier": func(r *rapid.T) {
				action := rapid.SampledFrom([]engine.ActionName{"mail", "second"}).Draw(r, "action")
				for _, lease := range leaseAll(t, db, action, time.Now().AddDate(100, 0, 0)) {
					if state := rapid.SampledFrom([]engine.State{engine.Delivered, engine.Pending, engine.Dead, engine.Sending}).Draw(r, "came to"); state != engine.Sending {
						finish(t, db, lease, state, noon())
					}
				}
			},
			"expire": func(*rapid.T) {
				if _, err := db.ReleaseExpired(t.Context(), time.Now().AddDate(200, 0, 0)); err != nil {
					r.Fatal(err)
				}
			},
			"replay": func(*rapid.T) {
				if _, err := db.ReplayDead(t.Context(), store.Filter{}); err != nil {
					r.Fatal(err)
				}
			},
			"": func(*rapid.T) {
				holders := map[string]engine.EventID{}
				for _, d := range allDeliveries(t, db, store.Filter{}, 100) {
					if d.State == engine.Cancelled {
						continue
					}
					claim := string(d.Rule) + " " + all[d.Event].value
					if d.Rule == "twice" {
						claim = "twice " + all[d.Event].entry
					}
					if other, twice := holders[claim]; twice && other != d.Event {
						r.Fatalf("%s stands for %s and %s", claim, other, d.Event)
					}
					holders[claim] = d.Event
				}
			},
		})
	})
}
