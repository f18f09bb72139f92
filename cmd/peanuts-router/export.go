package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

func newExport(r *record) *cobra.Command {
	var flags deadFilter
	cmd := &cobra.Command{
		Use:   "export [--rule R] [--action A] [--since 7d] [--reason TEXT]",
		Short: "Print dead letters whole, each as a line of JSON, the oldest first",
		Example: `  peanuts-router dead-letters export > dead.jsonl
  peanuts-router dead-letters export --action ledger | jq -r .reason | sort | uniq -c`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, _, err := flags.read(cmd)
			if err != nil {
				return err
			}
			return r.export(cmd.Context(), filter)
		},
	}
	flags.register(cmd)
	return cmd
}

// exported is a dead letter as a line.
type exported struct {
	ID        engine.DeliveryID `json:"id"`
	Key       string            `json:"key"`
	Event     engine.EventID    `json:"event_id"`
	Replay    int               `json:"replay,omitempty"`
	Rule      engine.RuleName   `json:"rule"`
	Action    engine.ActionName `json:"action"`
	Kind      engine.Kind       `json:"kind"`
	CreatedAt time.Time         `json:"created_at"`
	Attempts  int               `json:"attempts"`
	Reason    string            `json:"reason"`
	Message   json.RawMessage   `json:"message"`
	History   []engine.Attempt  `json:"history"`
	Payload   string            `json:"payload"` // the text as received
}

// export prints dead letters as they are read.
func (r *record) export(ctx context.Context, filter store.Filter) error {
	return r.with(ctx, func(s *store.Store) error {
		buffered := bufio.NewWriter(r.term.out)
		lines := terminal{out: buffered}
		err := s.EachDead(ctx, filter, func(d engine.Delivery, body []byte) error {
			return lines.printJSONLine(exported{
				ID: d.ID, Key: d.ID.Key(), Event: d.Event, Replay: d.Replay, Rule: d.Rule, Action: d.Action, Kind: d.Kind, CreatedAt: d.CreatedAt,
				Attempts: d.Attempts, Reason: d.LastError, Message: d.Message, History: d.History, Payload: string(body),
			})
		})
		return errors.Join(err, buffered.Flush())
	})
}
