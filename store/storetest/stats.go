package storetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// reportOf is how a stat stands in November 2050.
func reportOf(t testing.TB, s Store, name engine.StatName, user string) engine.StatReport {
	t.Helper()
	report, err := s.Report(t.Context(), name, engine.StatFilter{Month: "2050-11", User: user})
	if err != nil {
		t.Fatalf("Report(%s) = %v", name, err)
	}
	return report
}

// inJSON is a value as it is shown.
func inJSON(t testing.TB, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rebuild makes what is to be made anew, and tells in how many steps.
func rebuild(t testing.TB, s Store, rules *engine.Rules) (steps int) {
	t.Helper()
	for done := false; !done; steps++ {
		var err error
		if done, err = s.Rebuild(t.Context(), rules); err != nil {
			t.Fatal(err)
		}
	}
	return steps
}

func (s suite) keepsStats(t *testing.T) {
	db, rules := s.new(t), loadRules(t, tasks+`
  money: {when: entry.data.cost != nil, value: entry.data.cost, unit: entry.data.unit}
`)
	if err := db.DefineStats(t.Context(), rules.Stats(), false); err != nil {
		t.Fatal(err)
	}
	rebuild(t, db, rules)
	say := func(entry, user, event string, minute int, data string) engine.Receipt {
		return tellOf(t, db, rules, version{event, minute, data}.as(t, entry, user))
	}
	receipt := say("a", "ann", peanuts.EntryCreated, 1, `{"cost":0.1,"kind":"x","unit":"EUR"}`)
	say("a", "ann", peanuts.EntryCreated, 1, `{"cost":0.1,"kind":"x","unit":"EUR"}`) // a duplicate
	// The first of the month in Berlin, the last day of October in UTC (P23, P40).
	if len(receipt.Totals) != 2 || receipt.Totals[0].Day != "2050-11-01" || receipt.Totals[0].Total.String() != "0.1" {
		t.Errorf("the totals of the day are %+v, want 0.1 on 2050-11-01 in both stats", receipt.Totals)
	}
	say("b", "bob", peanuts.EntryCreated, 1, `{"cost":"0.2","kind":"x","unit":"EUR"}`)
	say("c", "bob", peanuts.EntryCreated, 1, `{"cost":612.345}`)
	say("d", "ann", peanuts.EntryCreated, 1, `{"cost":"$12.50","kind":"y"}`)
	say("e", "ann", peanuts.EntryCreated, 1, `{"cost":true}`)
	want := `{"month":{"month":"2050-11","total":612.645,"count":3,"average":204.215,"by_group":{"(none)":{"count":1,"total":612.345},"x":{"count":2,"total":0.3}}},` +
		`"all":{"total":612.645,"count":3,"average":204.215,"by_group":{"(none)":{"count":1,"total":612.345},"x":{"count":2,"total":0.3}}},` +
		`"unreadable":{"count":2,"entries":["d","e"]}}`
	if diff := cmp.Diff(want, inJSON(t, reportOf(t, db, "costs", ""))); diff != "" {
		t.Errorf("costs (-want +got):\n%s", diff)
	}
	month, err := db.Report(t.Context(), "costs", engine.StatFilter{Month: "2050-11", MonthAlone: true})
	if diff := cmp.Diff(inJSON(t, reportOf(t, db, "costs", "").Month), inJSON(t, month.Month)); err != nil || diff != "" || month.All.Count != 0 {
		t.Errorf("of the month alone: %v, %d entries of all time; want none (-want +got):\n%s", err, month.All.Count, diff)
	}
	money := reportOf(t, db, "money", "")
	wantMoney := `{"month":"2050-11","total":null,"count":3,"average":null,"by_group":{"(none)":{"count":3,"total":null}},` +
		`"by_unit":{"(none)":{"total":612.345,"count":1,"average":612.345,"by_group":{"(none)":{"count":1,"total":612.345}}},` +
		`"EUR":{"total":0.3,"count":2,"average":0.15,"by_group":{"(none)":{"count":2,"total":0.3}}}}}`
	if diff := cmp.Diff(wantMoney, inJSON(t, money.Month)); diff != "" {
		t.Errorf("money (-want +got):\n%s", diff)
	}
	if ann := reportOf(t, db, "costs", "ann"); ann.All.Count != 1 || ann.All.Total.String() != "0.1" {
		t.Errorf("of ann: %+v, want one of 0.1", ann.All)
	}
	say("a", "ann", peanuts.EntryUpdated, 2, `{"cost":5,"kind":"z"}`)
	say("a", "ann", peanuts.EntryUpdated, 1, `{"cost":77}`) // late
	say("b", "bob", peanuts.EntryUpdated, 2, `{"cost":5,"done":true}`)
	say("c", "bob", peanuts.EntryDeleted, 2, ``)
	say("d", "ann", peanuts.EntryUpdated, 2, `{"cost":12.50}`)
	if got := inJSON(t, reportOf(t, db, "costs", "").All); got != `{"total":17.5,"count":2,"average":8.75,"by_group":{"(none)":{"count":1,"total":12.5},"z":{"count":1,"total":5}}}` {
		t.Errorf("after updates and a delete: %s", got)
	}
	if nothing := inJSON(t, reportOf(t, db, "costs", "bob").Month); nothing != `{"month":"2050-11","total":0,"count":0,"average":null,"by_group":{}}` {
		t.Errorf("of nothing: %s", nothing) // R70
	}
	heads, err := db.Stats(t.Context())
	if err != nil || len(heads) != 2 || heads[0].Name != "costs" || heads[1].Name != "money" {
		t.Fatalf("Stats() = %+v, %v; want costs and money", heads, err)
	}
	days, err := db.Days(t.Context(), heads[0].Name, "", "2050-11-01", "2050-11-30")
	if err != nil || len(days) != 1 || days[0].Day != "2050-11-01" || days[0].Total.String() != "17.5" {
		t.Errorf("Days() = %+v, %v; want 17.5 on the 1st", days, err)
	}
}

// addsUpTheSame tells each set of events in many random orders with random duplicates, each order by a user of its own,
// so that each has totals of its own to compare.
func (s suite) addsUpTheSame(t *testing.T) {
	db, rules := s.new(t), loadRules(t, `
version: 1
rules: []
stats:
  costs: {when: not entry.data.done, value: entry.data.cost, group_by: entry.data.kind}
`)
	if err := db.DefineStats(t.Context(), rules.Stats(), false); err != nil {
		t.Fatal(err)
	}
	rebuild(t, db, rules)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	history := randomHistory(random)
	const workers = 64 // who tell at the same time, so that a disk flush serves many
	var telling sync.WaitGroup
	for worker := range workers {
		random := rand.New(rand.NewPCG(seed, uint64(worker)+1))
		telling.Go(func() {
			for n := worker; n < orders && !t.Failed(); n += workers {
				tellShuffled(t, db, rules, random, history, n)
			}
		})
	}
	telling.Wait()
	want := reportsOf(t, db, orders)
	for n, report := range want {
		if report != want[0] {
			t.Fatalf("order %d makes %s, order 0 %s", n, report, want[0])
		}
	}
	if err := db.DefineStats(t.Context(), rules.Stats(), true); err != nil {
		t.Fatal(err)
	}
	rebuild(t, db, rules)
	for n, report := range reportsOf(t, db, orders) {
		if report != want[0] {
			t.Fatalf("made anew, order %d makes %s, want %s", n, report, want[0])
		}
	}
}

// told is one event of a history: of which of its entries, and the version.
type told struct {
	entry int
	version
}

// randomHistory is what happened to some entries.
func randomHistory(random *rand.Rand) (history []told) {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	for entry := range 3 {
		for minute := range 1 + random.IntN(3) {
			event := pick(peanuts.EntryCreated, peanuts.EntryUpdated, peanuts.EntryUpdated, peanuts.EntryDeleted)
			cost := pick("0.1", "0.20", "1e-7", "12345678901234567890.123", `"3.30"`, `"n/a"`, "null", "-5", "0.30000000000000004")
			history = append(history, told{entry, version{event, minute, fmt.Sprintf(`{"cost":%s,"kind":%q,"done":%s}`,
				cost, pick("x", "y", ""), pick("true", "false", "false"))}})
		}
	}
	return history
}

// tellShuffled tells a history in an order of its own, some events twice, as what happened to a user's entries.
func tellShuffled(t *testing.T, db Store, rules *engine.Rules, random *rand.Rand, history []told, user int) {
	order := random.Perm(len(history))
	for _, i := range order {
		if random.IntN(4) == 0 {
			order = append(order, i)
		}
	}
	for _, i := range order {
		one := history[i]
		e := one.as(t, fmt.Sprintf("e%d-%d", user, one.entry), fmt.Sprint("u", user))
		_, err := db.Accept(t.Context(), &engine.Acceptance{
			ID: newID(t), ReceivedAt: noon(), Event: e,
			Judge: func(known engine.Known) engine.Judgement { return rules.Judge(e, noon(), known) },
		})
		if err != nil {
			t.Errorf("Accept(%s) = %v", e.Raw, err)
			return
		}
	}
}

// reportsOf are the reports of all users, without the ids of their entries.
func reportsOf(t *testing.T, db Store, users int) []string {
	t.Helper()
	heads, err := db.Stats(t.Context())
	if err != nil || len(heads) != 1 || heads[0].Rebuilding {
		t.Fatalf("Stats() = %+v, %v; want one that is finished", heads, err)
	}
	reports := make([]string, users)
	for n := range reports {
		user := fmt.Sprint("u", n)
		report, err := db.Report(t.Context(), heads[0].Name, engine.StatFilter{Month: "2050-11", User: user})
		if err != nil {
			t.Fatal(err)
		}
		days, err := db.Days(t.Context(), heads[0].Name, user, "", "")
		if err != nil {
			t.Fatal(err)
		}
		reports[n] = strings.ReplaceAll(inJSON(t, report)+inJSON(t, days), fmt.Sprintf(`"e%d-`, n), `"e-`)
	}
	return reports
}

func (s suite) definesStats(t *testing.T) {
	db := s.new(t)
	const before = "version: 1\nrules: []\nstats:\n  costs: {when: entry.data.cost != nil, value: entry.data.cost}\n"
	first := loadRules(t, before+"  gone: {when: entry.data.cost > 0, value: 1}\n")
	if err := db.DefineStats(t.Context(), first.Stats(), false); err != nil {
		t.Fatal(err)
	}
	const entries = 250 // several batches
	for n := range entries {
		tell(t, db, first, fmt.Sprintf("e%03d", n), version{peanuts.EntryCreated, 1, `{"cost":2,"kind":"x"}`})
	}
	tell(t, db, first, "e000", version{peanuts.EntryDeleted, 2, ``})
	second := loadRules(t, strings.Replace(before, "value: entry.data.cost", "value: entry.data.cost * 2, group_by: entry.data.kind", 1)+"  more: {when: entry.data.cost > 0, value: 1}\n")
	if err := db.DefineStats(t.Context(), second.Stats(), false); err != nil {
		t.Fatal(err)
	}
	if report := reportOf(t, db, "costs", ""); !report.Rebuilding || report.All.Count != 0 {
		t.Errorf("just defined anew: %s, want it rebuilding", inJSON(t, report))
	}
	// While it is made anew events go on, also of entries that it has reached and has not; and rules of before are told.
	if done, err := db.Rebuild(t.Context(), first); done || err != nil {
		t.Errorf("Rebuild() by rules that know none of it = %v, %v; want it left alone", done, err)
	}
	if _, err := db.Rebuild(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	tell(t, db, second, "e001", version{peanuts.EntryUpdated, 2, `{"cost":3,"kind":"y"}`})
	tell(t, db, second, "e249", version{peanuts.EntryUpdated, 2, `{"cost":3,"kind":"y"}`})
	tell(t, db, second, "a new one", version{peanuts.EntryCreated, 2, `{"cost":3,"kind":"y"}`})
	tell(t, db, second, "e002", version{peanuts.EntryDeleted, 2, ``})
	if steps := rebuild(t, db, second); steps < 4 {
		t.Errorf("%d entries are added in %d steps, want batches", entries, steps)
	}
	want := `{"total":1002,"count":249,"average":4.02,"by_group":{"x":{"count":246,"total":984},"y":{"count":3,"total":18}}}`
	if got := reportOf(t, db, "costs", ""); got.Rebuilding || inJSON(t, got.All) != want {
		t.Errorf("made anew it is %s, want %s", inJSON(t, got), want)
	}
	if got := reportOf(t, db, "more", ""); got.All.Count != 249 {
		t.Errorf("a stat that is new covers %d of the past, want 249", got.All.Count)
	}
	heads, err := db.Stats(t.Context())
	if err != nil || len(heads) != 2 {
		t.Errorf("Stats() = %+v, %v; want the two that are defined", heads, err)
	}
	if err := db.DefineStats(t.Context(), second.Stats(), false); err != nil {
		t.Fatal(err)
	}
	if steps := rebuild(t, db, second); steps != 1 {
		t.Errorf("what is defined as before is made anew in %d steps, want nothing to do", steps)
	}
}
