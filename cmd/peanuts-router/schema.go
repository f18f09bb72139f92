package main

import (
	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/engine"
)

func newSchema(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the rules file, for an editor",
		Long: "Prints the JSON Schema (draft 2020-12) of the rules file. An editor that knows it completes keys, explains them and marks\n" +
			"those that do not exist. validate tells more: it also reads conditions and messages.",
		Example: `  peanuts-router schema > rules.schema.json
  # and as the first line of the rules: # yaml-language-server: $schema=./rules.schema.json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := t.out.Write(engine.RulesSchema)
			return err
		},
	}
}
