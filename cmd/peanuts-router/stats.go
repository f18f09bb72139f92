package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// statsJob is one run of the stats command.
type statsJob struct {
	record
	month, user string
	rebuild     bool
	rules       string
}

func newStats(t *terminal) *cobra.Command {
	job := &statsJob{record: record{term: t}}
	cmd := &cobra.Command{
		Use:   "stats [NAME]",
		Short: "Show the running totals of a month, by group",
		Long: "Shows how the stats of the rules stand: total, count and average of a month, and its groups. Entries whose value\n" +
			"is no number are in none of them; they are counted and named.",
		Example: "  peanuts-router stats\n  peanuts-router stats expenses --month 2026-11 --user user-7\n" +
			"  peanuts-router stats --rebuild --rules rules.yaml",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error { return job.run(cmd.Context(), names) },
	}
	job.register(cmd)
	cmd.Flags().StringVar(&job.month, "month", "", "such as 2026-11; default this month")
	cmd.Flags().StringVar(&job.user, "user", "", "only what this user logged")
	cmd.Flags().BoolVar(&job.rebuild, "rebuild", false, "make the stats anew from the entries first; needs --rules")
	cmd.Flags().StringVar(&job.rules, "rules", "", "rules file, or a directory of them, that define the stats; only for --rebuild")
	return cmd
}

func (j *statsJob) run(ctx context.Context, names []string) error {
	if j.month != "" && !engine.IsMonth(j.month) {
		return usagef("--month takes a month such as 2026-11, not %q", j.month)
	}
	if j.rebuild != (j.rules != "") {
		return usagef("--rebuild and --rules go together: the rules define what the stats are made of")
	}
	return j.with(ctx, func(s *store.Store) error {
		if j.rebuild {
			if err := j.makeAnew(ctx, s); err != nil {
				return err
			}
		}
		return j.show(ctx, s, names)
	})
}

// makeAnew makes the stats of the rules anew from the entries.
func (j *statsJob) makeAnew(ctx context.Context, s *store.Store) error {
	rules, err := loadRules(j.term, j.rules)
	if err != nil {
		return err
	}
	if err := s.DefineStats(ctx, rules.Stats(), true); err != nil {
		return err
	}
	for done := false; !done; {
		var err error
		if done, err = s.Rebuild(ctx, rules); err != nil {
			return err
		}
	}
	fmt.Fprintf(j.term.err, "%s made anew from the entries.\n", count(len(rules.Stats()), "stat was", "stats were"))
	return nil
}

func (j *statsJob) show(ctx context.Context, s *store.Store, names []string) error {
	heads, err := s.Stats(ctx)
	if err != nil {
		return err
	}
	reports := map[engine.StatName]engine.StatReport{}
	var shown []engine.StatName
	for _, head := range heads {
		if len(names) > 0 && string(head.Name) != names[0] {
			continue
		}
		filter := engine.StatFilter{Month: j.month, User: j.user}
		if filter.Month == "" {
			filter.Month = head.Month(time.Now())
		}
		if reports[head.Name], err = s.Report(ctx, head.Name, filter); err != nil {
			return err
		}
		shown = append(shown, head.Name)
	}
	switch {
	case len(names) > 0 && len(shown) == 0:
		return fmt.Errorf("stat %s: %w", oneLine(names[0], 80), store.ErrNotFound)
	case j.term.json:
		return j.term.printJSON(map[string]any{"stats": reports})
	case len(shown) == 0:
		_, err := fmt.Fprintln(j.term.out, "The rules define no stats.")
		return err
	}
	for i, name := range shown {
		if i > 0 {
			fmt.Fprintln(j.term.out)
		}
		printReport(j.term.out, name, reports[name])
	}
	return nil
}

// printReport prints how a stat stands: a line for the month and a bar for each group; with several units, one part for
// each of them.
func printReport(w io.Writer, name engine.StatName, report engine.StatReport) {
	c := coloursFor(w)
	month, _ := time.Parse("2006-01", report.Month.Month)
	fmt.Fprintf(w, "%s · %s\n", name, month.Format("January 2006"))
	if report.Rebuilding {
		fmt.Fprintf(w, "  %s\n", c.yellow("being made anew: not all entries are in it yet"))
	}
	if len(report.Month.ByUnit) == 0 {
		printTally(w, "", report.Month.Total, report.Month.Count, report.Month.Average, report.Month.ByGroup)
	}
	for _, unit := range sortedKeys(report.Month.ByUnit) {
		part := report.Month.ByUnit[unit]
		printTally(w, unit+" ", part.Total, part.Count, part.Average, part.ByGroup)
	}
	if n := report.Unreadable.Count; n > 0 {
		entries := report.Unreadable.Entries
		more := ""
		if len(entries) > 5 {
			entries, more = entries[:5], ", …"
		}
		fmt.Fprintf(w, "  %s\n", c.yellow(fmt.Sprintf("%s no number and left out: %s%s",
			count(n, "value is", "values are"), oneLine(strings.Join(entries, ", "), 200), more)))
	}
}

func printTally(w io.Writer, unit string, total *engine.Amount, n int, average *engine.Amount, groups map[string]*engine.Part) {
	fmt.Fprintf(w, "  %stotal %s   count %d   average %s\n", oneLine(unit, 40), engine.AmountText(total), n, engine.AmountText(average))
	type row struct {
		name string
		part *engine.Part
	}
	var rows []row
	largest, widest := 0.0, 0
	for _, name := range sortedKeys(groups) {
		rows = append(rows, row{oneLine(name, 30), groups[name]})
		widest = max(widest, utf8.RuneCountInString(oneLine(name, 30)))
		if groups[name].Total != nil {
			largest = max(largest, groups[name].Total.Float())
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		if a.part.Total == nil || b.part.Total == nil {
			return 0
		}
		return b.part.Total.Compare(*a.part.Total)
	})
	for _, r := range rows {
		fmt.Fprintf(w, "    %-*s  %-20s %12s   %d\n", widest, r.name, bar(r.part.Total, largest), engine.AmountText(r.part.Total), r.part.Count)
	}
}

// bar is a bar of up to 20 characters.
func bar(total *engine.Amount, largest float64) string {
	if total == nil || largest <= 0 || total.Float() <= 0 {
		return ""
	}
	return strings.Repeat("█", max(1, int(20*total.Float()/largest)))
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
