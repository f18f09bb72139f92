package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	peanutsrouter "github.com/peanuts-router/peanuts-router"
	"github.com/peanuts-router/peanuts-router/actions"
	"github.com/peanuts-router/peanuts-router/dispatch"
	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// demo is the whole product on this machine: the example rules, signed sample events, and the real clients talking to
// receivers in this process.
type demo struct {
	term    *terminal
	once    bool
	box     *sandbox
	router  *router
	sender  *peanuts.Sender
	screen  *demoScreen
	settled chan dispatch.Settled
	done    map[engine.DeliveryID]dispatch.Settled // what settled before it was looked at
}

func newDemo(t *terminal) *cobra.Command {
	d := demo{term: t}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it all at work on this machine; nothing leaves it",
		Long: "Runs the example rules with signed sample events. The real Slack, mail and HTTP clients talk to receivers in this\n" +
			"process, over real sockets; the store is a temporary one. Takes free ports where 3000 and 3001 are taken.",
		Example: "  peanuts-router demo\n  peanuts-router demo --once",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context()) },
	}
	cmd.Flags().BoolVar(&d.once, "once", false, "end when everything is settled")
	return cmd
}

func (d *demo) run(ctx context.Context) error {
	if err := d.start(ctx); err != nil {
		return err
	}
	defer d.box.close()
	running, stop := context.WithCancel(ctx)
	ended := inBackground(func() error { return d.router.run(running) })
	err := d.sendSamples(ctx)
	if err == nil && !d.once {
		d.screen.waiting()
		<-ctx.Done()
	}
	stop()
	return errors.Join(err, <-ended)
}

// start wires a router over a sandbox.
func (d *demo) start(ctx context.Context) (err error) {
	if d.box, err = newSandbox(d.term); err != nil {
		return err
	}
	d.screen = newDemoScreen(d.term)
	d.box.receiver.OnCall = d.screen.called
	rules := filepath.Join(d.box.dir, "rules.example.yaml")
	if err := os.WriteFile(rules, peanutsrouter.ExampleRules, 0o600); err != nil {
		return fmt.Errorf("writing the example rules: %w", err)
	}
	d.settled, d.done = make(chan dispatch.Settled, 1000), map[engine.DeliveryID]dispatch.Settled{}
	config := routerConfig{
		rules: rules, rulesOptions: rulefile.Options{UnsetIsWarning: true, LookupEnv: nothingSet},
		store: filepath.Join(d.box.dir, "router.db"), secrets: []string{uuid.NewString()},
		actions: actions.Config{UserAgent: "peanuts-router/" + version, Divert: d.box.diversion()},
		log:     slog.New(slog.DiscardHandler),
		observe: func(s dispatch.Settled) { d.settled <- s },
	}
	if config.public, err = listenNear("127.0.0.1:3000"); err != nil {
		return err
	}
	if config.admin, err = listenNear("127.0.0.1:3001"); err != nil {
		return err
	}
	if d.router, err = newRouter(ctx, config); err != nil {
		return err
	}
	webhook := "http://" + d.router.public.Addr().String() + "/webhook"
	d.screen.head(webhook, "http://"+d.router.admin.Addr().String()+"/")
	d.sender, err = peanuts.NewSender(peanuts.SenderConfig{URL: webhook, Secret: config.secrets[0]})
	return err
}

// nothingSet keeps the demo from using, or showing, what happens to be set on this machine.
func nothingSet(string) (string, bool) { return "", false }

// listenNear listens on an address, or on a free port of its host when that is taken.
func listenNear(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		host, _, _ := net.SplitHostPort(address)
		listener, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return nil, fmt.Errorf("listening for the demo: %w", err)
	}
	return listener, nil
}

// sendSamples sends each sample as it stands, and waits for what is owed for it before the next.
func (d *demo) sendSamples(ctx context.Context) error {
	samples, err := fs.Glob(peanutsrouter.Samples, "testdata/*.json")
	if err != nil {
		return err
	}
	var events []*peanuts.Event
	for _, name := range samples {
		body, err := peanutsrouter.Samples.ReadFile(name)
		if err != nil {
			return err
		}
		event, err := peanuts.Parse(body)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		events = append(events, event)
	}
	slices.SortFunc(events, func(a, b *peanuts.Event) int { return a.Timestamp.Compare(b.Timestamp) })
	tally := demoTally{}
	for _, event := range events {
		if err := d.sendSample(ctx, event, &tally); err != nil {
			return fmt.Errorf("%s: %w", event.Entry.ID, err)
		}
	}
	if err := d.showStats(ctx, events[len(events)-1].Timestamp); err != nil {
		return err
	}
	d.screen.summary(tally)
	if tally.dead > 0 {
		return fmt.Errorf("%s", count(tally.dead, "dead letter", "dead letters"))
	}
	return nil
}

// showStats prints what the samples add up to in their month, and the rows they left in the table.
func (d *demo) showStats(ctx context.Context, month time.Time) error {
	heads, err := d.router.store.Stats(ctx)
	if err != nil {
		return err
	}
	for _, head := range heads {
		report, err := d.router.store.Report(ctx, head.Name, engine.StatFilter{Month: head.Month(month)})
		if err != nil {
			return err
		}
		fmt.Fprintln(d.term.out)
		printReport(d.term.out, head.Name, report)
	}
	return d.showRows(ctx)
}

// showRows prints the table that the example rules keep.
func (d *demo) showRows(ctx context.Context) error {
	db, err := sql.Open("sqlite", "file:"+d.box.rows()+"?mode=ro")
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, `SELECT external_id, coalesce(amount, ''), coalesce(category, ''), coalesce(description, '') FROM expenses ORDER BY external_id`)
	if err != nil {
		return fmt.Errorf("reading the table of the demo: %w", err)
	}
	defer rows.Close()
	var table [][]string
	for rows.Next() {
		row := make([]string, 4)
		if err := rows.Scan(&row[0], &row[1], &row[2], &row[3]); err != nil {
			return err
		}
		for i := range row {
			row[i] = oneLine(row[i], 40)
		}
		table = append(table, row)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	fmt.Fprintf(d.term.out, "\nThe table expenses (SQLite):\n")
	return printTable(d.term.out, []string{"EXTERNAL_ID", "AMOUNT", "CATEGORY", "DESCRIPTION"}, table)
}

// demoTally counts what a demo has done.
type demoTally struct{ events, deliveries, waiting, dead int }

func (d *demo) sendSample(ctx context.Context, event *peanuts.Event, tally *demoTally) error {
	began := time.Now()
	receipt, err := d.sender.Send(ctx, event.Raw)
	if err != nil {
		return err
	}
	d.screen.posted(event, time.Since(began))
	tally.events++
	record, err := d.router.store.Event(ctx, engine.EventID(receipt.ID))
	if err != nil {
		return err
	}
	for _, explained := range d.router.inForce.current.Load().Explain(event, began, engine.Known{}) {
		d.screen.judged(explained)
		for _, delivery := range record.Deliveries {
			if delivery.Rule != explained.Rule {
				continue
			}
			if err := d.follow(ctx, delivery, tally); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow shows what becomes of a delivery: a reminder waits, all else is settled soon.
func (d *demo) follow(ctx context.Context, delivery engine.Delivery, tally *demoTally) error {
	if delivery.NextAt.After(time.Now()) {
		tally.waiting++
		d.screen.waits(delivery)
		return nil
	}
	if delivery.State == engine.Cancelled {
		return nil
	}
	settled, err := d.awaitSettled(ctx, delivery.ID)
	if err != nil {
		return err
	}
	tally.deliveries++
	if settled.Settlement.State == engine.Dead {
		tally.dead++
	}
	d.screen.settled(settled)
	return nil
}

// awaitSettled waits until a delivery stays as it is.
func (d *demo) awaitSettled(ctx context.Context, id engine.DeliveryID) (dispatch.Settled, error) {
	timeout := time.NewTimer(30 * time.Second)
	defer timeout.Stop()
	for {
		if s, there := d.done[id]; there {
			delete(d.done, id)
			return s, nil
		}
		select {
		case s := <-d.settled:
			if s.Settlement.State != engine.Pending {
				d.done[s.Lease.ID] = s
			}
		case <-ctx.Done():
			return dispatch.Settled{}, ctx.Err()
		case <-timeout.C:
			return dispatch.Settled{}, errors.New("a delivery did not settle within 30 s")
		}
	}
}
