package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

// settings say what a run does to the router, and how often.
type settings struct {
	kills   int
	deaths  int // at each point, instead of kills; 0 for none
	seed    uint64
	rate    int           // events a second
	settle  time.Duration // for how long nothing of what is owed may get done once the load has ended
	backlog int           // how much is due at once in the end
	strikes []weighted[strike]
	last    []strike      // when the router was killed often enough
	points  []fault.Point // at which lives are made to die
	ownDisk bool          // the store lies on one, that can be full
	lease   time.Duration // that may run out; 0 where none can
	env     []string      // of every life; then all are of the build that breaks where it is told to
}

// The uses of a seed.
const (
	useEvents  = 1
	useNemesis = 2
	useBeside  = 3
)

// run is one run: a router, what is sent to it, what it sends, and what is done to it.
type run struct {
	settings
	dir       string
	disk      *disk
	builds    builds
	history   *history
	targets   *targets
	router    *router
	generator *generator
	audits    []string
	base      vitals
}

// torture makes a run in dir, and gives the evidence of it. The error says that there is none, and where to look for why.
func torture(ctx context.Context, s settings, b builds, dir string) (e *evidence, err error) {
	r := &run{settings: s, dir: dir, builds: b}
	defer func() {
		r.close()
		if err != nil {
			err = fmt.Errorf("%w; %s %s", err, keptIn, dir)
		}
	}()
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	if err := r.strike(ctx); err != nil {
		return nil, err
	}
	drained, err := r.drain(ctx)
	if err != nil {
		return nil, err
	}
	final, err := r.finish(ctx)
	if err != nil {
		return nil, err
	}
	if e, err = evidenceOf(ctx, dir, r.history); err != nil {
		return nil, err
	}
	e.base, e.final, e.lease, e.drained = r.base, final, r.lease, drained
	if r.deaths > 0 {
		if e.beside, err = r.killBeside(ctx); err != nil {
			return nil, err
		}
	}
	e.audits = r.audits
	return e, nil
}

// keptIn tells people where a run has left what it was judged by.
const keptIn = "history, store and log of the router are in"

// begin starts targets and router.
func (r *run) begin(ctx context.Context) (err error) {
	if r.history, err = newHistory(filepath.Join(r.dir, historyFile)); err != nil {
		return err
	}
	if r.ownDisk {
		if r.disk, err = mountDisk(filepath.Join(r.dir, storeFolder)); err != nil {
			return err
		}
	}
	if r.targets, err = startTargets(r.history); err != nil {
		return err
	}
	if err := makeTable(ctx, filepath.Join(r.dir, tableFile)); err != nil {
		return err
	}
	r.history.ruled(1)
	if err := writeRules(r.dir, rulesWith(r.targets, 1)); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(r.dir, logFile))
	if err != nil {
		return err
	}
	r.router = &router{dir: r.dir, history: r.history, log: log}
	if err := r.router.start(ctx, r.builds.of(r.env), r.env...); err != nil {
		return err
	}
	r.base, err = r.router.vitals(ctx)
	return err
}

func makeTable(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range []string{"PRAGMA journal_mode=WAL", createTable} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("making the table: %w", err)
		}
	}
	return nil
}

// auditEvery is after how many restarts the store is checked (I10).
const auditEvery = 20

// strike sends events, and strikes meanwhile.
func (r *run) strike(ctx context.Context) error {
	loaded, stop := context.WithCancel(ctx)
	defer stop()
	r.generator = newGenerator(r.rate, r.router, r.history, newDice(r.seed, useEvents))
	ended := make(chan error, 1)
	go func() { ended <- r.generator.run(loaded) }()
	n := &nemesis{
		builds: r.builds, router: r.router, history: r.history, targets: r.targets, disk: r.disk, generator: r.generator,
		dice: newDice(r.seed, useNemesis), kills: r.kills, deaths: r.deaths, strikes: r.strikes, last: r.last, points: r.points, env: r.env, variant: 1,
		each: func(restarts int) error {
			if restarts%auditEvery != 0 {
				return nil
			}
			return r.audit(ctx)
		},
	}
	err := n.run(ctx)
	stop()
	return errors.Join(err, <-ended)
}

func (r *run) audit(ctx context.Context) error {
	found, err := audit(ctx, r.dir)
	r.audits = append(r.audits, found...)
	return err
}

// finish waits until all that is owed is done or given up, and ends the router.
func (r *run) finish(ctx context.Context) (vitals, error) {
	v, err := settled(ctx, r.settle, r.router.vitals)
	if err != nil {
		return v, err
	}
	if err := r.router.terminate(endsWithin); err != nil {
		return v, err
	}
	return v, r.audit(ctx)
}

// settled asks a router until it owes nothing, or owes no less than before for a time.
func settled(ctx context.Context, within time.Duration, ask func(context.Context) (vitals, error)) (v vitals, err error) {
	least, since := -1, time.Now()
	for {
		if v, err = ask(ctx); err != nil {
			return v, err
		}
		owed := v.Pending + v.Sending
		if owed < least || least < 0 {
			least, since = owed, time.Now()
		}
		if owed == 0 || time.Since(since) >= within {
			return v, nil
		}
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return v, err
		}
	}
}

// close ends what is still running, and keeps the files.
func (r *run) close() {
	if r.router != nil {
		r.router.kill()
		_ = r.router.log.Close() // for people
	}
	if r.targets != nil {
		_ = r.targets.close() // there is nobody left to be answered
	}
	if r.history != nil {
		_ = r.history.close() // as is the copy on disk
	}
	if r.disk != nil {
		_ = r.disk.remove() // it is the machine's memory that stays taken
	}
}
