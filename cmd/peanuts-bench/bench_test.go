package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The copies that the command starts of itself are copies of the test binary here.
func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) != "" {
		main()
	}
	os.Exit(m.Run())
}

// Every figure of the table, in its order, with the figure it is compared with.
var allFigures = [][2]string{
	{"bare.answered", ""},
	{"plain.accepted", "bare.answered"}, {"plain.delivered", "bare.answered"}, {"plain.settled", "bare.answered"},
	{"plain.cpu", ""}, {"plain.disk", ""}, {"plain.log", ""}, {"plain.memory", ""},
	{"tables.accepted", "plain.accepted"}, {"tables.delivered", "plain.delivered"}, {"tables.settled", "plain.settled"},
	{"bare.answer.p50", ""}, {"bare.answer.p99", ""}, {"bare.answer.p99.9", ""},
	{"answer.p50", "bare.answer.p50"}, {"answer.p99", "bare.answer.p99"}, {"answer.p99.9", "bare.answer.p99.9"},
	{"delivery.p50", ""}, {"delivery.p99", ""}, {"delivery.p99.9", ""},
	{"healthy.delivery.p99", ""}, {"hanging.delivery.p99", "healthy.delivery.p99"}, {"refusing.delivery.p99", "healthy.delivery.p99"},
	{"few.delivered", ""}, {"few.ready", ""}, {"few.memory", ""},
	{"backlog.delivered", "few.delivered"}, {"backlog.ready", "few.ready"}, {"backlog.memory", "few.memory"},
}

func TestARunMeasuresEveryFigureAndItsCountsAddUp(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts the router")
	}
	r := benched(t, "--events", "60", "--seconds", "1", "--rate", "80", "--rounds", "1", "--backlog", "300")
	var figures [][2]string
	for _, f := range r.Figures {
		figures = append(figures, [2]string{f.Name, f.Baseline})
		if f.Value <= 0 || f.Unit == "" || f.What == "" {
			t.Errorf("figure %s = %v %q, %q; want a positive number, its unit and what it is", f.Name, f.Value, f.Unit, f.What)
		}
		if (f.Ratio != nil) != (f.Baseline != "") {
			t.Errorf("figure %s has ratio %v and baseline %q; want both or none", f.Name, f.Ratio, f.Baseline)
		}
	}
	if diff := cmp.Diff(allFigures, figures); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
	// 6 of the settled ones are warm-up; the sql step settles as often as the HTTP one, and so does a second action that answers.
	want := []count{
		{Run: "plain", Accepted: 60, Delivered: 60, Settled: 66},
		{Run: "tables", Accepted: 60, Delivered: 60, Settled: 132},
		{Run: "answer", Accepted: 80, Delivered: 80, Settled: 86},
		{Run: "healthy", Accepted: 80, Delivered: 80, Settled: 172},
		{Run: "hanging", Accepted: 80, Delivered: 80, Settled: 86},
		{Run: "refusing", Accepted: 80, Delivered: 80, Settled: 86},
	}
	if diff := cmp.Diff(want, r.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// benched runs the command and reads its JSON.
func benched(t *testing.T, args ...string) *report {
	t.Helper()
	var out, errs bytes.Buffer
	args = append(args, "--output", "json")
	if code := runCommand(t.Context(), args, nil, &out, &errs); code != 0 {
		t.Fatalf("peanuts-bench %s: exit code %d\n%s", strings.Join(args, " "), code, errs.String())
	}
	r := &report{}
	if err := json.Unmarshal(out.Bytes(), r); err != nil {
		t.Fatalf("reading the report: %v\n%s", err, out.String())
	}
	return r
}

func TestOnlyMeasuresOneThingAndItsBaselines(t *testing.T) {
	b := bench{settings: settings{only: "tables"}}
	var wanted []string
	for _, m := range measurements() {
		if b.wants(m.name) {
			wanted = append(wanted, m.name)
		}
	}
	if diff := cmp.Diff([]string{"bare", "plain", "tables"}, wanted); diff != "" {
		t.Errorf("--only tables (-want +got):\n%s", diff)
	}
}

func TestWrongUsageIsToldAndEndsWith2(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--only", "speed"}, `--only is one of bare, plain, tables, answer, dead, backlog, not "speed"`},
		{[]string{"--events", "0"}, "--events is at least 1"},
		{[]string{"--backlog", "10"}, "--backlog (10) is at least --events (20000)"},
		{[]string{"--output", "xml"}, `--output is text or json, not "xml"`},
		{[]string{"more"}, "unknown command"},
	} {
		var out, errs bytes.Buffer
		code := runCommand(t.Context(), c.args, nil, &out, &errs)
		if code != 2 || !strings.Contains(errs.String(), c.want) {
			t.Errorf("peanuts-bench %v = %d, %q; want 2 and %q", c.args, code, errs.String(), c.want)
		}
	}
}

func TestTheTableNamesEachFigureWithItsRatio(t *testing.T) {
	r := newReport(settings{events: 10, seconds: 2, rate: 5, pending: 20, concurrency: 8})
	r.System, r.CPUs = "linux/amd64", 2
	r.add(figure{Name: "bare.answered", Value: 39000, Unit: "events/s", What: "answered"})
	r.add(figure{Name: "plain.settled", Value: 11700, Unit: "events/s", Baseline: "bare.answered", ToReach: ">= 0.35", What: "settled"})
	var out bytes.Buffer
	if err := r.printTable(&out); err != nil {
		t.Fatal(err)
	}
	want := `linux/amd64, 2 processors; 10 events a closed load, open loads of 2 s at 5 events/s, a backlog of 20, 8 attempts at once

figure         value  unit      ratio  of             to reach  what it is
bare.answered  39000  events/s                                  answered
plain.settled  11700  events/s  0.30   bare.answered  >= 0.35   settled
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("printTable() (-want +got):\n%s", diff)
	}
}

func TestQuantilesAreTimesThatWereSeen(t *testing.T) {
	var took []time.Duration
	for i := 1000; i > 0; i-- {
		took = append(took, time.Duration(i))
	}
	for _, c := range []struct {
		took []time.Duration
		want quantiles
	}{
		{took, quantiles{P50: 500, P99: 990, P999: 999}},
		{[]time.Duration{7}, quantiles{P50: 7, P99: 7, P999: 7}},
		{[]time.Duration{2, 1, 3}, quantiles{P50: 2, P99: 3, P999: 3}},
		{nil, quantiles{}},
	} {
		if got := quantilesOf(c.took); got != c.want {
			t.Errorf("quantilesOf(%d times) = %v, want %v", len(c.took), got, c.want)
		}
	}
}

// A load fails at the first answer other than 200: no figure may stand on refused events.
func TestALoadThatIsRefusedFails(t *testing.T) {
	handler, err := startChild(t.Context(), roleTarget)
	if err != nil {
		t.Fatal(err)
	}
	defer handler.stop()
	job := loadJob{Name: "lost", Address: handler.address, Events: 3, Connections: 2}
	_, err = job.run(context.Background())
	if err == nil || !strings.Contains(err.Error(), "answered 404 Not Found") {
		t.Errorf("a load to a path that the target does not know: %v; want its answer", err)
	}
}

func TestAnEventTellsWhenItWasDue(t *testing.T) {
	due := time.Unix(1_795_000_000, 123_456_789)
	body := appendEvent(nil, "load", 7, due)
	if got, ok := dueOf(body); !ok || !got.Equal(due) {
		t.Errorf("dueOf(%s) = %v, %v; want %v", body, got, ok, due)
	}
	if _, ok := dueOf([]byte(`{"event":"entry.created"}`)); ok {
		t.Error("dueOf() found a moment in an event that has none")
	}
}
