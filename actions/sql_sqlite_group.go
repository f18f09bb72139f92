package actions

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"runtime"
	"sync"

	"github.com/peanuts-router/peanuts-router/engine"
)

// sqliteGroup gathers the changes of attempts that are under way at the same time: SQLite has one writer, and most of what
// a change takes is its flush. Whoever has the turn carries out all that waits in one transaction.
type sqliteGroup struct {
	turn    chan struct{}
	mu      sync.Mutex
	waiting []*sqliteJob
}

// sqliteJob is one change that waits for its turn.
type sqliteJob struct {
	ctx     context.Context
	change  *sqlChange
	rows    int64
	refused *engine.Outcome
	done    chan struct{} // closed when rows or refused is there
}

var errNotTogether = errors.New("a change of the group was refused")

func newSQLiteGroup() *sqliteGroup { return &sqliteGroup{turn: make(chan struct{}, 1)} }

// do has a change carried out by whoever has the turn, and is that itself when nobody has it. An attempt that is over
// while another carries out its change cannot tell what came of it; the same change again changes nothing (C16).
func (g *sqliteGroup) do(ctx context.Context, c *sqlChange, carryOut func([]*sqliteJob)) (*sqliteJob, error) {
	job := &sqliteJob{ctx: ctx, change: c, done: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, job)
	g.mu.Unlock()
	select {
	case <-job.done:
		return job, nil
	case <-ctx.Done():
		g.withdraw(job)
		return nil, ctx.Err()
	case g.turn <- struct{}{}:
	}
	defer func() { <-g.turn }()
	runtime.Gosched() // whoever is about to wait joins the group
	if jobs := g.take(); len(jobs) > 0 {
		carryOut(jobs)
		for _, one := range jobs {
			close(one.done)
		}
	}
	<-job.done // it was among them, or among those of the turn before
	return job, nil
}

func (g *sqliteGroup) take() []*sqliteJob {
	g.mu.Lock()
	defer g.mu.Unlock()
	jobs := g.waiting
	g.waiting = nil
	return jobs
}

func (g *sqliteGroup) withdraw(job *sqliteJob) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, one := range g.waiting {
		if one == job {
			g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
			return
		}
	}
}

func (s *sqlite) apply(ctx context.Context, c *sqlChange) (int64, *engine.Outcome) {
	job, err := s.group.do(ctx, c, s.carryOut)
	if err != nil {
		return 0, s.outcome(ctx, err)
	}
	return job.rows, job.refused
}

// carryOut carries out changes in one transaction. When one of them fails the others are not made to suffer: each is
// carried out by itself then.
func (s *sqlite) carryOut(jobs []*sqliteJob) {
	if s.together(jobs) {
		return
	}
	for _, job := range jobs {
		job.rows, job.refused = s.alone(job.ctx, job.change)
	}
}

// together tells whether all changes were carried out and committed.
func (s *sqlite) together(jobs []*sqliteJob) bool {
	ctx := jobs[len(jobs)-1].ctx // of the one that came last, so that it lasts longest
	conn, err := s.connect(ctx)
	if err != nil {
		return false
	}
	defer conn.Close()
	table, _, err := s.described(ctx, conn)
	if err != nil {
		return false
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return false
	}
	if err = s.writeAll(ctx, conn, jobs, table); err != nil {
		if _, failed := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); failed != nil {
			// Often the database has done so itself. Should it not, nobody else is to find himself in this transaction.
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}
	return err == nil
}

func (s *sqlite) writeAll(ctx context.Context, conn *sql.Conn, jobs []*sqliteJob, table []sqlColumn) error {
	statements := prepared{conn: conn, known: map[string]*sql.Stmt{}}
	defer statements.close()
	for _, job := range jobs {
		if job.rows, job.refused = s.write(ctx, &statements, job.change, table); job.refused != nil {
			return errNotTogether
		}
	}
	_, err := conn.ExecContext(ctx, "COMMIT")
	return err
}

// prepared carries out statements that it has prepared, each text once: the changes of a group are mostly alike.
type prepared struct {
	conn  *sql.Conn
	known map[string]*sql.Stmt
}

func (p *prepared) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	statement, ok := p.known[text]
	if !ok {
		var err error
		if statement, err = p.conn.PrepareContext(ctx, text); err != nil {
			return nil, err
		}
		p.known[text] = statement
	}
	return statement.ExecContext(ctx, args...)
}

func (p *prepared) close() {
	for _, statement := range p.known {
		_ = statement.Close() // what it did has been told
	}
}
