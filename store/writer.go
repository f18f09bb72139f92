package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

// writer is the one goroutine that writes. It takes whatever has queued up, carries it out in one transaction, and
// tells all their callers when that is flushed.
type writer struct {
	conn    *sql.Conn
	now     func() time.Time
	queues  queues
	failed  chan struct{} // closed when the store broke
	stopped chan struct{} // closed when the goroutine has ended

	moved   movedTotals
	copier  copier
	summing summing

	mu         sync.Mutex
	statements map[string]*sql.Stmt // by their text, prepared on conn
	fault      error
	unseen     int // statements, and pages of large events, since the log was last looked at
	closing    bool
	sends      sync.WaitGroup
}

// write is one change. It may be carried out twice, when its group fails, and must not mind.
type write struct {
	run   func(tx *transaction) error
	then  func() // called once it is committed, before anything else is written; nil calls nothing
	done  chan error
	taken atomic.Bool // by the writer, or back by a caller who waits no more
}

func startWriter(ctx context.Context, db, copying *sql.DB, queue int, now func() time.Time) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, copying.Close())
	}
	w := &writer{
		conn: conn, now: now, queues: queues{events: make(chan *write, queue), rest: make(chan *write, queue)}, failed: make(chan struct{}), stopped: make(chan struct{}),
		copier: copier{db: copying}, statements: map[string]*sql.Stmt{},
	}
	go w.loop()
	return w, nil
}

// do has a write carried out and waits until it is flushed. With patient it waits for room in the queue until ctx
// ends; else a full queue is ErrUnavailable at once. When ctx ends while the write is still queued, it is taken back; once
// the writer has it, it is waited for whatever becomes of ctx, so that nobody is left in doubt of what was stored.
func (w *writer) do(ctx context.Context, patient bool, run func(tx *transaction) error) error {
	return w.doThen(ctx, patient, run, nil)
}

// doThen is do for a write that something follows from at once: then is called when it is committed, before any later write
// is carried out. It goes with the events, and not behind those that come after it.
func (w *writer) doThen(ctx context.Context, patient bool, run func(tx *transaction) error, then func()) error {
	if err := w.enter(); err != nil {
		return err
	}
	defer w.sends.Done()
	change := &write{run: run, then: then, done: make(chan error, 1)}
	queue := w.queues.events
	if patient && then == nil {
		queue = w.queues.rest
	}
	if patient {
		select {
		case queue <- change:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
		}
	} else {
		select {
		case queue <- change:
		default:
			return fmt.Errorf("%w: too much is waiting to be committed", ErrUnavailable)
		}
	}
	select {
	case err := <-change.done:
		return err
	case <-ctx.Done():
	}
	if change.taken.CompareAndSwap(false, true) {
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	return <-change.done
}

func (w *writer) enter() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fault != nil {
		return w.fault
	}
	if w.closing {
		return fmt.Errorf("%w: it is being closed", ErrUnavailable)
	}
	w.sends.Add(1)
	return nil
}

// stop refuses further writes, carries out those that wait, and ends the goroutine.
func (w *writer) stop() {
	w.mu.Lock()
	already := w.closing
	w.closing = true
	w.mu.Unlock()
	if !already {
		w.sends.Wait()
		close(w.queues.events)
		close(w.queues.rest)
	}
	<-w.stopped
}

func (w *writer) loop() {
	defer close(w.stopped)
	defer w.letGo()
	waiting := w.queues
	for {
		group, ok := waiting.gather()
		if !ok {
			return
		}
		if len(group) > 0 {
			w.carryOut(group)
			w.checkpoint()
		}
	}
}

// letGo ends the statements and then the connection: with a statement left, SQLite keeps the connection and its files open.
func (w *writer) letGo() {
	w.copier.end()
	for _, statement := range w.statements {
		statement.Close()
	}
	w.conn.Close()
}

// carryOut commits a group. When a write of it fails the others are not made to suffer: each is tried by itself.
func (w *writer) carryOut(group []*write) {
	err := w.commit(group)
	if err == nil || outage(err) || len(group) == 1 {
		for _, change := range group {
			change.end(err)
		}
		return
	}
	for _, change := range group {
		change.end(w.commit([]*write{change}))
	}
}

// end tells the caller what came of it.
func (w *write) end(err error) {
	if err == nil && w.then != nil {
		w.then()
	}
	w.done <- err
}

// commit carries out the writes in one transaction.
func (w *writer) commit(group []*write) error {
	if err := w.broken(); err != nil {
		return err
	}
	// A commit is never given up half-way: it has no deadline but the driver's.
	ctx := context.Background()
	if err := w.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return w.sorted("committing", err)
	}
	tx := &transaction{ctx: ctx, writer: w}
	for _, change := range group {
		if err := change.run(tx); err != nil {
			w.rollback(ctx)
			return w.sorted("committing", err)
		}
	}
	if err := tx.ledger.settle(tx); err != nil {
		w.rollback(ctx)
		return w.sorted("committing", err)
	}
	fault.Reach(fault.BeforeCommit)
	if err := w.exec(ctx, "COMMIT"); err != nil {
		w.rollback(ctx)
		return w.sorted("committing", err)
	}
	fault.Reach(fault.AfterCommit)
	w.moved.add(&tx.moves)
	return w.broken() // by a copy of the log meanwhile
}

// rollback ends what is left of a transaction. Often the database has done so itself, and complains that there is none.
func (w *writer) rollback(ctx context.Context) {
	_, err := w.conn.ExecContext(ctx, "ROLLBACK")
	_ = w.sorted("rolling back", err)
}

func (w *writer) exec(ctx context.Context, text string) error {
	statement, err := w.prepared(ctx, text)
	if err != nil {
		return err
	}
	_, err = statement.ExecContext(ctx)
	return err
}

// prepared is the statement of a text, prepared once.
func (w *writer) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	if statement, ok := w.statements[text]; ok {
		return statement, nil
	}
	statement, err := w.conn.PrepareContext(ctx, text)
	if err == nil {
		w.statements[text] = statement
	}
	return statement, err
}

// sorted tells what an error means, and notes when it means the end.
func (w *writer) sorted(doing string, err error) error {
	err = sorted(doing, err)
	if errors.Is(err, ErrBroken) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.fault == nil {
			w.fault = err
			close(w.failed)
		}
	}
	return err
}

func (w *writer) broken() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fault
}
