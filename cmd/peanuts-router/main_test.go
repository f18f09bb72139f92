package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/peanuts-router/peanuts-router/internal/pgtest"
)

// asRouter makes a copy of the test binary behave as peanuts-router itself, for tests that start and kill it.
const asRouter = "BEHAVE_AS_PEANUTS_ROUTER"

// stopping runs the tests and stops PostgreSQL after them.
type stopping struct{ *testing.M }

func (s stopping) Run() int {
	defer pgtest.Stop()
	return s.M.Run()
}

func TestMain(m *testing.M) {
	if os.Getenv(asRouter) != "" {
		main()
	}
	// A program with the race detector sleeps for a second before it ends, and the tests start hundreds. What a race is, is
	// told when it is seen.
	os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	testscript.Main(stopping{m}, map[string]func(){"peanuts-router": main})
}

// Every command, as a session reads.
func TestCommandsAsTheScriptsTell(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "../../testdata/scripts",
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "1")
			e.Setenv("GORACE", os.Getenv("GORACE"))
			root, err := os.Getwd()
			e.Setenv("ROOT", root+"/../..")
			e.Values[scriptPartsKey{}] = &scriptParts{}
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"target": scriptTarget, "daemon": scriptDaemon, "halt": scriptHalt, "await": scriptAwait, "settle": scriptSettle, "sql": scriptSQL, "sums": scriptSums,
		},
	})
}

// run tells usage from failure (exit codes 0, 1, 2).
func TestExitCodesTellUsageFromFailure(t *testing.T) {
	devNull, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer devNull.Close()
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"version"}, 0},
		{[]string{"version", "extra"}, 2},
		{[]string{"nonsense"}, 2},
		{[]string{"validate", "--nonsense"}, 2},
		{[]string{"validate", "/does/not/exist.yaml"}, 1},
		{[]string{"version", "--output", "xml"}, 2},
		{[]string{"dead-letters"}, 2},
		{[]string{"dead-letters", "replay"}, 2},
		{[]string{"events", "list", "--store", "/does/not/exist.db"}, 1},
		{[]string{"serve"}, 2},
	} {
		if got := run(context.Background(), c.args, terminal{in: devNull, out: devNull, err: devNull}); got != c.want {
			t.Errorf("run(%q) = %d, want %d", c.args, got, c.want)
		}
	}
}
