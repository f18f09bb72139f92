package main

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/peanuts-router/peanuts-router/internal/powerloss"
	"github.com/peanuts-router/peanuts-router/internal/powerloss/traced"
)

func TestARouterKilledAtASystemCallLeavesASoundStore(t *testing.T) { // C1, F5
	if err := traced.Available(); err != nil {
		t.Skip(err)
	}
	var out, errs bytes.Buffer
	args := []string{"syscalls", "--kills", "4"}
	if code := runCommand(t.Context(), args, &out, &errs); code != 0 {
		t.Fatalf("%q ended with code %d:\n%s%s", args, code, &out, &errs)
	}
	// At the first call of a kind there is no store yet, at the last there are events. Threads count by themselves, so that a
	// busy machine spreads the calls over more of them, and one may come too late.
	if row := `\| 4 +\| [01] +\| [1-3] +\| [1-9]\d* +\| 0 +\| 0 +\| 0 +\|`; !regexp.MustCompile(row).MatchString(out.String()) {
		t.Errorf("no row like %s in:\n%s", row, &out)
	}
}

func TestSyscallsRefusesWhatProvesNothing(t *testing.T) {
	for _, args := range [][]string{{"--kills", "0"}, {"--kills", "20", "--last", "10"}, {"--events", "0"}, {"--workers", "0"}} {
		var out, errs bytes.Buffer
		if code := runCommand(t.Context(), append([]string{"syscalls"}, args...), &out, &errs); code == 0 || out.Len() > 0 {
			t.Errorf("syscalls %q = code %d and %q, want a refusal", args, code, out.String())
		}
	}
}

func TestTheVerdictOnKilledRouters(t *testing.T) {
	reached := traced.Killed{Reached: true, Ready: true}
	for _, c := range []struct {
		what    string
		killed  traced.Killed
		verdict powerloss.Verdict
		row     string // what is counted
		told    bool
		unsaid  bool // the command fails without a finding
	}{
		{"all is well", reached, powerloss.Verdict{}, "1 0 0 0 0 0 0", false, false},
		{"killed while starting", traced.Killed{Reached: true}, powerloss.Verdict{}, "1 0 1 0 0 0 0", false, false},
		{"never killed", traced.Killed{Ready: true}, powerloss.Verdict{}, "1 1 0 0 0 0 0", false, true},
		{"an event is lost", reached, powerloss.Verdict{Lost: []string{"event e"}}, "1 0 0 0 0 1 0", true, false},
		{"a store does not open", reached, powerloss.Verdict{Corrupt: []string{"no store"}, Unopened: true}, "1 0 0 0 1 0 1", true, false},
	} {
		var all swept
		all.note(7, c.killed, c.verdict)
		var out bytes.Buffer
		if err := all.print(&out); err != nil {
			t.Fatal(err)
		}
		row := strings.Split(out.String(), "\n")[2]
		if got := strings.Join(strings.Fields(strings.ReplaceAll(row, "|", " ")), " "); got != c.row {
			t.Errorf("%s: counted %q, want %q", c.what, got, c.row)
		}
		if err := all.verdict(); errors.Is(err, errTold) != c.told || (err != nil) != (c.told || c.unsaid) {
			t.Errorf("%s: verdict() = %v", c.what, err)
		}
		if c.told != strings.Contains(out.String(), "killed at call 7: ") {
			t.Errorf("%s: told %q", c.what, out.String())
		}
	}
}
