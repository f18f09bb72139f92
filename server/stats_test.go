package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

const totalsRules = `
version: 1
timezone: Europe/Berlin
rules: []
stats:
  expenses: {when: 'helper.command == "/expenses"', value: entry.data.amount, group_by: entry.data.category}
  costs: {when: 'helper.command == "/costs"', value: entry.data.amount, unit: entry.data.currency}
`

// openTotalsStore is a real store that keeps the stats of totalsRules.
func openTotalsStore(t *testing.T) (*store.Store, *engine.Rules) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, []byte(totalsRules), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, problems := engine.Load(file, engine.Options{})
	if rules == nil {
		t.Fatal(problems)
	}
	s := openStore(t)
	if err := s.DefineStats(t.Context(), rules.Stats(), false); err != nil {
		t.Fatal(err)
	}
	for done := false; !done; {
		var err error
		if done, err = s.Rebuild(t.Context(), rules); err != nil {
			t.Fatal(err)
		}
	}
	return s, rules
}

// openTotals serves the totals of what goes in by a real door.
func openTotals(t *testing.T) (*door, func(path string) answer) {
	t.Helper()
	s, rules := openTotalsStore(t)
	d := openDoor(t, func(c *Config) { c.Store, c.Judge = s, rules })
	admin, client := openAdmin(t, AdminConfig{Stats: s, Now: endOfNovember})
	return d, func(path string) answer { return ask(t, admin, client, http.MethodGet, path) }
}

func (d *door) enter(t *testing.T, event, helper, id, created, user, data string) {
	t.Helper()
	body := fmt.Sprintf(`{"event":%q,"timestamp":%q,"helper":{"command":%q},"entry":{"id":%q,"created_at":%q,"data":%s},"user":{"id":%q}}`,
		event, created, helper, id, created, data, user)
	if got := d.post(t, "/webhook", []byte(body)); got.status != http.StatusOK {
		t.Fatalf("%s: %d %s", body, got.status, got.text)
	}
}

// R64-R75: the two answers in the contract's shapes, by month and user, in the configured zone.
func TestTheTotalsAreAnsweredInTheContractsShapes(t *testing.T) {
	d, get := openTotals(t)
	d.enter(t, "entry.created", "/expenses", "e1", "2026-11-23T10:00:00Z", "u1", `{"amount":12.50,"category":"Travel"}`)
	d.enter(t, "entry.updated", "/expenses", "e1", "2026-11-23T11:00:00Z", "u1", `{"amount":0.1,"category":"Travel"}`)
	d.enter(t, "entry.created", "/expenses", "e2", "2026-11-30T22:59:59Z", "u2", `{"amount":"0.2"}`)
	d.enter(t, "entry.created", "/expenses", "e3", "2026-11-30T23:00:00Z", "u1", `{"amount":7,"category":"Food"}`) // December in Berlin
	d.enter(t, "entry.created", "/expenses", "e4", "2026-11-24T10:00:00Z", "u2", `{"amount":"n/a","category":"Food"}`)
	d.enter(t, "entry.created", "/costs", "c1", "2026-11-24T10:00:00Z", "u1", `{"amount":5,"currency":"EUR"}`)
	d.enter(t, "entry.created", "/costs", "c2", "2026-11-24T10:00:00Z", "u1", `{"amount":6,"currency":"USD"}`)
	for path, want := range map[string]string{
		"/api/stats?stat=expenses&month=2026-11": `{"stats":{"expenses":{
			"month":{"month":"2026-11","total":0.3,"count":2,"average":0.15,"by_group":{"(none)":{"count":1,"total":0.2},"Travel":{"count":1,"total":0.1}}},
			"all":{"total":7.3,"count":3,"average":2.43,"by_group":{"(none)":{"count":1,"total":0.2},"Food":{"count":1,"total":7},"Travel":{"count":1,"total":0.1}}},
			"unreadable":{"count":1,"entries":["e4"]}}}}`,
		"/api/stats?stat=expenses&user=u1": `{"stats":{"expenses":{
			"month":{"month":"2026-12","total":7,"count":1,"average":7,"by_group":{"Food":{"count":1,"total":7}}},
			"all":{"total":7.1,"count":2,"average":3.55,"by_group":{"Food":{"count":1,"total":7},"Travel":{"count":1,"total":0.1}}},
			"unreadable":{"count":0,"entries":[]}}}}`,
		"/api/stats?stat=costs&month=2026-11": `{"stats":{"costs":{
			"month":{"month":"2026-11","total":null,"count":2,"average":null,"by_group":{"(none)":{"count":2,"total":null}},"by_unit":{
				"EUR":{"total":5,"count":1,"average":5,"by_group":{"(none)":{"count":1,"total":5}}},
				"USD":{"total":6,"count":1,"average":6,"by_group":{"(none)":{"count":1,"total":6}}}}},
			"all":{"total":null,"count":2,"average":null,"by_group":{"(none)":{"count":2,"total":null}},"by_unit":{
				"EUR":{"total":5,"count":1,"average":5,"by_group":{"(none)":{"count":1,"total":5}}},
				"USD":{"total":6,"count":1,"average":6,"by_group":{"(none)":{"count":1,"total":6}}}}},
			"unreadable":{"count":0,"entries":[]}}}}`,
		"/api/stats?stat=expenses&month=2020-01": `{"stats":{"expenses":{
			"month":{"month":"2020-01","total":0,"count":0,"average":null,"by_group":{}},
			"all":{"total":7.3,"count":3,"average":2.43,"by_group":{"(none)":{"count":1,"total":0.2},"Food":{"count":1,"total":7},"Travel":{"count":1,"total":0.1}}},
			"unreadable":{"count":1,"entries":["e4"]}}}}`,
		"/api/dashboard":                    `{"daily_totals":{"2026-11-23":0.1,"2026-11-30":0.2,"2026-12-01":7},"total":7.3}`,
		"/api/dashboard?month=2026-11":      `{"daily_totals":{"2026-11-23":0.1,"2026-11-30":0.2},"total":0.3}`,
		"/api/dashboard?user=u2":            `{"daily_totals":{"2026-11-30":0.2},"total":0.2}`,
		"/api/dashboard?stat=costs":         `{"daily_totals":{"2026-11-24":null},"total":null}`,
		"/api/dashboard?user=nobody":        `{"daily_totals":{},"total":0}`,
		"/api/dashboard?stat=&month=&user=": `{"daily_totals":{"2026-11-23":0.1,"2026-11-30":0.2,"2026-12-01":7},"total":7.3}`,
	} {
		if got := get(path); got.status != http.StatusOK || strings.TrimSpace(got.text) != unindented(want) {
			t.Errorf("%s: %d\n%s, want\n%s", path, got.status, got.text, unindented(want))
		}
	}
}

// unindented is JSON without the line breaks and tabs that it was written with.
func unindented(text string) string { return strings.NewReplacer("\n", "", "\t", "").Replace(text) }

// R63: each change of a day is told in one line of the log, with the day's total as it is then.
func TestEachChangeOfADayIsOneLineOfLog(t *testing.T) {
	d, _ := openTotals(t)
	const at, data = "2026-11-23T10:00:00Z", `{"amount":12.50}`
	told := 0
	for _, c := range []struct {
		event, helper, id, changed, data string
		want                             []string // day and total of each line
	}{
		{"entry.created", "/expenses", "e1", "10:00", data, []string{"2026-11-23 12.5"}},
		{"entry.created", "/expenses", "e1", "10:00", data, nil}, // a duplicate
		{"entry.created", "/expenses", "e2", "10:00", `{"amount":0.1}`, []string{"2026-11-23 12.6"}},
		{"entry.updated", "/expenses", "e1", "12:00", `{"amount":0.2}`, []string{"2026-11-23 0.3"}},
		{"entry.updated", "/expenses", "e1", "11:00", `{"amount":77}`, nil}, // late
		{"entry.created", "/expenses", "e3", "10:00", `{"amount":"n/a"}`, nil},
		{"entry.created", "/tasks", "t1", "10:00", data, nil},
		{"entry.deleted", "/expenses", "e1", "13:00", `{}`, []string{"2026-11-23 0.1"}},
	} {
		body := fmt.Sprintf(`{"event":%q,"timestamp":"2026-11-23T%s:00Z","helper":{"command":%q},"entry":{"id":%q,"created_at":%q,"data":%s}}`,
			c.event, c.changed, c.helper, c.id, at, c.data)
		if got := d.post(t, "/webhook", []byte(body)); got.status != http.StatusOK {
			t.Fatalf("%s: %d %s", body, got.status, got.text)
		}
		var got []string
		lines := d.log.lines(t, "daily total")
		for _, line := range lines[told:] {
			got = append(got, fmt.Sprint(line["day"], " ", line["total"]))
			if line["stat"] != "expenses" || line["level"] != "INFO" {
				t.Errorf("%s is told as %v", body, line)
			}
		}
		told = len(lines)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s tells %q, want %q", body, got, c.want)
		}
	}
}

func TestAskingTheTotalsAmissIsToldWhatToAsk(t *testing.T) {
	_, get := openTotals(t)
	for path, want := range map[string]answer{
		"/api/stats?month=november":  {status: http.StatusBadRequest, text: "month=2026-11"},
		"/api/stats?month=2026-13":   {status: http.StatusBadRequest, text: "month=2026-11"},
		"/api/dashboard?months=1":    {status: http.StatusBadRequest, text: "the filters are stat=NAME"},
		"/api/stats?stat=nothing":    {status: http.StatusNotFound, text: "no stat of that name"},
		"/api/dashboard?stat=nobody": {status: http.StatusNotFound, text: "no stat of that name"},
	} {
		if got := get(path); got.status != want.status || !strings.Contains(got.text, want.text) {
			t.Errorf("%s: %d %s, want %d and %q", path, got.status, got.text, want.status, want.text)
		}
	}
}

// brokenStats are totals that cannot be read.
type brokenStats struct{ heads []engine.StatHead }

var errSecretPath = errors.New("disk I/O error in /var/lib/secret.db")

func (b brokenStats) Stats(context.Context) ([]engine.StatHead, error) {
	if b.heads == nil {
		return nil, errSecretPath
	}
	return b.heads, nil
}

func (b brokenStats) Report(context.Context, engine.StatName, engine.StatFilter) (engine.StatReport, error) {
	return engine.StatReport{}, errSecretPath
}

func (b brokenStats) Days(context.Context, engine.StatName, string, string, string) ([]engine.DayTotal, error) {
	return nil, errSecretPath
}

func TestTotalsThatCannotBeReadAreA503(t *testing.T) {
	for _, broken := range []brokenStats{{}, {heads: []engine.StatHead{{Name: "expenses"}}}} {
		admin, client := openAdmin(t, AdminConfig{Stats: broken})
		for _, path := range []string{"/api/stats", "/api/dashboard"} {
			got := ask(t, admin, client, http.MethodGet, path)
			if got.status != http.StatusServiceUnavailable || strings.Contains(got.text, "secret") {
				t.Errorf("%s: %d %s, want 503 without the store's own words", path, got.status, got.text)
			}
		}
	}
}

// A router whose rules define no stats has nothing to add up.
func TestWithoutStatsTheTotalsAreEmpty(t *testing.T) {
	admin, client := openAdmin(t, AdminConfig{Stats: openStore(t)})
	for path, want := range map[string]string{"/api/stats": `{"stats":{}}`, "/api/dashboard": `{"daily_totals":{},"total":0}`} {
		if got := ask(t, admin, client, http.MethodGet, path); got.status != http.StatusOK || strings.TrimSpace(got.text) != want {
			t.Errorf("%s: %d %s, want %s", path, got.status, got.text, want)
		}
	}
}
