package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newRoot builds the tree of commands. reached turns true once a command's own code runs: until then every error
// is one of usage.
func newRoot(t *terminal) (root *cobra.Command, reached *bool) {
	reached = new(bool)
	root = &cobra.Command{
		Use:   "peanuts-router",
		Short: "Routes the webhooks of Peanuts by rules in YAML to Slack, e-mail, HTTP and SQL",
		Example: `  peanuts-router demo
  peanuts-router validate rules.yaml
  peanuts-router dry-run --rules rules.yaml testdata/expense-high.json
  PEANUTS_SECRET=... peanuts-router serve --rules rules.yaml`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := flagsFromEnvironment(cmd.Flags()); err != nil {
				return err
			}
			if err := t.setOutput(cmd); err != nil {
				return err
			}
			*reached = true
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.PersistentFlags().String("output", "text", "text or json; data goes to stdout, the rest to stderr")
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run:"},
		&cobra.Group{ID: "rules", Title: "Write rules:"},
		&cobra.Group{ID: "record", Title: "Look and mend:"},
	)
	root.AddCommand(
		inGroup("run", newDemo(t), newServe(t), newSend(t))...)
	root.AddCommand(
		inGroup("rules", newValidate(t), newDryRun(t), newTest(t), newBacktest(t), newSchema(t))...)
	root.AddCommand(
		inGroup("record", newEvents(t), newDeliveries(t), newDeadLetters(t), newStats(t), newCheck(t), newBackup(t))...)
	root.AddCommand(newVersion(t))
	return root, reached
}

func inGroup(id string, commands ...*cobra.Command) []*cobra.Command {
	for _, command := range commands {
		command.GroupID = id
	}
	return commands
}

// envPrefix stands before the name of every flag that comes from the environment.
const envPrefix = "PEANUTS_ROUTER_"

// flagsFromEnvironment sets every flag that the command line left alone and the environment names:
// --admin-host is PEANUTS_ROUTER_ADMIN_HOST.
func flagsFromEnvironment(flags *pflag.FlagSet) error {
	var first error
	flags.VisitAll(func(flag *pflag.Flag) {
		name := envPrefix + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		value, set := os.LookupEnv(name)
		if !set || flag.Changed || first != nil {
			return
		}
		if err := flags.Set(flag.Name, value); err != nil {
			first = usagef("%s: %w", name, err)
		}
	})
	return first
}
