package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/peanuts-router/peanuts-router/engine"
)

// The truth table of the contract's section 4: a condition a column, and for the values of a row whether it holds, with a
// mark for a mismatch.
var (
	truthColumns = []string{"x > 500", "x <= 500", "x == 500", "x != 500", "not (x > 500)", "x == nil"}
	truthRows    = []struct{ values, verdicts []string }{
		{[]string{`750`, `750.5`}, []string{"true", "false", "false", "true", "false", "false"}},
		{[]string{`"750"`}, []string{"true", "false", "false", "true", "false", "false"}},
		{[]string{`"500"`, `"500.0"`}, []string{"false", "true", "true", "false", "true", "false"}},
		{[]string{`"abc"`, `""`, `true`, `[1]`}, []string{"false!", "false!", "false", "true", "true!", "false"}},
		{[]string{`null`, absentValue}, []string{"false", "false", "false", "true", "true", "true"}},
	}
)

const absentValue = "absent"

// truthRules have a rule for each column.
func truthRules(t *testing.T, dir string) {
	t.Helper()
	rules := "version: 1\nactions: {told: {http: {url: \"http://127.0.0.1:9/\"}}}\nrules:\n"
	for i, column := range truthColumns {
		rules += fmt.Sprintf("  - {name: c%d, when: %q, then: [{action: told, body: fired}]}\n", i, strings.ReplaceAll(column, "x", "entry.data.x"))
	}
	writeFile(t, filepath.Join(dir, "rules.yaml"), rules)
}

// eachTruth calls try with the event of each value of the table, and what it comes to.
func eachTruth(try func(name, event string, verdicts []string)) {
	for _, row := range truthRows {
		for _, value := range row.values {
			data := `"x": ` + value
			if value == absentValue {
				data = ""
			}
			try("x is "+value, `{"event": "entry.created", "timestamp": "2026-11-23T10:00:00Z", "entry": {"id": "e", "data": {`+data+`}}}`, row.verdicts)
		}
	}
}

// verdictOf writes a verdict as the table does.
func verdictOf(fired, mismatch bool) string {
	verdict := fmt.Sprint(fired)
	if mismatch {
		verdict += "!"
	}
	return verdict
}

// C7, R30, R31: the truth table, through the test command.
func TestTheTruthTableThroughTheTestCommand(t *testing.T) {
	dir := t.TempDir()
	truthRules(t, dir)
	tests := "rules: rules.yaml\ntests:\n"
	eachTruth(func(name, event string, verdicts []string) {
		tests += fmt.Sprintf("  - name: %q\n    event: %s\n    expect:\n", name, event)
		for i, verdict := range verdicts {
			if strings.HasPrefix(verdict, "true") {
				tests += fmt.Sprintf("      - {rule: c%d, body: fired}\n", i)
			}
			if strings.HasSuffix(verdict, "!") {
				tests += fmt.Sprintf("      - {rule: c%d, mismatch: {contains: entry.data.x}}\n", i)
			}
		}
	})
	writeFile(t, filepath.Join(dir, "table_test.yaml"), tests)
	out, code := ranTest(t, dir, "--output", "json")
	var report testReportJSON
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	if code != 0 || report.Passed != 11 {
		t.Errorf("test ends with %d, %d passed, want 11:\n%s\n%s", code, report.Passed, tests, out)
	}
}

// C7, R30, R31: the truth table, through dry-run.
func TestTheTruthTableThroughDryRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	truthRules(t, dir)
	tried := 0
	eachTruth(func(name, event string, verdicts []string) {
		tried++
		writeFile(t, filepath.Join(dir, "event.json"), event)
		var report dryRunReport
		if err := json.Unmarshal([]byte(command(t, dir, "dry-run", "--rules", "rules.yaml", "--output", "json", "event.json")), &report); err != nil {
			t.Fatal(err)
		}
		for i, rule := range report.Payloads[0].Rules {
			if got := verdictOf(rule.Fired, len(rule.Mismatches) > 0); got != verdicts[i] {
				t.Errorf("%s: %s is %s, want %s", name, truthColumns[i], got, verdicts[i])
			}
		}
	})
	if tried != 11 {
		t.Errorf("%d values were tried, want 11", tried)
	}
}

// C7, R30, R31: the truth table, through a daemon and its record.
func TestTheTruthTableThroughServe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	truthRules(t, dir)
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	tried := 0
	eachTruth(func(name, event string, verdicts []string) {
		tried++
		receipt := d.post(event)
		var shown engine.EventRecord
		if err := json.Unmarshal([]byte(command(t, dir, "events", "show", string(receipt.ID), "--output", "json")), &shown); err != nil {
			t.Fatal(err)
		}
		fired, mismatched := map[engine.RuleName]bool{}, map[engine.RuleName]bool{}
		for _, rule := range shown.Fired {
			fired[rule] = true
		}
		for _, m := range shown.Mismatches {
			mismatched[m.Rule] = true
		}
		for i, want := range verdicts {
			rule := engine.RuleName(fmt.Sprint("c", i))
			if got := verdictOf(fired[rule], mismatched[rule]); got != want {
				t.Errorf("%s: %s is %s, want %s", name, truthColumns[i], got, want)
			}
		}
	})
	if tried != 11 {
		t.Errorf("%d values were tried, want 11", tried)
	}
}
