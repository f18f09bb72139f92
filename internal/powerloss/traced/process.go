package traced

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// process is a router under strace.
type process struct {
	cmd     *exec.Cmd
	webhook string
	said    []byte        // on its error output; complete when ended
	ended   chan struct{} // closed when it and the tracer have ended
}

// start starts the router and waits until it is ready.
func (r Run) start(ctx context.Context, root string) (*process, error) {
	if err := Available(); err != nil {
		return nil, err
	}
	cmd := r.command(root)
	said, saying, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = saying
	err = cmd.Start()
	saying.Close()
	if err != nil {
		said.Close()
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	ready := make(chan string, 1)
	go p.listen(said, ready)
	select {
	case p.webhook = <-ready:
		return p, nil
	case <-p.ended:
		return nil, fmt.Errorf("it ended before it was ready:\n%s", p.said)
	case <-ctx.Done():
		p.kill()
		return nil, fmt.Errorf("it was not ready in time: %w\n%s", ctx.Err(), p.said)
	}
}

// listen keeps what is said. The tracer has the same error output, so that its end is the tracer's, too.
func (p *process) listen(said io.ReadCloser, ready chan<- string) {
	defer close(p.ended)
	defer said.Close()
	lines := bufio.NewScanner(said)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.said = append(append(p.said, lines.Bytes()...), '\n')
		var line struct{ Msg, Webhook string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "ready" {
			ready <- line.Webhook
		}
	}
	_ = p.cmd.Wait() // how it ended is in its state
}

// end ends the router as its service manager would, and waits for the trace.
func (p *process) end(ctx context.Context) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
	case <-ctx.Done():
		return errors.New("it did not end in time")
	}
	if !p.cmd.ProcessState.Success() {
		return fmt.Errorf("it ended with %s:\n%s", p.cmd.ProcessState, p.said)
	}
	return nil
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.ended
}
