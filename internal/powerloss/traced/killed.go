package traced

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"

	"github.com/peanuts-router/peanuts-router/internal/powerloss"
)

// diskCalls are the calls at which a router is killed: all that write to its disk or flush it.
const diskCalls = "pwrite64,ftruncate,fsync,fdatasync,unlink,unlinkat,rename,renameat,mkdir,mkdirat"

// Killed is a run that was ended by SIGKILL as it entered a call.
type Killed struct {
	Root     string // of what lies there now
	Store    string // below the root
	Owed     map[string]int
	Promised powerloss.Promised
	Reached  bool // the router came as far as that call; else it was ended by SIGTERM
	Ready    bool // it had come to take events
}

// Kill runs the router and kills it as it enters the nth call of a kind, of those that write to the disk or flush it (F5).
// Threads count by themselves, so that the place is exact and yet another in each run. (strace 6.1 injects nothing when it
// filters calls by --seccomp-bpf.)
func (r Run) Kill(ctx context.Context, n int) (Killed, error) {
	k := Killed{Store: storeFile, Owed: map[string]int{}}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var err error
	if k.Root, err = r.root(); err != nil {
		return k, err
	}
	target, err := r.target()
	if err != nil {
		return k, err
	}
	defer target.Close()
	p, err := r.launch(k.Root, "-e", "trace="+diskCalls, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", diskCalls, n), "-o", filepath.Join(r.Dir, traceFile))
	if err != nil {
		return k, err
	}
	defer p.kill()
	if err := p.await(ctx); err != nil {
		return k, err
	}
	if k.Ready = p.webhook != ""; k.Ready {
		// The error is that of the killed router, and told by how it ended.
		k.Promised.Acknowledged, err = r.send(ctx, p.webhook, k.Owed)
		if err == nil {
			err = target.await(p.living(ctx), owedIn(k.Owed))
		}
		if err == nil {
			_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may be killed at this moment
		}
	}
	select {
	case <-p.ended:
	case <-ctx.Done():
		return k, fmt.Errorf("a router that was to be killed did not end: %w", ctx.Err())
	}
	k.Promised.Sent, k.Promised.Settled = target.seen(), powerloss.Logged(p.said)
	return k, k.judgeEnd(p)
}

// judgeEnd tells how the router ended.
func (k *Killed) judgeEnd(p *process) error {
	status, _ := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	k.Reached = status.Signaled() && status.Signal() == syscall.SIGKILL
	if !k.Reached && !p.cmd.ProcessState.Success() {
		return fmt.Errorf("the router ended with %s:\n%s", p.cmd.ProcessState, p.said)
	}
	return nil
}
