package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const copyInto = `VACUUM INTO ?`

// Backup copies the store as it is when it begins into a new file of mode 0600, beside a daemon or not; whatever was
// acknowledged before is in it. The copy is checked, flushed, and has its name only when it is whole: on any failure, and
// when the process is killed, there is no file of that name. A file that is there is never overwritten: fs.ErrExist.
func (s *Store) Backup(ctx context.Context, path string) (Audit, error) {
	audit, err := s.backup(ctx, path)
	return audit, sorted("backing up the store to "+path, err)
}

func (s *Store) backup(ctx context.Context, path string) (audit Audit, err error) {
	if err := isFree(path); err != nil {
		return audit, err
	}
	partial, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.partial") // for its owner only
	if err != nil {
		return audit, err
	}
	defer func() { err = errors.Join(err, remove(partial.Name())) }()
	defer partial.Close()
	if err := s.copyTo(ctx, partial.Name()); err != nil {
		return audit, err
	}
	if audit, err = checkCopy(ctx, partial.Name()); err != nil {
		return audit, err
	}
	if err := partial.Sync(); err != nil {
		return audit, err
	}
	return audit, name(partial.Name(), path)
}

// isFree is fs.ErrExist where a file stands in the way of a new one.
func isFree(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fmt.Errorf("%w, and a backup overwrites nothing", fs.ErrExist))
	}
	return nil
}

// copyTo copies the store into an empty file, by a connection of its own: those that are there either write for the daemon or
// may not write at all.
func (s *Store) copyTo(ctx context.Context, path string) (err error) {
	db, err := sql.Open("sqlite", s.source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, copyInto, path)
	return err
}

// checkCopy fails when a copy is not whole, or its books do not balance.
func checkCopy(ctx context.Context, path string) (audit Audit, err error) {
	made, err := Open(ctx, Config{Path: path, Beside: true})
	if err != nil {
		return audit, err
	}
	defer func() { err = errors.Join(err, made.Close()) }()
	if audit, err = made.Check(ctx); err == nil && len(audit.Discrepancies) > 0 {
		err = fmt.Errorf("it does not hold in the copy that %s: run check on the store", audit.Discrepancies[0].Broken)
	}
	return audit, err
}

// name gives a finished copy its name, unless there is a file of that name by now, and has the directory flushed.
func name(partial, path string) error {
	err := os.Link(partial, path)
	if err != nil && !errors.Is(err, fs.ErrExist) { // a file system without links
		if err = isFree(path); err == nil {
			err = os.Rename(partial, path)
		}
	}
	if err != nil {
		return err
	}
	return flushDirectory(filepath.Dir(path))
}

// remove takes a copy away under the name it had while it was made, with what SQLite may have left beside it.
func remove(partial string) error {
	var failed error
	for _, beside := range []string{"", "-journal", "-wal", "-shm"} {
		if err := os.Remove(partial + beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
