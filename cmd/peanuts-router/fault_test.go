package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// faultsInFull names the variable that has the tests of faults run at the size of RELIABILITY.md instead of a small one.
const faultsInFull = "PEANUTS_FAULTS_IN_FULL"

// sized is how much of a fault is tried.
func sized(small, full int) int {
	if os.Getenv(faultsInFull) != "" {
		return full
	}
	return small
}

// shipped is the router as it is shipped, built once: without the race detector, which costs a multiple of the memory.
func shipped(t *testing.T) string {
	t.Helper()
	binary, err := routerBinary()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// routerBinary lies beside the tests' own, which go test removes in the end.
var routerBinary = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(filepath.Dir(os.Args[0]), "peanuts-router")
	if said, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, said)
	}
	return binary, nil
})

// underTrace is the command line that runs the shipped router with faults injected into its system calls. strace stays in
// the background, so that the process that was started is the router. What was traced is in the file.
func underTrace(t *testing.T, file, calls string, injections ...string) []string {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("SKIPPED: no strace here, which injects the fault; see docs/reliability.md")
	}
	line := []string{strace, "-D", "-f", "-qq", "-y", "-s", "16", "-o", file, "-e", "trace=" + calls}
	for _, injection := range injections {
		line = append(line, "-e", "inject="+injection)
	}
	return append(line, shipped(t))
}

// exited is the exit code of a daemon that ends by itself; -1 when a signal ended it.
func (d *daemon) exited() int {
	d.t.Helper()
	select {
	case <-d.read:
	case <-time.After(longEnough):
		d.t.Fatalf("the daemon did not end; its log:\n%s", d.logged())
	}
	_ = d.cmd.Wait() // its error is the exit code
	return d.cmd.ProcessState.ExitCode()
}

// halt ends a daemon as a supervisor does.
func (d *daemon) halt() {
	d.t.Helper()
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		d.t.Fatal(err)
	}
	if code := d.exited(); code != 0 {
		d.t.Fatalf("the daemon ended with %d; its log:\n%s", code, d.logged())
	}
}

// sender sends to a daemon by connections of its own, which end with the test.
func (d *daemon) sender(timeout time.Duration) func(body string) (peanuts.Receipt, error) {
	d.t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	d.t.Cleanup(transport.CloseIdleConnections)
	sender, err := peanuts.NewSender(peanuts.SenderConfig{URL: d.webhook, Secret: testSecret, Transport: transport, Timeout: timeout})
	if err != nil {
		d.t.Fatal(err)
	}
	return func(body string) (peanuts.Receipt, error) { return sender.Send(context.Background(), []byte(body)) }
}

// refusedWith is the status of an answer that was no receipt; 0 when there was no answer.
func refusedWith(err error) int {
	var refused *peanuts.RefusedError
	if errors.As(err, &refused) {
		return refused.Status
	}
	return 0
}

// eventually waits for a condition that other processes bring about, and tells how long that took.
func eventually(t *testing.T, within time.Duration, what string, holds func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(within)
	defer end.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("within %s it did not come about that %s", within, what)
		}
	}
	return time.Since(began)
}

// beside looks into the store of a daemon, as a command does.
func beside(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "router.db"), Beside: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func countEvents(t *testing.T, s *store.Store) int {
	t.Helper()
	n, err := s.EventCount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// deliveriesIn are the newest 1,000 deliveries in a state.
func deliveriesIn(t *testing.T, s *store.Store, state engine.State) []engine.Delivery {
	t.Helper()
	found, _, err := s.Deliveries(t.Context(), store.Filter{State: state}, store.Page{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// balanced holds that a store is whole and its books balance.
func balanced(t *testing.T, s *store.Store) {
	t.Helper()
	audit, err := s.Check(t.Context())
	if err != nil || len(audit.Discrepancies) > 0 {
		t.Errorf("Check() = %+v, %v; want a store that is whole", audit.Discrepancies, err)
	}
}
