package actions

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/peanuts-router/peanuts-router/engine"
)

// sqliteGroup gathers the changes of attempts that are under way at the same time: SQLite has one writer, and most of what
// a change takes is its flush. Whoever has the turn carries out all that waits in one transaction, within its own time; what
// cannot be carried out together waits for turns of its own.
type sqliteGroup struct {
	turn    chan struct{}
	mu      sync.Mutex
	waiting []*sqliteJob
}

// sqliteJob is one change that waits for its turn. Whoever has taken it, and nobody else, writes rows and refused.
type sqliteJob struct {
	change  *sqlChange
	apart   bool // it is carried out alone, by its own attempt
	left    bool // its attempt is over
	rows    int64
	refused *engine.Outcome
	done    chan struct{} // closed when rows or refused is there
}

// sqliteWork carries changes out.
type sqliteWork interface {
	// together carries out all changes or none: errNotTogether when each is to be tried alone, for one of them was refused.
	together(ctx context.Context, jobs []*sqliteJob) error
	// alone carries out one change, and notes what came of it.
	alone(ctx context.Context, job *sqliteJob)
}

var errNotTogether = errors.New("a change of the group was refused")

func newSQLiteGroup() *sqliteGroup { return &sqliteGroup{turn: make(chan struct{}, 1)} }

// do has a change carried out by whoever has the turn, and is that itself when nobody has it. An attempt that is over
// while another carries out its change cannot tell what came of it; the same change again changes nothing (C16).
func (g *sqliteGroup) do(ctx context.Context, c *sqlChange, work sqliteWork) (*sqliteJob, error) {
	job := &sqliteJob{change: c, done: make(chan struct{})}
	g.join(job)
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
	if jobs := g.take(job); len(jobs) > 0 {
		if err := g.carryOut(ctx, jobs, work); err != nil {
			return nil, err
		}
	}
	return job, nil
}

// carryOut carries out jobs together, or else the first of them, whose attempt has the turn; the others wait again then.
func (g *sqliteGroup) carryOut(ctx context.Context, jobs []*sqliteJob, work sqliteWork) error {
	err := errNotTogether
	if !jobs[0].apart {
		err = work.together(ctx, jobs)
	}
	if err == nil {
		for _, job := range jobs {
			close(job.done)
		}
		return nil
	}
	apart := errors.Is(err, errNotTogether)
	g.rejoin(jobs[1:], apart)
	if !apart {
		return err
	}
	work.alone(ctx, jobs[0])
	return nil
}

func (g *sqliteGroup) join(job *sqliteJob) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, job)
}

// take takes a job, and after it all that can be carried out together with it; nothing when the turn before has done it.
func (g *sqliteGroup) take(job *sqliteJob) []*sqliteJob {
	select {
	case <-job.done:
		return nil
	default: // it waits, or whoever took it has panicked over it
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	taken := []*sqliteJob{job}
	g.waiting = slices.DeleteFunc(g.waiting, func(one *sqliteJob) bool {
		with := one != job && !one.apart && !job.apart
		if with {
			taken = append(taken, one)
		}
		return with || one == job
	})
	return taken
}

// rejoin has jobs wait again, apart from all others where they cannot be carried out together.
func (g *sqliteGroup) rejoin(jobs []*sqliteJob, apart bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, one := range jobs {
		if !one.left {
			one.apart = apart
			g.waiting = append(g.waiting, one)
		}
	}
}

func (g *sqliteGroup) withdraw(job *sqliteJob) {
	g.mu.Lock()
	defer g.mu.Unlock()
	job.left = true
	g.waiting = slices.DeleteFunc(g.waiting, func(one *sqliteJob) bool { return one == job })
}

func (s *sqlite) apply(ctx context.Context, c *sqlChange) (int64, *engine.Outcome) {
	job, err := s.group.do(ctx, c, s)
	if err != nil {
		return 0, s.outcome(ctx, err)
	}
	return job.rows, job.refused
}

// together carries changes out in one transaction.
func (s *sqlite) together(ctx context.Context, jobs []*sqliteJob) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	table, _, err := s.described(ctx, conn)
	if err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if s.writeAll(ctx, conn, jobs, table) {
		return nil
	}
	if _, err := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); err != nil {
		// Often the database has done so itself. Should it not, nobody else is to find himself in this transaction.
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	return errNotTogether
}

// writeAll tells whether all changes were written and committed.
func (s *sqlite) writeAll(ctx context.Context, conn *sql.Conn, jobs []*sqliteJob, table []sqlColumn) bool {
	statements := prepared{conn: conn, known: map[string]*sql.Stmt{}}
	defer statements.close()
	for _, job := range jobs {
		if job.rows, job.refused = s.write(ctx, &statements, job.change, table); job.refused != nil {
			return false
		}
	}
	_, err := conn.ExecContext(ctx, "COMMIT")
	return err == nil
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
