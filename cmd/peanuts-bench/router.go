package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// buildRouter builds the router of this tree into dir.
func buildRouter(ctx context.Context, dir string) (binary string, err error) {
	binary = filepath.Join(dir, "peanuts-router")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/peanuts-router/peanuts-router/cmd/peanuts-router")
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the router (or name one with --router): %w\n%s", err, said)
	}
	return binary, nil
}

// router is a `peanuts-router serve` in a process and a directory of its own.
type router struct {
	cmd     *exec.Cmd
	dir     string
	webhook string        // host and port
	ready   time.Duration // from its start to taking events
	ended   chan error
}

// The files of a router's directory.
const (
	rulesFile = "rules.yaml"
	storeFile = "router.db"
	logFile   = "log.json"
)

// startRouter starts a router on the rules and the store in dir, and waits until it is ready.
func startRouter(ctx context.Context, binary, dir string) (*router, error) {
	log, err := os.Create(filepath.Join(dir, logFile))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, binary, "serve", "--rules", rulesFile, "--store", storeFile, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	cmd.Dir, cmd.Stderr = dir, log
	cmd.Env = append(os.Environ(), "PEANUTS_SECRET="+secret)
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &router{cmd: cmd, dir: dir, ended: make(chan error, 1)}
	go func() { r.ended <- cmd.Wait() }()
	if err := await(ctx, "the router to be ready", r.isReady); err != nil {
		r.kill()
		said, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("starting the router: %w\n%s", err, said)
	}
	r.ready = time.Since(began)
	return r, nil
}

// isReady looks for the line in the log that tells where the router listens.
func (r *router) isReady() (progress int, done bool, err error) {
	select {
	case err := <-r.ended:
		r.ended <- err
		return 0, false, fmt.Errorf("it ended: %v", err)
	default:
	}
	log, err := os.Open(filepath.Join(r.dir, logFile))
	if err != nil {
		return 0, false, err
	}
	defer log.Close()
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var line struct{ Msg, Webhook string }
		if json.Unmarshal(lines.Bytes(), &line) != nil || line.Msg != "ready" {
			continue
		}
		at, err := url.Parse(line.Webhook)
		if err != nil {
			return 0, false, err
		}
		r.webhook = at.Host
		return 0, true, nil
	}
	return 0, false, nil
}
