package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/actions"
	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/lint"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// problemJSON is a problem of a rules file as --output json prints it.
type problemJSON struct {
	File       string `json:"file"`
	Line       int    `json:"line"`
	Column     int    `json:"column"`
	Severity   string `json:"severity"` // error or warning
	Code       string `json:"code"`
	Message    string `json:"message"`
	Suggestion string `json:"suggestion,omitempty"`
	Hint       string `json:"hint,omitempty"`
}

// validateJob is one run of the validate command.
type validateJob struct {
	term       *terminal
	secretsDir string
	connect    bool
	strict     bool
	evidence   evidence
}

func newValidate(t *terminal) *cobra.Command {
	job := &validateJob{term: t, evidence: evidence{term: t}}
	cmd := &cobra.Command{
		Use:   "validate [FILE|DIR]...",
		Short: "Tell everything that is wrong with rules files",
		Long: "Reads rules files as serve would and tells every problem at once, with file, line and column. A variable that is not\n" +
			"set is a warning here. Without arguments it reads rules.yaml. Exit code 1 when something is wrong.\n\n" +
			"With --connect it also connects to the databases of the sql actions and holds tables and columns against the rules;\n" +
			"nothing is written.\n\n" +
			"In a file without errors it also warns of what its author cannot have meant; docs/lint.md tells of each code in brackets.\n" +
			"With --samples it judges payloads by the rules and renders their messages; with --samples or --store it knows the fields\n" +
			"that events have.",
		Example: `  peanuts-router validate rules.yaml
  peanuts-router validate --connect rules.yaml
  peanuts-router validate --strict --samples testdata rules.yaml
  peanuts-router validate --output json rules/`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			if len(paths) == 0 {
				paths = []string{"rules.yaml"}
			}
			return job.run(cmd.Context(), paths)
		},
	}
	cmd.Flags().StringVar(&job.secretsDir, "secrets-dir", os.Getenv("CREDENTIALS_DIRECTORY"), "where ${file:NAME} in the rules is read")
	cmd.Flags().BoolVar(&job.connect, "connect", false, "connect to the databases, to check tables and columns")
	cmd.Flags().BoolVar(&job.strict, "strict", false, "exit code 1 also on warnings, but for variables that are not set")
	cmd.Flags().StringVar(&job.evidence.samples, "samples", "", "directory of sample payloads (*.json) to judge by the rules")
	cmd.Flags().StringVar(&job.evidence.store, "store", "", "SQLite file of a daemon, to learn field names from its newest 10,000 events")
	return cmd
}

func (j *validateJob) run(ctx context.Context, paths []string) error {
	t := j.term
	seen, err := j.evidence.seen(ctx, time.Now())
	if err != nil {
		return err
	}
	failed := false
	all := []problemJSON{}
	for _, path := range paths {
		problems := j.validate(ctx, path, seen)
		failed = failed || problems.Failed() || j.strict && strictly(problems)
		if t.json {
			all = append(all, problemsJSON(problems)...)
			continue
		}
		if err := problems.Report(t.out); err != nil {
			return err
		}
		if len(problems) > 0 {
			fmt.Fprintln(t.out)
		}
		fmt.Fprintf(t.out, "%s in %s\n", problems.Summary(), path)
	}
	if t.json {
		if err := t.printJSON(map[string]any{"problems": all}); err != nil {
			return err
		}
	}
	if failed {
		return toldError{}
	}
	return nil
}

// validate tells the problems of a file or directory. Warnings of the linter are told only where nothing is worse.
func (j *validateJob) validate(ctx context.Context, path string, seen *lint.Seen) rulefile.Problems {
	options := rulefile.Options{SecretsDir: j.secretsDir, UnsetIsWarning: !j.connect}
	rules, problems := engine.Load(path, engine.Options{Options: options})
	if rules == nil {
		return problems
	}
	if j.connect {
		problems = append(problems, misfits(ctx, rules)...)
	}
	if !problems.Failed() {
		file, _ := rulefile.Load(path, options)
		problems = append(problems, lint.Check(file, seen)...)
	}
	problems.Sort()
	return problems
}

// misfits are what the live databases say of the tables and columns that rules write.
func misfits(ctx context.Context, rules *engine.Rules) rulefile.Problems {
	var problems rulefile.Problems
	told := map[string]bool{} // two steps may write one table
	for _, table := range rules.Tables() {
		ctx, cancel := context.WithTimeout(ctx, table.Action.Timeout)
		for _, misfit := range actions.CheckSQL(ctx, table.Settings, table.Columns) {
			problem := table.Problem(misfit.Column, rules.Mask(misfit.Message))
			if !told[problem.String()] {
				told[problem.String()] = true
				problems = append(problems, problem)
			}
		}
		cancel()
	}
	return problems
}

func problemsJSON(problems rulefile.Problems) []problemJSON {
	var rows []problemJSON
	for _, p := range problems {
		severity := "error"
		if p.Warning {
			severity = "warning"
		}
		rows = append(rows, problemJSON{
			File: p.Place.File, Line: p.Place.Line, Column: p.Place.Column, Severity: severity,
			Code: p.Code, Message: p.Message, Suggestion: p.Suggestion, Hint: p.Hint,
		})
	}
	return rows
}
