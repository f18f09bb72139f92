package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/engine"
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

func newValidate(t *terminal) *cobra.Command {
	var secretsDir string
	cmd := &cobra.Command{
		Use:   "validate [FILE|DIR]...",
		Short: "Tell everything that is wrong with rules files",
		Long: "Reads rules files as serve would and tells every problem at once, with file, line and column. A variable that is not\n" +
			"set is a warning here. Without arguments it reads rules.yaml. Exit code 1 when something is wrong.",
		Example: `  peanuts-router validate rules.yaml
  peanuts-router validate --output json rules/`,
		RunE: func(_ *cobra.Command, paths []string) error {
			if len(paths) == 0 {
				paths = []string{"rules.yaml"}
			}
			return validate(t, paths, secretsDir)
		},
	}
	cmd.Flags().StringVar(&secretsDir, "secrets-dir", os.Getenv("CREDENTIALS_DIRECTORY"), "where ${file:NAME} in the rules is read")
	return cmd
}

func validate(t *terminal, paths []string, secretsDir string) error {
	failed := false
	all := []problemJSON{}
	for _, path := range paths {
		_, problems := engine.Load(path, engine.Options{Options: rulefile.Options{SecretsDir: secretsDir, UnsetIsWarning: true}})
		failed = failed || problems.Failed()
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
