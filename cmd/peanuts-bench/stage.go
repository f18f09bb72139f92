package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// stage is a router with its target, for one measurement.
type stage struct {
	*arrangement
	router *router
	target *child
	dir    string
}

// setUp starts a target, and a router that delivers to it.
func (b *bench) setUp(ctx context.Context, a arrangement) (*stage, error) {
	s, err := b.beforeRouter(ctx, a)
	if err != nil {
		return nil, err
	}
	if s.router, err = startRouter(ctx, b.binary, s.dir); err != nil {
		s.takeDown()
		return nil, err
	}
	return s, nil
}

// beforeRouter is a stage without its router.
func (b *bench) beforeRouter(ctx context.Context, a arrangement) (*stage, error) {
	dir, err := os.MkdirTemp(b.dir, "run-")
	if err != nil {
		return nil, err
	}
	a.concurrency = b.concurrency
	s := &stage{arrangement: &a, dir: dir}
	if s.target, err = startChild(ctx, roleTarget); err != nil {
		return nil, err
	}
	if strings.HasPrefix(a.second, "/") {
		a.second = "http://" + s.target.address + a.second
	}
	if err := a.prepare(ctx, dir, s.target.address); err != nil {
		s.takeDown()
		return nil, err
	}
	return s, nil
}

// takeDown ends what still runs, and removes its files.
func (s *stage) takeDown() {
	if s.router != nil {
		s.router.kill()
	}
	s.target.stop()
	_ = os.RemoveAll(s.dir) // the directory around it is removed at the end
}

// load sends events to an address from a process of its own.
func load(ctx context.Context, job loadJob) (*loadResult, error) {
	cmd, err := inRole(ctx, roleLoad)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	cmd.Stdin = strings.NewReader(string(text))
	told, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the load %s: %w", job.Name, err)
	}
	result := &loadResult{}
	return result, json.Unmarshal(told, result)
}

// arrived asks the target what came.
func (s *stage) arrived(ctx context.Context, withDelay bool) (seen arrivals, err error) {
	path := pathTold
	if withDelay {
		path += "?delay"
	}
	return seen, s.call(ctx, path, &seen)
}

// forget has the target begin anew, and time so many deliveries; 0 times all.
func (s *stage) forget(ctx context.Context, timed int) error {
	return s.call(ctx, fmt.Sprintf("%s?timed=%d", pathReset, timed), nil)
}

func (s *stage) call(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.target.address+path, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking the target: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("asking the target: %s", answer.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

// awaitArrivals waits until n deliveries have come.
func (s *stage) awaitArrivals(ctx context.Context, n int) error {
	return await(ctx, fmt.Sprintf("%d deliveries at the target", n), func() (int, bool, error) {
		seen, err := s.arrived(ctx, false)
		return seen.Delivered, seen.Delivered >= n, err
	})
}

const (
	unsettled = `SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE state = 'pending' UNION ALL SELECT 1 FROM deliveries WHERE state = 'sending')`
	delivered = `SELECT count(*) FROM deliveries WHERE state = 'delivered'`
)

// awaitSettled waits until the store owes nothing, and tells when that was.
func (s *stage) awaitSettled(ctx context.Context) (at time.Time, err error) {
	err = await(ctx, "all deliveries to be settled", func() (int, bool, error) {
		owed, err := s.count(ctx, unsettled)
		at = time.Now()
		return -owed, owed == 0, err
	})
	return at, err
}

// count asks the store, beside the router.
func (s *stage) count(ctx context.Context, question string) (int, error) {
	return ask(ctx, filepath.Join(s.dir, storeFile), question)
}

// ask asks a database of SQLite for a number.
func ask(ctx context.Context, path, question string) (n int, err error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_query_only=1&_busy_timeout=5000")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, question).Scan(&n)
	return n, err
}
