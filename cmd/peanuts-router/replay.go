package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// eventReplay is one run of the command that judges a stored event once more.
type eventReplay struct {
	*record
	rules string
	again bool
}

func newEventReplay(r *record) *cobra.Command {
	job := &eventReplay{record: r}
	cmd := &cobra.Command{
		Use:   "replay ID --rules FILE|DIR [--again]",
		Short: "Judge a stored event once more, and owe what follows as new deliveries",
		Long: "Judges a stored event by the rules given, as of its arrival, and owes what they send for it: new deliveries of the event,\n" +
			"with ids and keys of their own, which the daemon sends by the actions that it has. The beginning of an id will do. What goes\n" +
			"with the entry is left out: reminders, rows, stats. A rule whose once_per was claimed is suppressed, by the event itself,\n" +
			"too; --again fires it all the same. `events show ID --rules FILE` tells beforehand what the rules make of the event.",
		Example: "  peanuts-router events replay 01a20ea5 --rules rules.yaml\n  peanuts-router events replay 01a20ea5 --rules rules.yaml --again --output json",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return job.run(cmd.Context(), args[0]) },
	}
	cmd.Flags().StringVar(&job.rules, "rules", "", "rules file, or a directory of them, to judge by")
	cmd.Flags().BoolVar(&job.again, "again", false, "fire rules whose once_per was claimed before")
	return cmd
}

func (j *eventReplay) run(ctx context.Context, id string) error {
	byToday, err := newToday(j.term, j.rules)
	switch {
	case err != nil:
		return err
	case byToday == nil:
		return usagef("replay needs --rules, the rules to judge by")
	}
	return j.with(ctx, func(s *store.Store) error {
		whole, err := s.FindEvent(ctx, id)
		if err != nil {
			return fmt.Errorf("event %s: %w", oneLine(id, 80), err)
		}
		n, err := j.replay(ctx, s, whole, byToday)
		if err != nil {
			return err
		}
		record, err := s.Event(ctx, whole)
		if err != nil {
			return err
		}
		if len(record.Replays) < n {
			return fmt.Errorf("event %s: %w", whole, store.ErrNotFound) // its time came just now
		}
		return j.tell(newReplayReport(record, record.Replays[n-1]))
	})
}

// replay judges the event once more and has the store keep what follows. It gives the number of the replay.
func (j *eventReplay) replay(ctx context.Context, s *store.Store, id engine.EventID, byToday *today) (n int, err error) {
	record, err := s.Event(ctx, id)
	if err != nil {
		return 0, err
	}
	event, err := peanuts.Parse([]byte(record.Payload))
	if err != nil {
		return 0, err
	}
	before, err := byToday.before(ctx, s, event, record)
	if err != nil {
		return 0, err
	}
	known := knownOf(byToday.rules, event, before, record.ReceivedAt, record.Own)
	return s.ReplayEvent(ctx, &engine.Rejudging{
		ID: id, Event: event, At: time.Now().Truncate(time.Millisecond), Rules: j.rules, Digest: byToday.rules.FilesDigest(),
		Judge: func(claims engine.Known) engine.Judgement {
			if !j.again {
				known.Claimed = claims.Claimed
			}
			return byToday.rules.Rejudge(event, record.ReceivedAt, known)
		},
	})
}

// replayReport is a replay with what it owes.
type replayReport struct {
	Event engine.EventID `json:"event_id"`
	engine.Replay
	Deliveries []engine.Delivery `json:"deliveries"`
}

func newReplayReport(record engine.EventRecord, replay engine.Replay) replayReport {
	return replayReport{Event: record.ID, Replay: replay, Deliveries: deliveriesOfReplay(record.Deliveries, replay.N)}
}

// deliveriesOfReplay are those that a replay of the event owes; those of replay 0 were owed when it came.
func deliveriesOfReplay(all []engine.Delivery, n int) []engine.Delivery {
	owed := []engine.Delivery{}
	for _, d := range all {
		if d.Replay == n {
			owed = append(owed, d)
		}
	}
	return owed
}

func (j *eventReplay) tell(report replayReport) error {
	if j.term.json {
		return j.term.printJSON(report)
	}
	fmt.Fprintf(j.term.out, "Replay %d of %s owes %s.\n\n", report.N, report.Event, count(len(report.Deliveries), "delivery", "deliveries"))
	printVerdicts(j.term.out, coloursFor(j.term.out), report.Verdicts, report.Deliveries)
	return nil
}

// printReplays prints the replays of an event behind what was made of it when it came.
func printReplays(w io.Writer, c colours, e engine.EventRecord) {
	for _, replay := range e.Replays {
		fmt.Fprintf(w, "\nreplay %d, %s, by %s (%.12s)\n\n", replay.N, replay.At.Format(time.RFC3339), oneLine(replay.Rules, 120), replay.Digest)
		printVerdicts(w, c, replay.Verdicts, deliveriesOfReplay(e.Deliveries, replay.N))
	}
}
