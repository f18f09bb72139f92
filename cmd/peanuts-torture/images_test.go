package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/peanuts-router/peanuts-router/internal/powerloss"
	"github.com/peanuts-router/peanuts-router/internal/powerloss/traced"
)

func TestImagesOfARouterLoseNothingAndThoseOfTheControlDo(t *testing.T) { // C1, F6
	if err := traced.Available(); err != nil {
		t.Skip(err)
	}
	var out, errs bytes.Buffer
	args := []string{"images", "--images", "160", "--events", "30", "--seed", "7", "--keep", filepath.Join(t.TempDir(), "kept")}
	if code := runCommand(t.Context(), args, &out, &errs); code != 0 {
		t.Fatalf("%q ended with code %d:\n%s%s", args, code, &out, &errs)
	}
	for _, row := range []string{
		`\| as it is +(\| \d+ +){3}\| 30 +\| \d+ +\| 64 +\| 0 +\| 0 +\|`,
		`\| log copied every 50 pages +(\| \d+ +){3}\| 30 +\| \d+ +\| 64 +\| 0 +\| 0 +\|`,
		`\| the same, started on an image of it +(\| \d+ +){3}\| 30 +\| \d+ +\| 32 +\| 0 +\| 0 +\|`,
		`\| control: synchronous=NORMAL +(\| \d+ +){3}\| 30 +\| \d+ +\| 40 +\| [1-9]\d* +\| 0 +\|`,
		`\| control: answers before the commit +(\| \d+ +){3}\| 30 +\| \d+ +\| 40 +\| [1-9]\d* +\| 0 +\|`,
	} {
		if !regexp.MustCompile(row).MatchString(out.String()) {
			t.Errorf("no row like %s in:\n%s", row, &out)
		}
	}
}

func TestWithoutStraceImagesTellsWhatToInstall(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var out, errs bytes.Buffer
	if code := runCommand(t.Context(), []string{"images"}, &out, &errs); code != 1 || !strings.Contains(errs.String(), "apt-get install strace") {
		t.Errorf("images without strace = code %d, %q; want 1 and what to install", code, errs.String())
	}
}

func TestImagesRefusesWhatProvesNothing(t *testing.T) {
	for _, args := range [][]string{{"--images", "0"}, {"--events", "0"}, {"--workers", "0"}} {
		var out, errs bytes.Buffer
		if code := runCommand(t.Context(), append([]string{"images"}, args...), &out, &errs); code == 0 || out.Len() > 0 {
			t.Errorf("images %q = code %d and %q, want a refusal", args, code, out.String())
		}
	}
}

func TestTheVerdictOnImages(t *testing.T) {
	router, control := tracedRouter{name: "as it is"}, tracedRouter{name: "control", control: true}
	lost := powerloss.Result{Losing: 1, Findings: []powerloss.Finding{{Where: "after operation 7", Verdict: powerloss.Verdict{Lost: []string{"event e was acknowledged"}}}}}
	torn := powerloss.Result{Corrupt: 1, Findings: []powerloss.Finding{{Where: "after operation 8", Verdict: powerloss.Verdict{Corrupt: []string{"the file is whole: not so"}}}}}
	for _, c := range []struct {
		what   string
		judged []judgedRouter
		want   string // in what is printed; empty for a good end
	}{
		{"all is well", []judgedRouter{{tracedRouter: router}, {tracedRouter: control, Result: lost}}, ""},
		{"an event is lost", []judgedRouter{{tracedRouter: router, Result: lost}, {tracedRouter: control, Result: lost}}, "as it is, after operation 7:\n    event e was acknowledged"},
		{"a store is torn", []judgedRouter{{tracedRouter: router, Result: torn}, {tracedRouter: control, Result: lost}}, "as it is, after operation 8:\n    the file is whole: not so"},
		{"the control loses nothing", []judgedRouter{{tracedRouter: router}, {tracedRouter: control}}, "control lost nothing"},
		{"the control only tears", []judgedRouter{{tracedRouter: router}, {tracedRouter: control, Result: torn}}, "control lost nothing"},
	} {
		var out bytes.Buffer
		err := verdictOnImages(&out, c.judged)
		if (err == nil) != (c.want == "") || err != nil && !errors.Is(err, errTold) || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: verdict() = %v and %q, want %q in it", c.what, err, out.String(), c.want)
		}
	}
}

func TestKeptFindingsCanBeLookedAt(t *testing.T) {
	dir := t.TempDir()
	trace := filepath.Join(dir, "trace")
	if err := os.WriteFile(trace, []byte("1 +++ exited with 0 +++"), 0o600); err != nil {
		t.Fatal(err)
	}
	image := powerloss.Image{Directories: []string{"state"}, Files: map[string][]byte{"state/router.db": []byte("x")}}
	kept := filepath.Join(dir, "kept")
	err := keepFindings(kept, traced.Record{Trace: trace}, powerloss.Result{Findings: []powerloss.Finding{{}, {Image: image}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"trace.txt", "1/state/router.db"} {
		if content, err := os.ReadFile(filepath.Join(kept, file)); err != nil || len(content) == 0 {
			t.Error(fmt.Errorf("%s was not kept: %w", file, err))
		}
	}
}
