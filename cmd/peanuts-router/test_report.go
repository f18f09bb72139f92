package main

import (
	"fmt"
	"strings"

	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/engine/ruletest"
)

// testReport is what came of every file.
type testReport struct{ files []testedFile }

// The shapes that --output json prints.
type (
	testReportJSON struct {
		Files  []testFileJSON `json:"files"`
		Passed int            `json:"passed"`
		Failed int            `json:"failed"`
	}
	testFileJSON struct {
		File     string        `json:"file"`
		Problems []problemJSON `json:"problems"`
		Tests    []testJSON    `json:"tests"`
	}
	testJSON struct {
		Name     string        `json:"name"`
		File     string        `json:"file"`
		Line     int           `json:"line"`
		Column   int           `json:"column"`
		Passed   bool          `json:"passed"`
		Failures []failureJSON `json:"failures"`
	}
	failureJSON struct {
		Kind    ruletest.FailureKind `json:"kind"` // missing, different or unexpected
		File    string               `json:"file"`
		Line    int                  `json:"line"`
		Column  int                  `json:"column"`
		Message string               `json:"message"`
		Detail  []string             `json:"detail"`
	}
)

// counts are how many tests passed, how many failed, and how many files could not be used.
func (r *testReport) counts() (passed, failed, unusable int) {
	for i := range r.files {
		wrong := r.files[i].failed()
		passed, failed = passed+len(r.files[i].results)-wrong, failed+wrong
		if r.files[i].problems.Failed() {
			unusable++
		}
	}
	return passed, failed, unusable
}

func (r *testReport) bad() bool {
	_, failed, unusable := r.counts()
	return failed+unusable > 0
}

// print writes the summary for people, or the whole for programs.
func (r *testReport) print(t *terminal) error {
	switch t.output {
	case outputJSON:
		return t.printJSON(r.json())
	case outputJUnit:
		return r.printJUnit(t.out)
	}
	passed, failed, unusable := r.counts()
	summary := fmt.Sprintf("%s passed, %d failed", count(passed, "test", "tests"), failed)
	if unusable > 0 {
		summary += ", " + count(unusable, "file could not be used", "files could not be used")
	}
	_, err := fmt.Fprintln(t.out, summary+".")
	return err
}

func (r *testReport) json() testReportJSON {
	out := testReportJSON{Files: []testFileJSON{}}
	out.Passed, out.Failed, _ = r.counts()
	for _, f := range r.files {
		file := testFileJSON{File: f.name, Problems: append([]problemJSON{}, problemsJSON(f.problems)...), Tests: []testJSON{}}
		for _, result := range f.results {
			test := testJSON{
				Name: result.Name, File: result.Place.File, Line: result.Place.Line, Column: result.Place.Column,
				Passed: len(result.Failures) == 0, Failures: []failureJSON{},
			}
			for _, failure := range result.Failures {
				test.Failures = append(test.Failures, newFailureJSON(failure))
			}
			file.Tests = append(file.Tests, test)
		}
		out.Files = append(out.Files, file)
	}
	return out
}

func newFailureJSON(f ruletest.Failure) failureJSON {
	return failureJSON{
		Kind: f.Kind, File: f.Place.File, Line: f.Place.Line, Column: f.Place.Column, Message: f.Message,
		Detail: append([]string{}, f.Detail...),
	}
}

// failureText is a failure in one text: its place, what went wrong, and how.
func failureText(f ruletest.Failure) string {
	return strings.Join(append([]string{fmt.Sprintf("%s: %s", f.Place, f.Message)}, f.Detail...), "\n")
}

func problemText(problems rulefile.Problems) string { return problems.Errors().Error() }
