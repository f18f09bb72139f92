package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// The elements of a JUnit report, as CI systems read them.
type (
	junitReport struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string       `xml:"name,attr"`
		Class   string       `xml:"classname,attr"`
		File    string       `xml:"file,attr"`
		Line    int          `xml:"line,attr,omitempty"`
		Failure *junitDetail `xml:"failure"`
		Error   *junitDetail `xml:"error"`
	}
	junitDetail struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// printJUnit writes the report as JUnit does: a suite for each file, and an error for one that could not be used.
func (r *testReport) printJUnit(w io.Writer) error {
	report := junitReport{Name: "peanuts-router test"}
	for i := range r.files {
		suite := r.files[i].junit()
		report.Tests += suite.Tests
		report.Failures += suite.Failures
		report.Errors += suite.Errors
		report.Suites = append(report.Suites, suite)
	}
	text, err := xml.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}

func (f *testedFile) junit() junitSuite {
	suite := junitSuite{Name: f.name, Tests: len(f.results), Failures: f.failed()}
	if f.problems.Failed() {
		suite.Tests, suite.Errors = 1, 1
		errors := f.problems.Errors()
		suite.Cases = append(suite.Cases, junitCase{
			Name: "the file can be used", Class: f.name, File: errors[0].Place.File, Line: errors[0].Place.Line,
			Error: &junitDetail{Message: errors.Summary(), Type: "problem", Text: problemText(errors)},
		})
	}
	for _, result := range f.results {
		test := junitCase{Name: result.Name, Class: f.name, File: result.Place.File, Line: result.Place.Line}
		if len(result.Failures) > 0 {
			var texts []string
			for _, failure := range result.Failures {
				texts = append(texts, failureText(failure))
			}
			first := result.Failures[0]
			test.Failure = &junitDetail{Message: first.Message, Type: string(first.Kind), Text: strings.Join(texts, "\n\n")}
		}
		suite.Cases = append(suite.Cases, test)
	}
	return suite
}
