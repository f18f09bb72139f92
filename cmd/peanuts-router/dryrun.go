package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// dryRunJob is one run of the dry-run command.
type dryRunJob struct {
	term       *terminal
	rules      string
	at         string
	old        string
	secretsDir string
}

// The shapes that --output json prints.
type (
	dryRunReport struct {
		Payloads []payloadReport `json:"payloads"`
	}
	payloadReport struct {
		Payload string       `json:"payload"`
		Event   string       `json:"event"`
		Error   string       `json:"error,omitempty"` // why it is no event
		Rules   []ruleReport `json:"rules"`

		event *peanuts.Event
		now   time.Time
	}
	ruleReport struct {
		Rule       engine.RuleName  `json:"rule"`
		Fired      bool             `json:"fired"`
		Disabled   bool             `json:"disabled,omitempty"`
		Shadow     bool             `json:"shadow,omitempty"`
		OncePer    string           `json:"once_per,omitempty"` // the value that would be claimed; nil when it is absent
		Error      string           `json:"error"`
		Mismatches []mismatchReport `json:"mismatches"`
		Because    []engine.Because `json:"because"`
		Absent     []string         `json:"absent,omitempty"` // the {{ }} that printed as nothing
		Deliveries []deliveryReport `json:"deliveries"`

		place string
	}
	mismatchReport struct {
		Expr  string `json:"expr"`
		Value any    `json:"value"`
		Place string `json:"place"`
	}
	deliveryReport struct {
		Action  engine.ActionName `json:"action"`
		Kind    engine.Kind       `json:"kind"`
		At      *time.Time        `json:"at"`
		Message json.RawMessage   `json:"message"`
		Dead    string            `json:"dead,omitempty"` // why it would be a dead letter at once
	}
)

func newDryRun(t *terminal) *cobra.Command {
	job := dryRunJob{term: t}
	cmd := &cobra.Command{
		Use:   "dry-run --rules FILE|DIR PAYLOAD.json...",
		Short: "Show what rules would make of sample payloads; nothing is sent",
		Long: "Judges payloads by the rules and shows, for each rule, whether it fires and why not, and the messages it would\n" +
			"send. \"-\" reads stdin. Exit code 1 when a payload is no event or a rule fails.",
		Example: `  peanuts-router dry-run --rules rules.yaml testdata/expense-high.json
  peanuts-router dry-run --rules rules.yaml --at 2026-11-26T09:00:00Z --output json testdata/task.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, payloads []string) error { return job.run(payloads) },
	}
	cmd.Flags().StringVar(&job.rules, "rules", "rules.yaml", "rules file, or a directory of them")
	cmd.Flags().StringVar(&job.at, "at", "", "judge as if it were this time (RFC 3339); default now")
	cmd.Flags().StringVar(&job.old, "old", "", "payload of the entry's version before, for old and changed()")
	cmd.Flags().StringVar(&job.secretsDir, "secrets-dir", os.Getenv("CREDENTIALS_DIRECTORY"), "where ${file:NAME} in the rules is read")
	return cmd
}

func (j *dryRunJob) run(payloads []string) error {
	now := time.Now()
	if j.at != "" {
		var err error
		if now, err = time.Parse(time.RFC3339, j.at); err != nil {
			return usagef("--at takes a time such as 2026-11-26T09:00:00Z, not %q", j.at)
		}
	}
	rules, err := loadRulesWith(j.term, j.rules, j.secretsDir)
	if err != nil {
		return err
	}
	old, err := j.oldEvent()
	if err != nil {
		return err
	}
	report := dryRunReport{Payloads: []payloadReport{}}
	for _, name := range payloads {
		report.Payloads = append(report.Payloads, j.judge(rules, name, now, old))
	}
	if j.term.json {
		err = j.term.printJSON(report)
	} else {
		err = report.print(j.term.out)
	}
	if err == nil && report.failed() {
		err = toldError{}
	}
	return err
}

// oldEvent is the payload that --old names; nil without.
func (j *dryRunJob) oldEvent() (*peanuts.Event, error) {
	if j.old == "" {
		return nil, nil
	}
	body, err := readPayload(j.old, j.term.in)
	if err != nil {
		return nil, err
	}
	old, err := peanuts.Parse(body)
	if err != nil {
		return nil, fmt.Errorf("--old %s: %w", j.old, err)
	}
	return old, nil
}

// knownOf is what a store would know of the entry of an event: the version before, and the tables that this version was
// brought to. A delete comes with the entry as it was, so that it serves where no version before is given.
func knownOf(rules *engine.Rules, event, old *peanuts.Event, now time.Time, own bool) engine.Known {
	known := engine.Known{Own: own, Before: func() *peanuts.Event { return old }}
	before := old
	if before == nil && event.Event == peanuts.EntryDeleted {
		before = asUpdated(event)
	}
	if before == nil {
		return known
	}
	synced := map[engine.StepID]bool{}
	for _, owed := range rules.Judge(before, now, engine.Known{}).Owed {
		if owed.Sync == engine.SyncUpsert && !owed.Shadow {
			synced[engine.StepID{Rule: owed.Rule, Step: owed.Step}] = true
		}
	}
	known.Synced = func(id engine.StepID) bool { return synced[id] }
	return known
}

// asUpdated is an event of the same entry that did not delete it.
func asUpdated(event *peanuts.Event) *peanuts.Event {
	alive := *event
	alive.Event, alive.Fields = peanuts.EntryUpdated, maps.Clone(event.Fields)
	alive.Fields["event"] = alive.Event
	return &alive
}

// judge makes the report on one payload.
func (j *dryRunJob) judge(rules *engine.Rules, name string, now time.Time, old *peanuts.Event) payloadReport {
	report := payloadReport{Payload: name, Rules: []ruleReport{}, now: now}
	body, err := readPayload(name, j.term.in)
	if err == nil {
		report.event, err = peanuts.Parse(body)
	}
	if err != nil {
		report.Error = err.Error()
		return report
	}
	report.Event = report.event.Event
	own := engine.IsOwnName(report.Event) // a payload of that name stands for what the router would raise
	for _, explained := range rules.Explain(report.event, now, knownOf(rules, report.event, old, now, own)) {
		report.Rules = append(report.Rules, newRuleReport(explained))
	}
	return report
}

func newRuleReport(e engine.Explanation) ruleReport {
	r := ruleReport{
		Rule: e.Rule, Fired: e.Fired, Disabled: e.Disabled, Shadow: e.Shadow, OncePer: e.OncePer, Error: e.Error, Mismatches: []mismatchReport{}, Because: []engine.Because{},
		Absent: e.Absent, Deliveries: []deliveryReport{}, place: fmt.Sprintf("%s:%d", e.Place.File, e.Place.Line),
	}
	r.Because = append(r.Because, e.Because...)
	for _, m := range e.Mismatches {
		r.Mismatches = append(r.Mismatches, mismatchReport{Expr: m.Expr, Value: m.Value, Place: m.Place})
	}
	for _, owed := range e.Owed {
		d := deliveryReport{Action: owed.Action, Kind: owed.Kind, Message: owed.Message, Dead: owed.Dead}
		if !owed.At.IsZero() {
			d.At = &owed.At
		}
		r.Deliveries = append(r.Deliveries, d)
	}
	return r
}

// failed tells whether a payload was no event, or a rule failed.
func (r dryRunReport) failed() bool {
	for _, p := range r.Payloads {
		if p.Error != "" {
			return true
		}
		for _, rule := range p.Rules {
			if rule.Error != "" {
				return true
			}
		}
	}
	return false
}

// print writes the report for people.
func (r dryRunReport) print(w io.Writer) error {
	c := coloursFor(w)
	for _, p := range r.Payloads {
		if err := p.print(w, c); err != nil {
			return err
		}
	}
	return nil
}

func (p payloadReport) print(w io.Writer, c colours) error {
	if p.Error != "" {
		_, err := fmt.Fprintf(w, "%s   %s\n\n", p.Payload, c.red("is no event: "+p.Error))
		return err
	}
	fmt.Fprintf(w, "%s   %s  %s  %s\n\n", p.Payload, oneLine(p.event.Event, 80), oneLine(p.event.Helper.Command, 80), oneLine(p.event.Entry.ID, 80))
	fired, mismatches, failed, disabled := 0, 0, 0, 0
	for _, rule := range p.Rules {
		rule.print(w, c, p.now)
		mismatches += len(rule.Mismatches)
		switch {
		case rule.Disabled:
			disabled++
		case rule.Fired:
			fired++
		case rule.Error != "":
			failed++
		}
	}
	summary := fmt.Sprintf("%d fired, %d did not", fired, len(p.Rules)-fired-failed-disabled)
	if disabled > 0 {
		summary += fmt.Sprintf(", %d disabled", disabled)
	}
	if failed > 0 {
		summary += ", " + c.red(count(failed, "rule failed", "rules failed"))
	}
	if mismatches > 0 {
		summary += ", " + c.yellow(count(mismatches, "mismatch", "mismatches"))
	}
	_, err := fmt.Fprintf(w, "\n%s. Nothing was sent.\n\n", summary)
	return err
}
