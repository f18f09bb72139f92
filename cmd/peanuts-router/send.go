package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// sendJob is one run of the send command.
type sendJob struct {
	term   *terminal
	url    string
	count  int
	rate   float64
	asIs   bool
	secret secretFlags
}

// sent is what became of one payload.
type sent struct {
	Payload   string `json:"payload"`
	ID        string `json:"id,omitempty"`
	Duplicate bool   `json:"duplicate"`
	TookMS    int64  `json:"took_ms"`
	Error     string `json:"error,omitempty"`
}

func newSend(t *terminal) *cobra.Command {
	job := sendJob{term: t}
	cmd := &cobra.Command{
		Use:   "send PAYLOAD.json...",
		Short: "Sign sample payloads and post them to a running router",
		Long: "Signs each payload and posts it. Its timestamp is set to now, and with --count every event gets an entry id of\n" +
			"its own; --as-is posts the bytes of the file, so that a second run shows a duplicate. \"-\" reads stdin.",
		Example: `  PEANUTS_SECRET=... peanuts-router send testdata/expense-high.json
  peanuts-router send --secret-file secret.txt --count 100 --rate 20 testdata/expense-high.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return job.run(cmd.Context(), args) },
	}
	job.secret.register(cmd)
	cmd.Flags().StringVar(&job.url, "url", "http://127.0.0.1:3000/webhook", "where the router listens")
	cmd.Flags().IntVar(&job.count, "count", 1, "how often each payload is sent")
	cmd.Flags().Float64Var(&job.rate, "rate", 0, "events a second; 0 means as fast as they are answered")
	cmd.Flags().BoolVar(&job.asIs, "as-is", false, "post the bytes of the file as they stand")
	return cmd
}

func (j *sendJob) run(ctx context.Context, payloads []string) error {
	if j.count < 1 || j.rate < 0 {
		return usagef("--count is at least 1 and --rate not negative")
	}
	secrets, err := j.secret.read()
	if err != nil {
		return err
	}
	sender, err := peanuts.NewSender(peanuts.SenderConfig{URL: j.url, Secret: secrets[0]})
	if err != nil {
		return usageError{err}
	}
	bodies := make([][]byte, len(payloads))
	for i, name := range payloads {
		if bodies[i], err = readPayload(name, j.term.in); err != nil {
			return err
		}
	}
	return j.sendAll(ctx, sender, payloads, bodies)
}

func (j *sendJob) sendAll(ctx context.Context, sender *peanuts.Sender, names []string, bodies [][]byte) error {
	failed := false
	pace := newPace(j.rate)
	defer pace.stop()
	for range j.count {
		for i, body := range bodies {
			if err := pace.wait(ctx); err != nil {
				return err
			}
			result := j.sendOne(ctx, sender, names[i], body)
			failed = failed || result.Error != ""
			if err := j.print(result); err != nil {
				return err
			}
		}
	}
	if failed {
		return toldError{}
	}
	return nil
}

func (j *sendJob) sendOne(ctx context.Context, sender *peanuts.Sender, name string, body []byte) sent {
	result := sent{Payload: name}
	if !j.asIs {
		fresh, err := refreshed(body, time.Now(), j.count > 1)
		if err != nil {
			result.Error = err.Error()
			return result
		}
		body = fresh
	}
	began := time.Now()
	receipt, err := sender.Send(ctx, body)
	result.TookMS = time.Since(began).Milliseconds()
	if err != nil {
		result.Error = err.Error()
		return result
	}
	result.ID, result.Duplicate = receipt.ID, receipt.Duplicate
	return result
}

func (j *sendJob) print(s sent) error {
	if j.term.json {
		return j.term.printJSONLine(s)
	}
	c := coloursFor(j.term.out)
	switch {
	case s.Error != "":
		_, err := fmt.Fprintf(j.term.err, "%s  %s  %s\n", c.red("refused"), s.Payload, oneLine(s.Error, 500))
		return err
	case s.Duplicate:
		_, err := fmt.Fprintf(j.term.out, "%s  %s  the router has these bytes already, as event %s  (%d ms)\n",
			c.yellow("duplicate"), s.Payload, s.ID, s.TookMS)
		return err
	default:
		_, err := fmt.Fprintf(j.term.out, "%s  %s  event %s  (%d ms)\n", c.green("accepted"), s.Payload, s.ID, s.TookMS)
		return err
	}
}

// pace spaces events evenly; a zero rate does not wait.
type pace struct{ ticker *time.Ticker }

func newPace(perSecond float64) pace {
	if perSecond == 0 {
		return pace{}
	}
	return pace{ticker: time.NewTicker(time.Duration(float64(time.Second) / perSecond))}
}

func (p pace) wait(ctx context.Context) error {
	if p.ticker == nil {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-p.ticker.C:
		return nil
	}
}

func (p pace) stop() {
	if p.ticker != nil {
		p.ticker.Stop()
	}
}
