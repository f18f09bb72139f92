package store

import (
	"context"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

const (
	logSize = `PRAGMA wal_checkpoint(NOOP)`
	copyLog = `PRAGMA wal_checkpoint(PASSIVE)`
)

// checkpoint copies the log into the file when it has grown. SQLite would do so by itself within a commit, and would
// keep it to itself when the flush of the file failed; here that is the end, as with any flush (F7). It comes after the
// callers of a group were answered, so none of them waits for it.
func (w *writer) checkpoint() {
	if w.unseen < lookAfter {
		return
	}
	w.unseen = 0
	pages, err := w.log(logSize)
	if pages < w.copied {
		w.copied = 0 // the log began anew
	}
	// A reader who stays in an old state of the store keeps the log from beginning anew. It is not tried in vain after
	// each commit then, but again when there is more to copy.
	if err == nil && pages-w.copied >= copyAfter {
		w.copied = pages
		fault.Reach(fault.Checkpointing)
		_, err = w.log(copyLog)
	}
	_ = w.sorted("copying the log", err)
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
