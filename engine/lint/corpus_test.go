package lint_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/lint"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

var update = flag.Bool("update", false, "write the reports of testdata/rules/lint anew")

const corpus = "../../testdata/rules/"

func rulesIn(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(corpus + folder + "/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// loaded reads a file that has no errors.
func loaded(t *testing.T, name string) *rulefile.File {
	t.Helper()
	options := rulefile.Options{LookupEnv: func(string) (string, bool) { return "", false }}
	file, _ := rulefile.Load(name, options)
	if rules, problems := engine.Load(name, engine.Options{Options: options}); rules == nil || len(problems) > 0 {
		t.Errorf("Load(%s):\n%v", name, problems)
	}
	return file
}

// samples are those of testdata/rules/lint/samples.
func samples(t *testing.T) *lint.Seen {
	t.Helper()
	seen := lint.NewSeen(time.Time{})
	names, err := filepath.Glob(corpus + "lint/samples/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		event, err := peanuts.Parse(body)
		if err != nil {
			t.Fatal(err)
		}
		seen.Sample(filepath.Base(name), event)
	}
	return seen
}

// Each file of testdata/rules/lint brings its report; those named seen-* are judged with the samples.
func TestEveryFindingIsToldAtItsPlace(t *testing.T) {
	told := map[string]bool{}
	for _, name := range rulesIn(t, "lint") {
		var seen *lint.Seen
		if strings.HasPrefix(filepath.Base(name), "seen-") {
			seen = samples(t)
		}
		problems := lint.Check(loaded(t, name), seen)
		for i := range problems {
			told[problems[i].Code] = true
			problems[i].Place.File = filepath.Base(problems[i].Place.File)
			if !problems[i].Warning {
				t.Errorf("%s: a finding is an error: %v", name, problems[i])
			}
		}
		var report bytes.Buffer
		if err := problems.Report(&report); err != nil {
			t.Fatal(err)
		}
		golden := strings.TrimSuffix(name, ".yaml") + ".txt"
		got := strings.ReplaceAll(report.String(), corpus+"lint/", "")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" || got == "" {
			t.Errorf("the report on %s (-want +got):\n%s", name, diff)
		}
	}
	for _, code := range lint.Codes() {
		if !told[code] {
			t.Errorf("no file of testdata/rules/lint brings %s", code)
		}
	}
}

func TestSoundFilesBringNoFinding(t *testing.T) {
	for _, name := range append(rulesIn(t, "ok"), "../../rules.example.yaml") {
		file, _ := rulefile.Load(name, rulefile.Options{LookupEnv: func(string) (string, bool) { return "", false }, UnsetIsWarning: true})
		if problems := lint.Check(file, nil); len(problems) > 0 {
			t.Errorf("Check(%s) finds\n%v", name, problems)
		}
	}
}

// The corpus is as large as was asked for, and each faulty file stands beside its report.
func TestTheCorpusIsLarge(t *testing.T) {
	if n := len(rulesIn(t, "ok")); n < 20 {
		t.Errorf("%d sound files, want at least 20", n)
	}
	faulty := append(rulesIn(t, "bad"), rulesIn(t, "lint")...)
	if len(faulty) < 40 {
		t.Errorf("%d faulty files, want at least 40", len(faulty))
	}
	for _, folder := range []string{"bad", "lint"} {
		reports, err := filepath.Glob(corpus + folder + "/*.txt")
		if err != nil {
			t.Fatal(err)
		}
		files := rulesIn(t, folder)
		for _, report := range reports {
			if !slices.Contains(files, strings.TrimSuffix(report, ".txt")+".yaml") {
				t.Errorf("%s stands beside no rules file", report)
			}
		}
	}
}
