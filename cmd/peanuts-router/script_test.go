package main

import (
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/peanuts-router/peanuts-router/store"
)

// scriptParts are what runs beside a script.
type scriptParts struct {
	target *target
	daemon *daemon
}

type scriptPartsKey struct{}

func partsOf(ts *testscript.TestScript) *scriptParts {
	return ts.Value(scriptPartsKey{}).(*scriptParts)
}

// inScript is a script as a tester.
type inScript struct{ *testscript.TestScript }

func (s inScript) Helper()           {}
func (s inScript) Fatal(args ...any) { s.Fatalf("%s", fmt.Sprint(args...)) }
func (s inScript) Cleanup(f func())  { s.Defer(f) }

// scriptTarget is the command `target STATUS`: it starts an HTTP target that answers so, at $TARGET, or makes the one
// that runs answer so.
func scriptTarget(ts *testscript.TestScript, _ bool, args []string) {
	status, err := strconv.Atoi(args[0])
	ts.Check(err)
	parts := partsOf(ts)
	if parts.target != nil {
		parts.target.answer(always(status))
		return
	}
	parts.target = startTarget(inScript{ts}, always(status))
	ts.Setenv("TARGET", parts.target.URL)
}

// scriptDaemon is the command `daemon ARGS...`: it starts `serve ARGS...` in the script's directory, taking webhooks at
// $WEBHOOK.
func scriptDaemon(ts *testscript.TestScript, _ bool, args []string) {
	parts := partsOf(ts)
	parts.daemon = startDaemon(inScript{ts}, ts.Getenv("WORK"), []string{"TARGET=" + ts.Getenv("TARGET")}, args...)
	ts.Setenv("WEBHOOK", parts.daemon.webhook)
	ts.Setenv(envSecret, testSecret)
}

// scriptHalt is the command `halt`: it kills the daemon.
func scriptHalt(ts *testscript.TestScript, _ bool, _ []string) { partsOf(ts).daemon.kill() }

// scriptAwait is the command `await KEY=VALUE...`: it waits for a line of the daemon's log with these values. The event of
// the line is in $EVENT then.
func scriptAwait(ts *testscript.TestScript, _ bool, args []string) {
	found := partsOf(ts).daemon.await(strings.Join(args, " "), func(line map[string]any) bool {
		for _, arg := range args {
			key, want, _ := strings.Cut(arg, "=")
			if fmt.Sprint(line[key]) != want {
				return false
			}
		}
		return true
	})
	event, ok := found["id"].(string) // of the event itself
	if !ok {
		event, ok = found["event"].(string)
	}
	if ok {
		ts.Setenv("EVENT", event)
	}
}

// scriptSettle is the command `settle`: it waits until the daemon owes nothing any more.
func scriptSettle(ts *testscript.TestScript, _ bool, _ []string) {
	if d := partsOf(ts).daemon; !d.settles() {
		ts.Fatalf("the daemon ended; its log:\n%s", d.logged())
	}
}

// scriptSQL is the command `sql FILE STATEMENT [ROW...]`: it runs a statement in an SQLite file, which it makes where
// there is none, and compares the rows, a line of values each.
func scriptSQL(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", "file:"+ts.MkAbs(args[0])+"?_pragma=busy_timeout(5000)")
	ts.Check(err)
	defer db.Close()
	rows, err := db.Query(args[1])
	ts.Check(err)
	defer rows.Close()
	names, err := rows.Columns()
	ts.Check(err)
	var got []string
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		ts.Check(rows.Scan(into...))
		got = append(got, strings.TrimSpace(fmt.Sprintln(values...)))
	}
	ts.Check(rows.Err())
	if !slices.Equal(got, args[2:]) {
		ts.Fatalf("%s: %s gives %q, want %q", args[0], args[1], got, args[2:])
	}
}

// scriptSums is the command `sums FILE`: it sums up the events of a store anew, so that what `sql` made of them is as good as
// written by the store.
func scriptSums(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(store.RegisterSums())
	scriptSQL(ts, false, []string{args[0], store.SumUpEvents})
}
