package rulefile_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

var update = flag.Bool("update", false, "write the reports of the faulty rules files anew")

// options find no variable set and no secret file.
func options() rulefile.Options {
	return rulefile.Options{LookupEnv: func(string) (string, bool) { return "", false }}
}

// chdirToCorpus makes the reports name files without a path.
func chdirToCorpus(t *testing.T, which string) []string {
	t.Helper()
	t.Chdir(filepath.Join("..", "..", "testdata", "rules", which))
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules files in testdata/rules/%s: %v", which, err)
	}
	return files
}

// C15, F34, A35, R37: every mistake is told at its place, with what to do. Files expr-*.yaml belong to the engine.
func TestEveryFaultyFileBringsItsReport(t *testing.T) {
	files := chdirToCorpus(t, "bad")
	for _, file := range files {
		if strings.HasPrefix(file, "expr-") {
			continue
		}
		_, problems := rulefile.Load(file, options())
		if len(problems) == 0 {
			t.Errorf("Load(%s) finds nothing", file)
		}
		var report bytes.Buffer
		if err := problems.Report(&report); err != nil {
			t.Fatal(err)
		}
		golden := strings.TrimSuffix(file, ".yaml") + ".txt"
		if *update {
			if err := os.WriteFile(golden, report.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), report.String()); diff != "" {
			t.Errorf("the report on %s (-want +got):\n%s", file, diff)
		}
	}
	if len(files) < 40 {
		t.Errorf("%d faulty files, want at least 40", len(files))
	}
}

func TestSoundFilesBringNoProblem(t *testing.T) {
	for _, file := range chdirToCorpus(t, "ok") {
		if _, problems := rulefile.Load(file, options()); len(problems) > 0 {
			t.Errorf("Load(%s) finds\n%v", file, problems)
		}
	}
}
