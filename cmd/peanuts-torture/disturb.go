package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the driver, for whoever else holds the store
)

// pause stops the process and lets it go on, as a suspended machine does.
func (n *nemesis) pause(ctx context.Context) error {
	return n.pauseFor(ctx, n.dice.between(200*time.Millisecond, 2*time.Second))
}

// pausePastLease pauses the process until the leases that it has given have run out.
func (n *nemesis) pausePastLease(ctx context.Context) error { return n.pauseFor(ctx, shortLease*3/2) }

func (n *nemesis) pauseFor(ctx context.Context, long time.Duration) error {
	p := n.router.present()
	if p == nil {
		return errors.New("there is no router to be paused")
	}
	b := n.history.begin(kindPause, false)
	defer n.history.end(b)
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	err := wait(ctx, long)
	return errors.Join(err, p.cmd.Process.Signal(syscall.SIGCONT))
}

// endsWithin is how long a router may take to end at SIGTERM (C22).
const endsWithin = 30 * time.Second

// terminate ends the router as an upgrade does, under load (F37).
func (n *nemesis) terminate(ctx context.Context) error {
	b := n.history.begin(kindEnd, false)
	defer n.history.end(b)
	if err := n.router.terminate(endsWithin); err != nil {
		return err
	}
	return n.restart(ctx)
}

// reload brings the next variant of the rules into force, asked for or noticed (C15).
func (n *nemesis) reload(ctx context.Context) error {
	b := n.history.begin(kindReload, false)
	defer n.history.end(b)
	n.variant++
	n.history.ruled(n.variant)
	if err := writeRules(n.router.dir, rulesWith(n.targets, n.variant)); err != nil {
		return err
	}
	if n.dice.chance(50) {
		return n.hangUp()
	}
	return n.askReload(ctx, http.StatusOK)
}

// reloadBroken shows the router rules that it must refuse, and takes them back before anything else happens (F34).
func (n *nemesis) reloadBroken(ctx context.Context) error {
	b := n.history.begin(kindRefused, false)
	defer n.history.end(b)
	if err := writeRules(n.router.dir, brokenRules); err != nil {
		return err
	}
	refused := n.askReload(ctx, http.StatusBadRequest)
	restored := writeRules(n.router.dir, rulesWith(n.targets, n.variant))
	return errors.Join(refused, restored, n.askReload(ctx, http.StatusOK))
}

func (n *nemesis) hangUp() error {
	p := n.router.present()
	if p == nil {
		return errors.New("there is no router to be told")
	}
	return p.cmd.Process.Signal(syscall.SIGHUP)
}

// askReload asks for a reload over the API, and wants it answered with a status.
func (n *nemesis) askReload(ctx context.Context, want int) error {
	p := n.router.present()
	if p == nil {
		return errors.New("there is no router to be asked")
	}
	status, said, err := call(ctx, http.MethodPost, p.admin+"/api/v1/reload")
	if err == nil && status != want {
		err = fmt.Errorf("it is answered %d instead of %d: %s", status, want, said)
	}
	return err
}

// call makes a request of the router's admin API.
func call(ctx context.Context, method, url string) (status int, said string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(""))
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	return response.StatusCode, string(text), err
}

// lockStore holds the store as another program does that writes into it: for less time than the router waits (F10).
func (n *nemesis) lockStore(ctx context.Context) (err error) {
	b := n.history.begin(kindLocked, false)
	defer n.history.end(b)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(n.router.dir, storeFile)+"?_busy_timeout=5000")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err = wait(ctx, n.dice.between(300*time.Millisecond, 2*time.Second))
	_, undone := db.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	return errors.Join(err, undone)
}
