package store_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// childTask names what this test binary does instead of testing, when a test has started it as a process of its own.
const childTask = "STORE_TEST_CHILD"

func TestMain(m *testing.M) {
	tasks := map[string]func(path string) error{"hold": holdStore, "load": loadStore, "starve": starveStore, "claim": claimInStore, "replay": replayInStore, "rejudge": rejudgeInStore}
	task, ok := tasks[os.Getenv(childTask)]
	if !ok {
		tryInAnyOrder()
		os.Exit(m.Run())
	}
	if err := task(os.Args[1]); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

// tryInAnyOrder says how many random orders of calls a test tries, unless the command line says: each has stores of its own, and
// under the race detector the hundred that rapid would try take minutes.
func tryInAnyOrder() {
	if err := flag.Set("rapid.checks", strconv.Itoa(sized(25, 100))); err != nil {
		panic(err)
	}
}

// child is a process with a store.
type child struct {
	*exec.Cmd
	lines *bufio.Scanner
	stdin io.Closer
}

func start(t *testing.T, task, path string) child {
	t.Helper()
	c := child{Cmd: exec.CommandContext(t.Context(), os.Args[0], path)}
	c.Env = append(os.Environ(), childTask+"="+task)
	c.Stderr = os.Stderr
	stdout, err := c.StdoutPipe()
	if err == nil {
		c.stdin, err = c.StdinPipe()
	}
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	c.lines = bufio.NewScanner(stdout)
	return c
}

// line is the next line that the child printed.
func (c child) line(t *testing.T) string {
	t.Helper()
	if !c.lines.Scan() {
		t.Fatalf("the child said no more: %v", c.lines.Err())
	}
	return c.lines.Text()
}

// kill ends the child as kill -9 does, and gives what it had printed but nobody had read.
func (c child) kill(t *testing.T) (rest []string) {
	t.Helper()
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for c.lines.Scan() {
		rest = append(rest, c.lines.Text())
	}
	_ = c.Wait() // says that it was killed
	return rest
}

// holdStore keeps a store open until its standard input ends.
func holdStore(path string) error {
	s, err := store.Open(context.Background(), store.Config{Path: path})
	if err != nil {
		return err
	}
	fmt.Println("held")
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, s.Close())
}

// loadStore accepts and settles events until it is killed, and prints the id of each after it was acknowledged. What was
// settled as delivered is printed again, with a plus.
func loadStore(path string) error {
	s, err := store.Open(context.Background(), store.Config{Path: path})
	if err != nil {
		return err
	}
	var printing sync.Mutex
	say := func(line string) {
		printing.Lock()
		defer printing.Unlock()
		_, _ = os.Stdout.WriteString(line + "\n")
	}
	failed := make(chan error)
	for worker := range 8 {
		go func() {
			for n := 0; ; n++ {
				if err := acceptAndSettle(s, fmt.Sprint(os.Getpid(), " ", worker, " ", n), say); err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

func acceptAndSettle(s *store.Store, text string, say func(string)) error {
	a := acceptance(0, time.Now(), "ledger", "mail")
	a.Event.Raw = []byte(text)
	leaseFirst(a)
	receipt, err := s.Accept(context.Background(), a)
	if err != nil {
		return err
	}
	say(string(receipt.ID))
	done := engine.Settlement{ID: receipt.Leases[0].ID, Generation: 1, State: engine.Delivered, Attempt: &engine.Attempt{Status: "200 OK"}}
	recorded, err := s.Settle(context.Background(), done)
	if err == nil && recorded.Applied {
		say("+" + string(receipt.ID))
	}
	return err
}

// starveStore lets the system refuse a write to the log in the middle of a load. It prints the id of each event that was
// acknowledged, and "broken" when the store kept refusing though writing was possible again.
func starveStore(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := store.Open(context.Background(), store.Config{Path: path})
	if err != nil {
		return err
	}
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		return err
	}
	small := before
	small.Cur = 512 << 10
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		return err
	}
	var refused error
	for n := 0; refused == nil; n++ {
		var receipt engine.Receipt
		if receipt, refused = s.Accept(context.Background(), acceptance(n, time.Now(), "ledger")); refused == nil {
			fmt.Println(receipt.ID)
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		return err
	}
	<-s.Failed()
	_, again := s.Accept(context.Background(), acceptance(-1, time.Now(), "ledger"))
	if !errors.Is(refused, store.ErrBroken) || !errors.Is(again, store.ErrBroken) {
		return fmt.Errorf("refused with %w, and then with %w", refused, again)
	}
	fmt.Println("broken")
	return nil
}
