package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rehearsal"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// backtestJob is one run of the backtest command: stored events are told once more, to rules that nobody hears.
type backtestJob struct {
	record
	rules, against string
	since          string
	show           int

	from     time.Time // events before it are told, since later ones stand on them, and not compared
	fresh    *engine.Rules
	old      *engine.Rules // nil: what was recorded is compared with
	places   []int64       // of the events told so far, in the store
	comparer *comparer
}

func newBacktest(t *terminal) *cobra.Command {
	job := &backtestJob{record: record{term: t}}
	cmd := &cobra.Command{
		Use:   "backtest --rules NEW [--against OLD] [--since 7d]",
		Short: "Judge stored events by other rules: what would be gained, lost or changed; nothing is sent",
		Long: "Tells all stored events once more, in the order and at the times of their arrival, and compares what the rules make\n" +
			"of them with what was recorded then or, with --against, with what other rules make of them. Entries are judged as they\n" +
			"stood: old, changed() and reminders included. What was cancelled, or only watched (shadow), counts as not sent.",
		Example: `  peanuts-router backtest --rules new.yaml
  peanuts-router backtest --rules new.yaml --against rules.yaml --since 7d --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return job.run(cmd.Context()) },
	}
	job.register(cmd)
	cmd.Flags().StringVar(&job.rules, "rules", "", "rules file, or a directory of them, to judge by")
	cmd.Flags().StringVar(&job.against, "against", "", "rules to compare with; default what was recorded")
	cmd.Flags().StringVar(&job.since, "since", "", "compare events since then: 7d, 12h, or a time such as 2026-11-23T00:00:00Z")
	cmd.Flags().IntVar(&job.show, "show", 20, "how many deliveries to show; all are counted")
	return cmd
}

func (j *backtestJob) run(ctx context.Context) (err error) {
	if j.rules == "" {
		return usagef("backtest needs --rules, the rules to judge by")
	}
	if j.from, err = sinceTime(j.since, time.Now()); err != nil {
		return err
	}
	if j.fresh, err = loadRules(j.term, j.rules); err != nil {
		return err
	}
	baseline := "what was recorded"
	if j.against != "" {
		baseline = j.against
		if j.old, err = loadRules(j.term, j.against); err != nil {
			return err
		}
	}
	j.comparer = newComparer(j.show)
	if err := j.with(ctx, j.tell); err != nil {
		return err
	}
	report := j.comparer.report(j.rules, baseline)
	if j.term.json {
		return j.term.printJSON(report)
	}
	return report.print(j.term.out)
}

// sinceTime reads --since: a time, or how long ago it was.
func sinceTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if ago, ok := readLength(text); ok {
		return ago.before(now), nil
	}
	return time.Time{}, usagef("--since takes a length such as 7d or 12h, or a time such as 2026-11-23T00:00:00Z, not %q", text)
}

// arrivalsAtOnce is how many events are read at a time.
const arrivalsAtOnce = 500

// tell tells every stored event, in the order of arrival.
func (j *backtestJob) tell(s *store.Store) error {
	ctx := context.Background()
	all, err := s.EventCount(ctx)
	if err != nil {
		return err
	}
	fresh, old := j.rehearse(ctx, s, j.fresh), j.rehearse(ctx, s, j.old)
	bar := newProgress(j.term, "judged", all)
	defer bar.done()
	for after := int64(0); ; {
		arrivals, err := s.Arrived(ctx, after, arrivalsAtOnce)
		if err != nil {
			return err
		}
		if len(arrivals) == 0 {
			break
		}
		for i := range arrivals {
			after = arrivals[i].Place
			j.places = append(j.places, after)
			if err := j.tellOne(&arrivals[i].EventRecord, fresh, old); err != nil {
				return err
			}
		}
		bar.step(len(arrivals))
	}
	j.comparer.finish()
	return nil
}

func (j *backtestJob) rehearse(ctx context.Context, s *store.Store, rules *engine.Rules) *rehearsal.Rehearsal {
	if rules == nil {
		return nil
	}
	return rehearsal.New(rehearsal.Config{Rules: rules, Recall: func(n int) *peanuts.Event { return j.recall(ctx, s, n) }})
}

// recall reads an event that was told before, for a rule that asks for old.
func (j *backtestJob) recall(ctx context.Context, s *store.Store, n int) *peanuts.Event {
	body, err := s.Body(ctx, j.places[n])
	if err != nil {
		return nil
	}
	event, err := peanuts.Parse(body)
	if err != nil {
		return nil
	}
	return event
}

// tellOne tells one event, and compares what follows from it.
func (j *backtestJob) tellOne(record *engine.EventRecord, fresh, old *rehearsal.Rehearsal) error {
	event, err := peanuts.Parse([]byte(record.Payload))
	if err != nil {
		return fmt.Errorf("event %s: %w", record.ID, err)
	}
	c := comparison{event: briefEvent{ID: record.ID, At: record.ReceivedAt, Name: record.Name, Helper: record.Helper, Entry: record.EntryID}}
	c.fresh = sideOf(tellAgain(fresh, event, record))
	if old != nil {
		c.old = sideOf(tellAgain(old, event, record))
	} else {
		c.old = recordedSide(record)
	}
	if !record.ReceivedAt.Before(j.from) {
		j.comparer.add(c)
	}
	return nil
}

// tellAgain tells a stored event as it came: from outside, or raised by the router itself.
func tellAgain(to *rehearsal.Rehearsal, event *peanuts.Event, record *engine.EventRecord) rehearsal.Outcome {
	if record.Own {
		return to.TellOwn(event, record.ReceivedAt)
	}
	return to.Tell(event, record.ReceivedAt)
}
