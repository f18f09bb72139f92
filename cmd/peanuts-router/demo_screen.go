package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/peanuts-router/peanuts-router/actions/receiver"
	"github.com/peanuts-router/peanuts-router/dispatch"
	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// demoScreen prints a demo as it goes. What it shows of a message is what the receivers got, found by its key.
type demoScreen struct {
	out     io.Writer
	colours colours
	mu      sync.Mutex
	calls   map[string]receiver.Call // by key
}

func newDemoScreen(t *terminal) *demoScreen {
	return &demoScreen{out: t.out, colours: coloursFor(t.out), calls: map[string]receiver.Call{}}
}

// called remembers what a receiver got; receivers call it.
func (s *demoScreen) called(call receiver.Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[call.Key] = call
}

func (s *demoScreen) head(webhook, dashboard string) {
	fmt.Fprintf(s.out, "peanuts-router demo · rules.example.yaml · nothing leaves this machine\n\n")
	fmt.Fprintf(s.out, "  webhook    %s   signed with a throw-away secret\n", webhook)
	fmt.Fprintf(s.out, "  dashboard  %s\n\n", dashboard)
}

func (s *demoScreen) posted(e *peanuts.Event, took time.Duration) {
	fmt.Fprintf(s.out, "%s  POST %-14s %-10s %-10s %-20s 200 in %d ms\n", time.Now().Format("15:04:05"),
		oneLine(e.Event, 20), oneLine(e.Helper.Command, 20), oneLine(e.Entry.ID, 20), gist(e), took.Milliseconds())
}

// gist is what an entry is about, in few words.
func gist(e *peanuts.Event) string {
	var parts []string
	amount, isNumber := e.Literal("entry", "data", "amount")
	if !isNumber {
		amount, _ = e.Entry.Data["amount"].(string)
	}
	if amount != "" {
		parts = append(parts, amount)
	}
	for _, field := range []string{"category", "title"} {
		if text, ok := e.Entry.Data[field].(string); ok {
			parts = append(parts, text)
		}
	}
	return oneLine(strings.Join(parts, " "), 40)
}

// judged prints a rule's verdict: why it did not fire is told in one line.
func (s *demoScreen) judged(e engine.Explanation) {
	name := oneLine(string(e.Rule), 40)
	switch {
	case e.Fired:
		fmt.Fprintf(s.out, "          %s\n", s.colours.green("✓ "+name))
	case e.Error != "":
		fmt.Fprintf(s.out, "          %s\n", s.colours.red("✗ "+name+"  "+e.Error))
	case len(e.Mismatches) > 0:
		m := e.Mismatches[0]
		fmt.Fprintf(s.out, "          %s\n", s.colours.yellow(fmt.Sprintf("! %-16s %s met %s", name, m.Expr, valueText(m.Value))))
	case len(e.Because) > 0:
		b := e.Because[0]
		fmt.Fprintf(s.out, "          %s\n", s.colours.dim(fmt.Sprintf("· %-16s %s  (%s)", name, oneLine(b.Expr, 80), metText(b))))
	}
}

// settled prints a delivery with what its receiver got.
func (s *demoScreen) settled(d dispatch.Settled) {
	if d.Settlement.State != engine.Delivered {
		fmt.Fprintf(s.out, "            → %-14s %s\n", d.Lease.Action, s.colours.red("dead letter: "+oneLine(d.Settlement.Reason, 200)))
		return
	}
	if d.Lease.Kind == engine.KindSQL {
		fmt.Fprintf(s.out, "            → %-14s sql    %s\n", d.Lease.Action, d.Outcome.Status)
		return
	}
	s.mu.Lock()
	call := s.calls[d.Lease.ID.Key()]
	s.mu.Unlock()
	fmt.Fprintf(s.out, "            → %-14s %s\n", d.Lease.Action, callLine(call))
	if call.Kind == engine.KindEmail {
		for line := range strings.Lines(strings.TrimSpace(call.Text)) {
			fmt.Fprintf(s.out, "                 %s\n", oneLine(strings.TrimSpace(line), 120))
		}
	}
}

// waits prints a reminder that is not due yet.
func (s *demoScreen) waits(d engine.Delivery) {
	fmt.Fprintf(s.out, "            → %-14s %s\n", d.Action, s.colours.yellow("waits until "+d.NextAt.Local().Format("Mon 2 Jan 2006 15:04 MST")))
}

func (s *demoScreen) summary(t demoTally) {
	fmt.Fprintf(s.out, "\nAll settled: %s, %s, %s.\n", count(t.events, "event", "events"),
		count(t.deliveries, "delivery", "deliveries"), count(t.dead, "dead letter", "dead letters"))
	if t.waiting > 0 {
		fmt.Fprintf(s.out, "%s for the time to come.\n", count(t.waiting, "reminder waits", "reminders wait"))
	}
}

func (s *demoScreen) waiting() { fmt.Fprintln(s.out, "Ctrl-C ends the demo.") }
