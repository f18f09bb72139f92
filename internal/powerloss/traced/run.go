package traced

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/peanuts-router/peanuts-router/internal/powerloss"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// errNoStrace says that there is nothing to trace with.
var errNoStrace = errors.New("strace is missing: install it, as with `apt-get install strace`")

// Available tells whether there is something to trace with: nil or errNoStrace.
func Available() error {
	if _, err := exec.LookPath("strace"); err != nil {
		return errNoStrace
	}
	return nil
}

// Run is a run of a router.
type Run struct {
	Router string          // its binary
	Env    []string        // what it gets beside our own environment
	From   powerloss.Start // what it begins with
	First  int             // the number of the first event; no two lives of a store may share any
	Events int             // how many are sent
	Dir    string          // an empty directory
}

// Record is what came of a run.
type Record struct {
	Operations []powerloss.Operation
	Store      string         // where it lies below the root
	Owed       map[string]int // deliveries, by entry
	Trace      string         // the file
}

const (
	secret    = "a secret of the traced router, long enough"
	rootDir   = "root" // what the model of the disk begins with: empty
	storeFile = "state/router/router.db"
	rulesFile = "rules.yaml"
	traceFile = "trace.txt"
	senders   = 3
	patience  = 5 * time.Minute // it takes seconds, but for a busy machine
)

// Do runs the router and reads the trace.
func (r Run) Do(ctx context.Context) (Record, error) {
	record := Record{Store: storeFile, Owed: map[string]int{}, Trace: filepath.Join(r.Dir, traceFile)}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	root, err := r.root()
	if err != nil {
		return record, err
	}
	if err := r.live(ctx, root, record.Owed); err != nil {
		return record, fmt.Errorf("a run of the router under strace: %w", err)
	}
	trace, err := os.Open(record.Trace)
	if err != nil {
		return record, err
	}
	defer trace.Close()
	if record.Operations, err = powerloss.Read(trace, root); err != nil {
		return record, err
	}
	return record, r.hold(record.Operations, record.Owed)
}

// root makes the directory in which the router runs, and tells its path as the kernel does.
func (r Run) root() (string, error) {
	root := filepath.Join(r.Dir, rootDir)
	if err := os.Mkdir(root, 0o700); err != nil {
		return "", err
	}
	if err := r.From.Image.Lay(root); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(root)
}

// live is the life of the router.
func (r Run) live(ctx context.Context, root string, owed map[string]int) error {
	target, err := r.target()
	if err != nil {
		return err
	}
	defer target.Close()
	p, err := r.start(ctx, root, "--seccomp-bpf", "-yy", "-xx", "-s", "200000", "-e", "trace="+powerloss.Calls, "-o", filepath.Join(r.Dir, traceFile))
	if err != nil {
		return err
	}
	defer p.kill()
	if _, err := r.send(ctx, p.webhook, owed); err != nil {
		return err
	}
	if err := target.await(ctx, owedIn(owed)); err != nil {
		return err
	}
	return p.end(ctx)
}

// target starts a target, and writes the rules that send to it.
func (r Run) target() (*target, error) {
	t, err := startTarget()
	if err == nil {
		err = os.WriteFile(filepath.Join(r.Dir, rulesFile), []byte(rules(t.url)), 0o600)
	}
	return t, err
}

// send sends the events, notes what is owed for each, and tells which were acknowledged. The first that is not ends it.
func (r Run) send(ctx context.Context, url string, owed map[string]int) (acknowledged []string, err error) {
	sender, err := peanuts.NewSender(peanuts.SenderConfig{URL: url, Secret: secret})
	if err != nil {
		return nil, err
	}
	end := r.First + r.Events
	for n := r.First; n < end; n++ {
		owed[entry(n)] = deliveries(n)
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var sent atomic.Int64
	next := func() int { return r.First + int(sent.Add(1)) - 1 }
	var sending sync.WaitGroup
	var mu sync.Mutex
	for range senders {
		sending.Go(func() {
			for n := next(); n < end && ctx.Err() == nil; n = next() {
				// An event on its way is answered or refused, whatever becomes of the others.
				receipt, err := sender.Send(context.WithoutCancel(ctx), event(n))
				if err != nil {
					fail(err)
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, receipt.ID)
				mu.Unlock()
			}
		})
	}
	sending.Wait()
	return acknowledged, context.Cause(ctx)
}

// owedIn adds up what is owed.
func owedIn(owed map[string]int) (deliveries int) {
	for _, n := range owed {
		deliveries += n
	}
	return deliveries
}

// hold holds the trace against what the senders and the target saw.
func (r Run) hold(operations []powerloss.Operation, owed map[string]int) error {
	told := map[powerloss.Kind]int{}
	for _, o := range operations {
		told[o.Kind]++
	}
	out := owedIn(owed)
	if told[powerloss.Acknowledge] != r.Events || told[powerloss.Send] < out || told[powerloss.Delivered] == 0 || told[powerloss.Dead] == 0 {
		return fmt.Errorf("the trace tells %d of %d answers, %d of %d requests to the target, %d deliveries and %d dead letters: it is not whole",
			told[powerloss.Acknowledge], r.Events, told[powerloss.Send], out, told[powerloss.Delivered], told[powerloss.Dead])
	}
	return nil
}

// command is the router under strace. The tracer is a process beside it (-D), so that signals and the end are the router's
// own.
func (r Run) command(root string, strace ...string) *exec.Cmd {
	args := append([]string{"-D", "-f", "-e", "signal=none"}, strace...)
	args = append(args, "--", r.Router, "serve", "--rules", filepath.Join(r.Dir, rulesFile), "--store", storeFile,
		"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	cmd := exec.Command("strace", args...)
	cmd.Dir = root
	cmd.Env = append(append(os.Environ(), "PEANUTS_SECRET="+secret), r.Env...)
	cmd.SysProcAttr = bound()
	return cmd
}
