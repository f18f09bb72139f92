package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
)

// roleVariable names the role that this program plays when it was started by itself.
const roleVariable = "PEANUTS_BENCH_ROLE"

// The roles.
const (
	roleLoad   = "load"   // reads a loadJob, writes a loadResult
	roleTarget = "target" // writes its address, serves until stdin ends
	roleBare   = "bare"   // likewise
)

// play carries out a role. The words are JSON, one value a line; the end of in is the end of a server.
func play(ctx context.Context, role string, in io.Reader, out io.Writer) error {
	switch role {
	case roleLoad:
		var job loadJob
		if err := json.NewDecoder(in).Decode(&job); err != nil {
			return fmt.Errorf("reading the job: %w", err)
		}
		result, err := job.run(ctx)
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(result)
	case roleTarget:
		t := newTarget()
		return serveUntilEnd(t, func(l net.Listener) net.Listener { return newQuick(l, t.take) }, in, out)
	case roleBare:
		handler, err := newBare()
		if err != nil {
			return err
		}
		return serveUntilEnd(handler, asItIs, in, out)
	default:
		return fmt.Errorf("%s names no role: %q", roleVariable, role)
	}
}

// inRole is this program, to be started in a role. It ends with ctx.
func inRole(ctx context.Context, role string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// child is a server of ours in a process of its own.
type child struct {
	cmd      *exec.Cmd
	lifeline io.Closer // its stdin: it ends when this closes, also when we are killed
	address  string
}

func startChild(ctx context.Context, role string) (*child, error) {
	cmd, err := inRole(ctx, role)
	if err != nil {
		return nil, err
	}
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	told, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, lifeline: lifeline}
	line, err := bufio.NewReader(told).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &c.address)
	}
	if err != nil {
		c.stop()
		return nil, fmt.Errorf("starting the %s: %w", role, err)
	}
	return c, nil
}

func (c *child) stop() {
	_ = c.lifeline.Close()
	_ = c.cmd.Wait() // it has served; how it ends tells nothing
}
