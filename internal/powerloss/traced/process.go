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
	ready   chan string   // has the webhook once it is
	ended   chan struct{} // closed when it and the tracer have ended
}

// start starts the router under strace and waits until it is ready.
func (r Run) start(ctx context.Context, root string, strace ...string) (*process, error) {
	p, err := r.launch(root, strace...)
	if err != nil {
		return nil, err
	}
	switch err := p.await(ctx); {
	case err != nil:
		p.kill()
		return nil, fmt.Errorf("it was not ready in time: %w\n%s", err, p.said)
	case p.webhook == "":
		return nil, fmt.Errorf("it ended before it was ready:\n%s", p.said)
	}
	return p, nil
}

// launch starts the router under strace.
func (r Run) launch(root string, strace ...string) (*process, error) {
	if err := Available(); err != nil {
		return nil, err
	}
	said, saying, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := r.command(root, strace...)
	cmd.Stderr = saying
	err = cmd.Start()
	saying.Close()
	if err != nil {
		said.Close()
		return nil, err
	}
	p := &process{cmd: cmd, ready: make(chan string, 1), ended: make(chan struct{})}
	go p.listen(said)
	return p, nil
}

// await waits until the router is ready, and then knows its webhook, or has ended.
func (p *process) await(ctx context.Context) error {
	select {
	case p.webhook = <-p.ready:
	case <-p.ended:
		select { // it may have come to that before it ended
		case p.webhook = <-p.ready:
		default:
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// living is ctx for as long as the router lives.
func (p *process) living(ctx context.Context) context.Context {
	ctx, stop := context.WithCancel(ctx)
	go func() {
		<-p.ended
		stop()
	}()
	return ctx
}

// listen keeps what is said. The tracer has the same error output, so that its end is the tracer's, too.
func (p *process) listen(said io.ReadCloser) {
	defer close(p.ended)
	defer said.Close()
	lines := bufio.NewScanner(said)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.said = append(append(p.said, lines.Bytes()...), '\n')
		var line struct{ Msg, Webhook string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "ready" {
			p.ready <- line.Webhook
		}
	}
	_, _ = io.Copy(io.Discard, said) // after a line that is too long: a process whose words nobody takes stands still
	_ = p.cmd.Wait()                 // how it ended is in its state
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
