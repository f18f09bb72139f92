package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/engine/ruletest"
)

// testJob is one run of the test command.
type testJob struct {
	term       *terminal
	secretsDir string
}

// testedFile is a test file, and what came of it.
type testedFile struct {
	name     string
	problems rulefile.Problems
	results  []ruletest.Result
}

func newTest(t *terminal) *cobra.Command {
	job := testJob{term: t}
	suggest := false
	cmd := &cobra.Command{
		Use:   "test [FILE_test.yaml|DIR]...",
		Short: "Run tests of rules",
		Long: "Runs test files: they tell events, each at a time of its own, and what is to be sent for them. Nothing is sent, and\n" +
			"no store is needed. A directory stands for its files that end in _test.yaml; without arguments it is this one.\n" +
			"docs/testing.md tells how a test is written. Exit code 1 when a test fails or a file cannot be used.\n\n" +
			"With --suggest it runs nothing, but prints events around each constant that the rules compare with, and what each rule\n" +
			"makes of them. It takes rules files, too, and payloads to make the events from.",
		Example: `  peanuts-router test
  peanuts-router test testdata/rules.example_test.yaml
  peanuts-router test --output junit rules/ > report.xml
  peanuts-router test --suggest rules.yaml testdata/expense-high.json`,
		Annotations: map[string]string{furtherOutput: outputJUnit},
		RunE: func(_ *cobra.Command, args []string) error {
			if suggest {
				return job.suggest(args)
			}
			return job.run(args)
		},
	}
	cmd.Flags().StringVar(&job.secretsDir, "secrets-dir", os.Getenv("CREDENTIALS_DIRECTORY"), "where ${file:NAME} in the rules is read")
	cmd.Flags().BoolVar(&suggest, "suggest", false, "print events where the verdicts of rules turn, instead of running tests")
	cmd.Flags().String("output", "text", "text, json or junit")
	return cmd
}

func (j *testJob) options() engine.Options {
	return engine.Options{Options: rulefile.Options{SecretsDir: j.secretsDir, UnsetIsWarning: true}}
}

func (j *testJob) run(args []string) error {
	if len(args) == 0 {
		args = []string{"."}
	}
	names, err := testFiles(args)
	if err != nil {
		return err
	}
	report := testReport{}
	for _, name := range names {
		file := testedFile{name: name}
		var suite *ruletest.Suite
		if suite, file.problems = ruletest.Load(name, j.options()); suite != nil {
			file.results = suite.Run()
		}
		report.files = append(report.files, file)
		if j.term.output == outputText {
			if err := file.print(j.term.out); err != nil {
				return err
			}
		}
	}
	if err := report.print(j.term); err != nil {
		return err
	}
	if report.bad() {
		return toldError{}
	}
	return nil
}

// testFiles are the test files that arguments name, those of a directory in lexical order.
func testFiles(args []string) ([]string, error) {
	var names []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			var path *os.PathError
			if errors.As(err, &path) {
				err = path.Err
			}
			return nil, fmt.Errorf("reading %s: %w", arg, err)
		}
		if !info.IsDir() {
			names = append(names, arg)
			continue
		}
		found, err := filepath.Glob(filepath.Join(strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`).Replace(arg), "*_test.yaml"))
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", arg, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s holds no file that ends in _test.yaml; docs/testing.md tells how one is written", arg)
		}
		names = append(names, found...)
	}
	return names, nil
}

// failed counts the tests that failed.
func (f *testedFile) failed() (n int) {
	for _, result := range f.results {
		if len(result.Failures) > 0 {
			n++
		}
	}
	return n
}

// print writes what is wrong, then the file's line.
func (f *testedFile) print(w io.Writer) error {
	c := coloursFor(w)
	if f.problems.Failed() {
		if err := f.problems.Errors().Report(w); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "%s  %s  %s\n", c.red("FAIL"), f.name, f.problems.Errors().Summary())
		return err
	}
	for _, result := range f.results {
		if len(result.Failures) > 0 {
			printFailures(w, c, result)
		}
	}
	sign, summary := c.green("ok  "), count(len(f.results), "test", "tests")
	if failed := f.failed(); failed > 0 {
		sign, summary = c.red("FAIL"), fmt.Sprintf("%d of %s failed", failed, summary)
	}
	_, err := fmt.Fprintf(w, "%s  %s  %s\n", sign, f.name, summary)
	return err
}

func printFailures(w io.Writer, c colours, result ruletest.Result) {
	fmt.Fprintf(w, "%s %s\n", result.Place, c.red(oneLine(result.Name, 200)))
	for _, failure := range result.Failures {
		fmt.Fprintf(w, "    %s: %s\n", failure.Place, oneLine(failure.Message, 500))
		for _, line := range failure.Detail {
			line = oneLine(line, 2000)
			switch {
			case failure.Kind != ruletest.Different:
			case strings.HasPrefix(line, "  - "):
				line = c.red(line)
			case strings.HasPrefix(line, "  + "):
				line = c.green(line)
			}
			fmt.Fprintf(w, "        %s\n", line)
		}
	}
	fmt.Fprintln(w)
}
