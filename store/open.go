package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the driver
)

// Config says which store is opened, and how.
type Config struct {
	Path string // of the SQLite file
	// Beside opens the file for a command, whether a daemon holds it or not: it takes no lock, frees no leases, and
	// neither makes the file nor changes its schema.
	Beside      bool
	BusyTimeout time.Duration    // how long another writer is waited for; 0 means 5 s
	Queue       int              // how many writes may wait for their commit; 0 means 4096
	Now         func() time.Time // nil means time.Now
}

// Store is an open store. It is safe for concurrent use.
type Store struct {
	now     func() time.Time
	writer  *writer
	writing *sql.DB
	reading *sql.DB
	asked   questions
	source  string   // that a connection of one's own is opened by
	lock    *os.File // nil for a command
}

// Open opens a store. A daemon takes the lock (else ErrLocked), makes the file when there is none, brings its schema
// up to date, and frees the leases of the daemon before it. A corrupt file is ErrBroken, and so is what is no store.
func Open(ctx context.Context, config Config) (*Store, error) {
	if config.BusyTimeout == 0 {
		config.BusyTimeout = 5 * time.Second
	}
	if config.Queue == 0 {
		config.Queue = 4096
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if err := RegisterSums(); err != nil {
		return nil, err
	}
	s := &Store{now: config.Now}
	if err := s.open(ctx, config); err != nil {
		_ = s.release()
		return nil, unopened(config.Path, err)
	}
	return s, nil
}

// unopened says which store could not be opened, and what to do when its file cannot be trusted.
func unopened(path string, err error) error {
	err = sorted("opening the store "+path, err)
	if errors.Is(err, ErrBroken) {
		return fmt.Errorf("%w; restore a backup, or move the file away and begin a new one", err)
	}
	return err
}

func (s *Store) open(ctx context.Context, config Config) error {
	if err := s.prepareFile(config); err != nil {
		return err
	}
	var err error
	if s.writing, err = sql.Open("sqlite", dsn(config, "_journal_mode=WAL&_synchronous="+synchronous+"&_txlock=immediate&_foreign_keys=on&_pragma=journal_size_limit(67108864)&_pragma=wal_autocheckpoint(0)")); err != nil {
		return err
	}
	s.writing.SetMaxOpenConns(1)
	s.source = dsn(config, "_synchronous=FULL")
	if s.reading, err = sql.Open("sqlite", dsn(config, "_query_only=1")); err != nil {
		return err
	}
	s.reading.SetMaxOpenConns(4)
	s.reading.SetMaxIdleConns(4)
	s.asked = questions{db: s.reading, prepared: map[string]*sql.Stmt{}}
	if err := refuseStranger(ctx, s.reading); err != nil {
		return err
	}
	looking := s.writing
	if config.Beside {
		looking = s.reading // what may be no store at all is not even made a WAL file
	}
	if err := checkSchema(ctx, looking, config.Beside); err != nil {
		return err
	}
	if !config.Beside {
		if err := withoutStatistics(ctx, s.writing); err != nil {
			return err
		}
	}
	copying, err := sql.Open("sqlite", dsn(config, "_synchronous="+synchronous))
	if err != nil {
		return err
	}
	if s.writer, err = startWriter(ctx, s.writing, copying, config.Queue, config.Now); err != nil {
		return err
	}
	if config.Beside {
		return nil
	}
	// SQLite flushes the directory with the first commit, and takes no notice when that fails (F7).
	if err := flushDirectory(filepath.Dir(config.Path)); err != nil {
		return wrap("flushing its directory", err)
	}
	if _, err = s.freeLeases(ctx, config.Now(), true); err != nil { // whoever had them is gone
		return err
	}
	return s.plant(ctx)
}

// prepareFile takes the lock and makes the file readable by its owner only; a command finds the file or fails.
func (s *Store) prepareFile(config Config) error {
	info, err := os.Stat(config.Path)
	switch {
	case err == nil && info.IsDir():
		return errors.New("it is a directory: name a file in it")
	case config.Beside && err != nil:
		return fmt.Errorf("there is no store: %w", err)
	case config.Beside:
		return nil
	}
	if err := makeDirectory(filepath.Dir(config.Path)); err != nil {
		return err
	}
	if s.lock, err = lock(config.Path + ".lock"); err != nil {
		return err
	}
	// A file that is there is left alone: to close it would end the locks that SQLite has on it in this process.
	file, err := os.OpenFile(config.Path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return file.Close()
}

// lock takes the daemon's lock, which ends with the process, however that ends. The file stays: to remove it would let
// two daemons in.
func lock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return file, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrLocked
	}
	return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), file.Close())
}

func dsn(config Config, settings string) string {
	return fmt.Sprintf("file:%s?_busy_timeout=%d&_dqs=0&_pragma=cache_size(-16000)&%s",
		(&url.URL{Path: config.Path}).EscapedPath(), config.BusyTimeout.Milliseconds(), settings)
}

// Failed is closed when the store broke: nothing it is asked for succeeds any more, and the process should end.
func (s *Store) Failed() <-chan struct{} { return s.writer.failed }

// Err tells what broke the store; nil while it works.
func (s *Store) Err() error { return s.writer.broken() }

// Close commits what has queued up and closes the file. A daemon gives the write-ahead log back to the file first, unless
// that cannot be written: the log is as good.
func (s *Store) Close() error {
	s.writer.stop()
	var err error
	if s.lock != nil && s.Err() == nil {
		_, err = s.writing.Exec("PRAGMA busy_timeout = 1000; PRAGMA wal_checkpoint(TRUNCATE)")
		if err = sorted("copying the log", err); errors.Is(err, ErrUnavailable) {
			err = nil
		}
	}
	return wrap("closing the store", errors.Join(err, s.release()))
}

func (s *Store) release() error {
	if s.writer != nil {
		s.writer.stop()
	}
	failed := []error{s.asked.close()}
	for _, db := range []*sql.DB{s.reading, s.writing} {
		if db != nil {
			failed = append(failed, db.Close())
		}
	}
	if s.lock != nil {
		failed = append(failed, s.lock.Close())
	}
	return errors.Join(failed...)
}
