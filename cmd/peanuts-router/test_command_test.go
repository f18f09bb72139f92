package main

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the reports of the test command anew")

// ranTest is what `test` prints in a folder, and its exit code.
func ranTest(t *testing.T, dir string, args ...string) (out string, code int) {
	t.Helper()
	t.Chdir(dir)
	var printed, complaints bytes.Buffer
	code = run(t.Context(), append([]string{"test"}, args...), terminal{in: strings.NewReader(""), out: &printed, err: &complaints})
	if complaints.Len() > 0 {
		t.Errorf("test %q complains: %s", args, complaints.String())
	}
	return printed.String(), code
}

// Each failure and each mistake in a test file is told at its place, as people and as programs read it.
func TestTheTestCommandReports(t *testing.T) {
	for _, c := range []struct {
		golden string
		args   []string
		code   int
	}{
		{"passes.txt", []string{"passes_test.yaml"}, 0},
		{"fails.txt", []string{"fails_test.yaml"}, 1},
		{"bad.txt", []string{"bad_test.yaml", "norules_test.yaml", "syntax_test.yaml"}, 1},
		{"once/passes.txt", []string{"once/passes_test.yaml"}, 0},
		{"once/fails.txt", []string{"once/fails_test.yaml"}, 1},
		{"once/suggest.txt", []string{"--suggest", "once/rules.yaml"}, 0},
		{"once/bad.txt", []string{"once/bad_test.yaml"}, 1},
		{"report.json", []string{"--output", "json", "."}, 1},
		{"suggest.txt", []string{"--suggest", "passes_test.yaml", "../task.json"}, 0},
		{"suggest.json", []string{"--suggest", "--output", "json", "rules.yaml"}, 0},
		{"report.xml", []string{"--output", "junit", "."}, 1},
	} {
		t.Run(c.golden, func(t *testing.T) {
			got, code := ranTest(t, "../../testdata/tests", c.args...)
			if code != c.code {
				t.Errorf("test %q ends with %d, want %d", c.args, code, c.code)
			}
			if *update {
				writeFile(t, c.golden, got)
			}
			want, err := os.ReadFile(c.golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("test %q (-want +got):\n%s", c.args, diff)
			}
		})
	}
}

// The counts that CI systems show are those of the cases below them.
func TestTheJUnitReportCountsItsCases(t *testing.T) {
	out, _ := ranTest(t, "../../testdata/tests", "--output", "junit", ".")
	var report junitReport
	if err := xml.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	tests, failures, errors := 0, 0, 0
	for _, suite := range report.Suites {
		for _, one := range suite.Cases {
			tests++
			if one.Failure != nil {
				failures++
			}
			if one.Error != nil {
				errors++
			}
		}
	}
	if tests != report.Tests || failures != report.Failures || errors != report.Errors || failures == 0 || errors == 0 {
		t.Errorf("the report counts %d tests, %d failures, %d errors; there are %d, %d, %d", report.Tests, report.Failures, report.Errors, tests, failures, errors)
	}
}

func TestTheTestsOfTheExampleRulesPass(t *testing.T) {
	if out, code := ranTest(t, "../../testdata", "rules.example_test.yaml"); code != 0 {
		t.Errorf("test rules.example_test.yaml ends with %d:\n%s", code, out)
	}
}

// Every test file in docs/testing.md, fenced as yml, passes beside the example rules, the rules files of that page and the
// sample payloads.
func TestEveryTestFileInTheDocumentationPasses(t *testing.T) {
	page, err := os.ReadFile("../../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"rules.example.yaml", "testdata"} {
		target, err := filepath.Abs(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, rules := range regexp.MustCompile("(?ms)^```yaml ([a-z.]+)\n(.*?)^```$").FindAllSubmatch(page, -1) {
		writeFile(t, filepath.Join(dir, string(rules[1])), string(rules[2]))
	}
	files := regexp.MustCompile("(?ms)^```yml\n(.*?)^```$").FindAllSubmatch(page, -1)
	if len(files) < 4 {
		t.Errorf("docs/testing.md shows %d test files, want at least 4", len(files))
	}
	for i, found := range files {
		name := fmt.Sprintf("example%d_test.yaml", i)
		writeFile(t, filepath.Join(dir, name), string(found[1]))
		if out, code := ranTest(t, dir, name); code != 0 {
			t.Errorf("an example of docs/testing.md ends with %d:\n%s\n%s", code, found[1], out)
		}
	}
}

// The failures that docs/testing.md shows are those of testdata/tests.
func TestTheFailuresInTheDocumentationAreTrue(t *testing.T) {
	page, err := os.ReadFile("../../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	report, err := os.ReadFile("../../testdata/tests/fails.txt")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?ms)^```text\n(.*?)^```$").FindSubmatch(page)
	if shown == nil {
		t.Fatal("docs/testing.md shows no failure")
	}
	for line := range strings.Lines(string(shown[1])) {
		if !bytes.Contains(report, []byte(line)) {
			t.Errorf("docs/testing.md shows %q, which testdata/tests/fails.txt does not hold", line)
		}
	}
}
