package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const secret = "a secret of the torture, long enough"

// router runs one life after the other on the store in dir.
type router struct {
	dir     string
	history *history
	log     *os.File // what all lives say

	mu      sync.Mutex
	process *process // the present life; nil between two
}

// process is one life of the router.
type process struct {
	cmd            *exec.Cmd
	life           *life
	webhook, admin string        // where it listens, once it is ready
	ready          chan struct{} // closed when it takes events
	jumped         chan struct{} // closed when it has followed a jump of its clock
	ended          chan struct{} // closed when it has ended
	followed       sync.Once
}

// readyWithin is how long a router may take to be ready, on a machine that others keep busy.
const readyWithin = time.Minute

// start begins a life and waits until it is ready.
func (r *router) start(ctx context.Context, binary string, env ...string) error {
	p, err := r.launch(binary, env...)
	if err != nil {
		return err
	}
	select {
	case <-p.ready:
		return nil
	case <-p.ended:
		return fmt.Errorf("the router ended with code %d instead of getting ready", p.cmd.ProcessState.ExitCode())
	case <-time.After(readyWithin):
		return fmt.Errorf("the router was not ready within %s", readyWithin)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// launch begins a life. The process ends with the thread that started it, should we be killed, so that thread is kept.
func (r *router) launch(binary string, env ...string) (*process, error) {
	cmd := exec.Command(binary, "serve", "--rules", rulesFile, "--store", storeFile, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	cmd.Dir = r.dir
	cmd.Env = append(append(os.Environ(), "PEANUTS_SECRET="+secret), env...)
	cmd.SysProcAttr = bound()
	said, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, life: r.history.born(), ready: make(chan struct{}), jumped: make(chan struct{}), ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			r.follow(p, said)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.process = p
	return p, nil
}

// follow sees a life to its end.
func (r *router) follow(p *process, said io.Reader) {
	p.listen(said, r.log, func() { r.history.lived(p.life) })
	_ = p.cmd.Wait() // how it ended is in its state
	r.history.died(p.life, p.cmd.ProcessState.ExitCode())
	close(p.ended)
}

// listen keeps what the process says until it has ended, and calls ready when it takes events.
func (p *process) listen(said io.Reader, log io.Writer, ready func()) {
	lines := bufio.NewScanner(said)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		_, _ = log.Write(append(lines.Bytes(), '\n')) // the log is for people
		if p.webhook != "" && !bytes.Contains(lines.Bytes(), []byte("clock jumped")) {
			continue
		}
		var line struct{ Msg, Webhook, Admin string }
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue
		}
		switch line.Msg {
		case "ready":
			p.webhook, p.admin = line.Webhook, line.Admin
			ready()
			close(p.ready)
		case "the machine's clock jumped":
			p.followed.Do(func() { close(p.jumped) })
		}
	}
	_, _ = io.Copy(log, said) // after a line that is too long: a process whose words nobody takes stands still
}

// present is the life that takes events now; nil where there is none.
func (r *router) present() *process {
	r.mu.Lock()
	p := r.process
	r.mu.Unlock()
	if p == nil {
		return nil
	}
	select {
	case <-p.ended:
		return nil
	default:
	}
	select {
	case <-p.ready:
		return p
	default:
		return nil
	}
}

// died tells whether a life has died by now, as one does at its point. One that has ended by itself is an error.
func (p *process) died() (bool, error) {
	select {
	case <-p.ended:
	default:
		return false, nil
	}
	if code := p.cmd.ProcessState.ExitCode(); code >= 0 {
		return false, fmt.Errorf("the router ended with code %d instead of dying at its point", code)
	}
	return true, nil
}

// kill ends the present life as kill -9 does, however far it is.
func (r *router) kill() {
	r.mu.Lock()
	p := r.process
	r.mu.Unlock()
	if p != nil {
		_ = p.cmd.Process.Kill() // it may have ended already
		<-p.ended
	}
}

// terminate asks the present life to end, and waits until it has.
func (r *router) terminate(within time.Duration) error {
	p := r.present()
	if p == nil {
		return errors.New("there is no router to be ended")
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(within):
		r.kill()
		return fmt.Errorf("the router did not end within %s of SIGTERM", within)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("the router ended with code %d at SIGTERM", code)
	}
	return nil
}
