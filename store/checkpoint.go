package store

import (
	"context"
	"database/sql"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

const (
	logSize = `PRAGMA wal_checkpoint(NOOP)`
	copyLog = `PRAGMA wal_checkpoint(PASSIVE)`
)

// copier copies the log into the file over a connection of its own, while the writer goes on: that takes tens of
// milliseconds, and much longer where the disk is busy.
type copier struct {
	db   *sql.DB
	upTo int        // pages of the log when it was last copied
	done chan error // tells what came of the copy under way; nil while there is none
}

// ended tells that a copy has ended, and what came of it.
func (c *copier) ended() (ended bool, err error) {
	select {
	case err := <-c.done:
		c.done = nil
		return true, err
	default:
		return false, nil
	}
}

// end waits for the copy under way, and closes the connection.
func (c *copier) end() {
	if c.done != nil {
		<-c.done
	}
	_ = c.db.Close() // nothing was written over it that was not flushed
}

// checkpoint sees to it that the log is copied into the file when it has grown. SQLite would do so by itself within a commit,
// and would keep it to itself when the flush of the file failed; here that is the end, as with any flush (F7). It comes after
// the callers of a group were answered, so none of them waits for it.
//
// What was committed while a copy was made is copied likewise until little is left. That the writer copies itself: then
// nothing is left, and the log begins anew. Where a disk cannot keep up, the writer copies all that is left, and so writes no
// faster than the disk copies.
func (w *writer) checkpoint() {
	ended, err := w.copier.ended()
	if err != nil || w.copier.done != nil || w.unseen < lookAfter && !ended {
		return
	}
	w.unseen = 0
	pages, err := w.log(logSize)
	if pages < w.copier.upTo {
		w.copier.upTo = 0 // the log began anew
	}
	// A reader who stays in an old state of the store keeps the log from beginning anew. It is not tried in vain after
	// each commit then, but again when there is more to copy.
	more := pages - w.copier.upTo
	switch {
	case err != nil:
	case ended && (more < restAfter || pages >= 4*copyAfter):
		_, err = w.log(copyLog)
	case ended || more >= copyAfter:
		w.copy(pages)
	}
	_ = w.sorted("copying the log", err)
}

// copy begins to copy the pages that the log has now. A failure is noted where it is met, before anything more is committed.
func (w *writer) copy(pages int) {
	done := make(chan error, 1)
	w.copier.upTo, w.copier.done = pages, done
	go func() {
		fault.Reach(fault.Checkpointing)
		_, err := w.copier.db.Exec(copyLog)
		done <- w.sorted("copying the log", err)
	}()
}

// log carries out a statement about the log, and tells how many pages are in it.
func (w *writer) log(text string) (pages int, err error) {
	ctx := context.Background()
	statement, err := w.prepared(ctx, text)
	if err != nil {
		return 0, err
	}
	var busy, copied int
	err = statement.QueryRowContext(ctx).Scan(&busy, &pages, &copied)
	return pages, err
}
