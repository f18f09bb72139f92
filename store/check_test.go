package store_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// Whatever is spoilt by SQL is told, and nothing else.
func TestACheckTellsEachWayInWhichBooksDoNotBalance(t *testing.T) {
	const (
		first, second = "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"
		off           = `PRAGMA ignore_check_constraints = ON; `
		aReplay       = `INSERT INTO replays VALUES (1, 1, 0, 'new.yaml', '', '{"fired":["other"]}', 0); `
		anAttempt     = `INSERT INTO attempts VALUES (1 << 20 | 1, 1, 0, 0, '', '', '', 0); `
	)
	for name, test := range map[string]struct {
		spoil  string
		broken string // of all that is told, the one that names the place
		found  string
	}{
		"a delivery without its event":  {off + `UPDATE deliveries SET seq = 99 << 20 | 1 WHERE event = 1 AND n = 1`, "a delivery belongs to an event", "event 99-1"},
		"a row that names nothing":      {anAttempt + `UPDATE attempts SET delivery = 99`, "a row that names another finds it", "a row of attempts names what is not in deliveries"},
		"a state that is none":          {off + `UPDATE deliveries SET state = 'lost' WHERE event = 1 AND n = 1`, "a delivery is in one of the seven states", first + "-1"},
		"a constraint":                  {off + `UPDATE deliveries SET state = 'lost' WHERE event = 1 AND n = 1`, "the file is whole", "CHECK constraint failed in deliveries"},
		"sending without a lease":       {off + `UPDATE deliveries SET lease_until = NULL WHERE state = 'sending'`, "a delivery holds a lease while it is being sent, and only then", second + "-1"},
		"a lease without sending":       {off + `UPDATE deliveries SET lease_until = 1 WHERE event = 1 AND n = 1`, "a delivery holds a lease while it is being sent, and only then", first + "-1"},
		"sending without a generation":  {`UPDATE deliveries SET generation = 0 WHERE state = 'sending'`, "what is or was sent has had a lease", second + "-1"},
		"delivered without an attempt":  {`UPDATE deliveries SET attempts = 0`, "what was delivered was tried", first + "-1"},
		"dead without a reason":         {`UPDATE deliveries SET state = 'dead', last_error = '' WHERE n = 2 AND event = 1`, "what is dead or cancelled has its reason", first + "-2"},
		"lost too often":                {`UPDATE deliveries SET lost = 3 WHERE state = 'sending'`, "what is pending or being sent has not lost three leases in a row", second + "-1"},
		"a trial that was sent":         {`UPDATE deliveries SET state = 'shadow' WHERE event = 1 AND n = 1`, "what a rule on trial owes is not tried and follows no entry", first + "-1"},
		"an attempt too few":            {`UPDATE deliveries SET attempts = 2 WHERE event = 1 AND n = 1`, "each attempt is counted and recorded", first + "-1"},
		"an attempt too many":           {anAttempt, "each attempt is counted and recorded", first + "-1"},
		"an attempt of another number":  {anAttempt + `UPDATE attempts SET n = 2; UPDATE deliveries SET attempts = 2 WHERE event = 1 AND n = 1`, "each attempt is counted and recorded", first + "-1"},
		"delivered, nobody knows when":  {`UPDATE deliveries SET sent_at = NULL WHERE event = 1 AND n = 1`, "the attempt that delivered stands with the delivery, and no other", first + "-1"},
		"a plan ahead of its attempts":  {`UPDATE deliveries SET plan_from = 2 WHERE event = 1 AND n = 1`, "a retry plan begins with an attempt that was made", first + "-1"},
		"one that follows a stranger":   {`UPDATE deliveries SET entry = 'entry-2' WHERE event = 1 AND n = 2`, "what follows an entry follows that of its event", first + "-2"},
		"two that are next in a line":   {`UPDATE deliveries SET line = 'x' WHERE state IN ('pending', 'sending')`, "of a line one delivery is next", first + "-2"},
		"one that waits for nobody":     {`UPDATE deliveries SET line = 'x', turn = 1 WHERE state = 'pending'`, "what waits in a line waits behind the one that is next", first + "-2"},
		"a message that is none":        {`UPDATE deliveries SET message = '{' WHERE event = 1 AND n = 2`, "a message is JSON", first + "-2"},
		"one of a rule that is silent":  {`UPDATE deliveries SET rule = 'other' WHERE event = 1 AND n = 2`, "what is owed is owed by a rule that fired", first + "-2"},
		"one of an event without":       {`UPDATE events SET judgement = NULL WHERE seq = 2`, "what is owed is owed by a rule that fired", second + "-1"},
		"a replay that is not there":    {`UPDATE deliveries SET replay = 1 WHERE event = 1 AND n = 2`, "what is owed is owed by a rule that fired", first + "-2"},
		"a replay of other rules":       {aReplay + `UPDATE deliveries SET replay = 1 WHERE event = 1 AND n = 2`, "what is owed is owed by a rule that fired", first + "-2"},
		"a replay of what is no event":  {off + aReplay + `UPDATE replays SET event = 99`, "a replay is of an event that is there", "replay 1 of event 99"},
		"a replay too few":              {aReplay + `UPDATE replays SET n = 2`, "the replays of an event are numbered from 1", "replay 2 of " + first},
		"a replay without judgement":    {aReplay + `UPDATE replays SET judgement = '{'`, "a replay is judged, and what its rules had to say can be read", "replay 1 of " + first},
		"a replay that owes a reminder": {aReplay + `UPDATE replays SET judgement = '{"fired":["tell"]}'; UPDATE deliveries SET replay = 1, at = 0 WHERE event = 1 AND n = 2`, "what a replay owes goes with no entry", first + "-2"},
		"an event that nobody judged":   {`UPDATE events SET generation = 0 WHERE seq = 1`, "an event is judged by one generation of rules", first},
		"one that nobody judged":        {`UPDATE events SET generation = 0 WHERE seq = 1`, "every stored event is judged", "1 of 2 are"},
		"one in no state":               {off + `UPDATE deliveries SET state = 'lost' WHERE event = 1 AND n = 1`, "every delivery is in exactly one state", "2 of 3 are"},
		"one tried too often":           {`UPDATE deliveries SET attempts = 2 WHERE event = 1 AND n = 1`, "every attempt is recorded once", "2 are counted, and 1 recorded"},
		"an attempt of nothing":         {anAttempt + `UPDATE attempts SET delivery = 99`, "an attempt belongs to a delivery", "attempt 1 at the delivery of row 99"},
		"an entry of another's event":   {`UPDATE entries SET event = 2 WHERE id = 'entry-1'`, "the newest version of an entry came with an event that is there", "entry entry-1"},
		"an entry without its event":    {off + `UPDATE entries SET event = 99 WHERE id = 'entry-1'`, "the newest version of an entry came with an event that is there", "entry entry-1"},
		"an entry that is not deleted":  {`UPDATE entries SET deleted = 1 WHERE id = 'entry-2'`, "an entry is deleted when its newest version says so", "entry entry-2"},
		"a row of nobody's":             {`INSERT INTO synced VALUES ('entry-9', 'tell', 0, 0)`, "a row of a table belongs to an entry that is known", "rule tell, entry entry-9"},
		"a claim for what is cancelled": {`UPDATE deliveries SET state = 'cancelled', last_error = 'why' WHERE event = 1`, "a claim stands for what was not cancelled", "rule tell, value 1, event " + first},
		"a claim of nobody's":           {`UPDATE claims SET event = 'nobody'`, "a claim is held by an event that is there, or was removed with its time", "rule tell, value 1, event nobody"},
		"a deleted entry that counts":   {`UPDATE contributions SET entry = 'entry-9'`, "what counts in a stat is an entry that is there", "stat costs, entry entry-9"},
		"other bytes":                   {`UPDATE events SET body = CAST(replace(body, '0.1', '0.2') AS BLOB) WHERE seq = 1`, "an event's body is what was received", first},
		"bytes that are no event":       {`UPDATE events SET body = x'00', digest = x'6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d' WHERE seq = 1`, "an event can be read", first},
		"a version that was forgotten":  {`UPDATE entries SET event = 2, version = '0' WHERE id = 'entry-1'`, "no event brings a newer version of an entry than the newest that is known", first},
		"an event of another name":      {`UPDATE events SET name = 'entry.updated' WHERE seq = 1`, "an event is listed as what its body says", first},
		"a judgement that is none":      {`UPDATE events SET judgement = '{"fired":["tell"]' WHERE seq = 1`, "an event is judged, and what the rules had to say can be read", first},
		"an unknown entry":              {`DELETE FROM entries WHERE id = 'entry-1'`, "the entry of an event is known", first},
		"an entry of another version":   {`UPDATE entries SET version = '2060' WHERE id = 'entry-1'`, "the newest version of an entry is that of its event", first},
		"a value that is none":          {`UPDATE contributions SET value = 'x'`, "a contribution has a day and a value that can be read", `stat costs, entry entry-1: reading an amount: "x" is no decimal number`},
		"a day that is none":            {`UPDATE contributions SET day = 'x'`, "a contribution has a day and a value that can be read", `stat costs, entry entry-1: parsing time "x" as "2006-01-02": cannot parse "x" as "2006"`},
		"a total that is off": {`UPDATE totals SET sum = '0.10000000000000001' WHERE period = '' AND user = ''`, "a total is what the contributions add up to",
			"stat costs: it is 1 of 0.10000000000000001, and the contributions make 1 of 0.1"},
		"a count that is off": {`UPDATE totals SET count = 2 WHERE length(period) = 7 AND user = ''`, "a total is what the contributions add up to",
			"stat costs, period 2026-11: it is 2 of 0.1, and the contributions make 1 of 0.1"},
		"a total that is missing": {`DELETE FROM totals WHERE length(period) = 10 AND user <> ''`, "a total is what the contributions add up to",
			"stat costs, period 2026-11-23, user u: there is none, and the contributions make 1 of 0.1"},
		"a total of nothing": {`INSERT INTO totals VALUES (1, '', '2027', '', '', 1, '5')`, "a total is what the contributions add up to",
			"stat costs, period 2027: it is 1 of 5, and the contributions make 0 of 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "router.db")
			s := open(t, store.Config{Path: path})
			defer shut(t, s)
			keepBooks(t, s, first, second)
			if audit := check(t, s); len(audit.Discrepancies) > 0 {
				t.Fatalf("Check() of a sound store = %+v", audit.Discrepancies)
			}
			must(t, raw(t, path), test.spoil)
			var told []string
			for _, d := range check(t, s).Discrepancies {
				if d.Count != len(d.Found) {
					t.Errorf("Check() counts %d and names %q", d.Count, d.Found)
				}
				for _, found := range d.Found {
					told = append(told, d.Broken+": "+found)
				}
			}
			for _, line := range told {
				if line == test.broken+": "+test.found {
					return
				}
			}
			t.Errorf("Check() =\n%s\nwant\n%s: %s", strings.Join(told, "\n"), test.broken, test.found)
		})
	}
}

// keepBooks fills a store with something in each book: an event that was delivered, waits and counts, and one that is being
// sent.
func keepBooks(t *testing.T, s *store.Store, first, second engine.EventID) {
	t.Helper()
	now := time.Date(2026, 11, 23, 12, 0, 0, 999_999, time.UTC) // stored in milliseconds
	if err := s.DefineStats(t.Context(), []engine.Stat{{Name: "costs", Definition: "d", Zone: "UTC"}}, false); err != nil {
		t.Fatal(err)
	}
	parsed := func(entry string) *peanuts.Event {
		e, err := peanuts.Parse([]byte(`{"event":"entry.created","helper":{"command":"/expenses"},"entry":{"id":"` + entry + `","data":{"cost":0.1}}}`))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	owed := func(leased bool) engine.Owed {
		return engine.Owed{Rule: "tell", Action: "ledger", Kind: engine.KindHTTP, Message: []byte(`{}`), Leased: leased}
	}
	for _, a := range []struct {
		id    engine.EventID
		event *peanuts.Event
		j     engine.Judgement
	}{
		{first, parsed("entry-1"), engine.Judgement{
			Generation: 1, Fired: []engine.RuleName{"tell"}, Owed: []engine.Owed{owed(true), owed(false)}, Claims: []engine.Claim{{Rule: "tell", Value: "1"}},
			Contributions: []engine.Contribution{{Stat: "costs", Definition: "d", Entry: "entry-1", Day: "2026-11-23", User: "u", Value: "0.1"}},
		}},
		{second, parsed("entry-2"), engine.Judgement{Generation: 1, Fired: []engine.RuleName{"tell"}, Owed: []engine.Owed{owed(true)}}},
	} {
		receipt, err := s.Accept(t.Context(), &engine.Acceptance{
			ID: a.id, ReceivedAt: now, LeaseUntil: now.Add(time.Minute), Event: a.event, Judge: func(engine.Known) engine.Judgement { return a.j },
		})
		if err != nil {
			t.Fatal(err)
		}
		if a.id == first {
			done := engine.Settlement{ID: receipt.Leases[0].ID, Generation: 1, State: engine.Delivered, Attempt: &engine.Attempt{At: now, Status: "200 OK"}}
			if recorded, err := s.Settle(t.Context(), done); err != nil || !recorded.Applied {
				t.Fatal(recorded, err)
			}
		}
	}
}

func check(t *testing.T, s *store.Store) store.Audit {
	t.Helper()
	audit, err := s.Check(t.Context())
	if err != nil {
		t.Fatalf("Check() = %v", err)
	}
	return audit
}

func TestACheckTellsWhatItLookedAt(t *testing.T) {
	s := open(t, store.Config{})
	defer shut(t, s)
	keepBooks(t, s, "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002")
	want := []store.Looked{
		{What: "events", Count: 2}, {What: "deliveries", Count: 3}, {What: "replays", Count: 0}, {What: "attempts", Count: 1}, {What: "entries", Count: 2}, {What: "synced rows", Count: 0},
		{What: "claims", Count: 1}, {What: "contributions", Count: 1}, {What: "stats", Count: 1}, {What: "totals", Count: 6},
	}
	audit := check(t, s)
	if diff := cmp.Diff(want, audit.Looked); diff != "" {
		t.Errorf("Check() (-want +got):\n%s", diff)
	}
	balance := store.Balance{
		Events: 2, Judged: 2, Deliveries: 3, Attempts: 1, Delivering: 1,
		States: map[engine.State]int{
			engine.Pending: 1, engine.Sending: 1, engine.Delivered: 1, engine.Dead: 0, engine.Cancelled: 0, engine.Discarded: 0, engine.Shadow: 0,
		},
	}
	if diff := cmp.Diff(balance, audit.Balance); diff != "" {
		t.Errorf("Check() takes this balance (-want +got):\n%s", diff)
	}
}

// A page that was overwritten is a discrepancy, however much of the rest can still be read (F12).
func TestACheckTellsOfAFileThatIsPartlyGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "router.db")
	s := open(t, store.Config{Path: path})
	write(t, s, 0, 50)
	shut(t, s)
	overwrite(t, path, 40*4096, []byte(strings.Repeat("x", 4096)))
	s, err := store.Open(t.Context(), store.Config{Path: path, Beside: true})
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, s)
	told := check(t, s).Discrepancies
	if len(told) == 0 || told[0].Broken != "the file is whole" {
		t.Errorf("Check() of a file with a page overwritten = %+v; want that it is not whole", told)
	}
}
