package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver
)

//go:embed migrations/*.sql
var migrations embed.FS

// schemaVersion is the newest migration.
const schemaVersion = 1

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
	lock    *os.File // nil for a command
}

// Open opens a store. A daemon takes the lock (else ErrLocked), makes the file when there is none, brings its schema
// up to date, and frees the leases of the daemon before it. A corrupt file is ErrBroken.
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
	s := &Store{now: config.Now}
	if err := s.open(ctx, config); err != nil {
		s.release()
		return nil, sorted("opening the store "+config.Path, err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, config Config) error {
	if err := s.prepareFile(config); err != nil {
		return err
	}
	var err error
	if s.writing, err = sql.Open("sqlite", dsn(config, "_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_foreign_keys=on&_pragma=journal_size_limit(67108864)")); err != nil {
		return err
	}
	s.writing.SetMaxOpenConns(1)
	if s.reading, err = sql.Open("sqlite", dsn(config, "_query_only=1")); err != nil {
		return err
	}
	s.reading.SetMaxOpenConns(4)
	s.reading.SetMaxIdleConns(4)
	if config.Beside {
		err = s.checkSchema(ctx)
	} else {
		err = s.migrate(ctx)
	}
	if err != nil {
		return err
	}
	if s.writer, err = startWriter(ctx, s.writing, config.Queue); err != nil {
		return err
	}
	if config.Beside {
		return nil
	}
	_, err = s.freeLeases(ctx, config.Now(), time.Time{})
	return err
}

// prepareFile takes the lock and makes the file readable by its owner only; a command finds the file or fails.
func (s *Store) prepareFile(config Config) error {
	if config.Beside {
		if _, err := os.Stat(config.Path); err != nil {
			return fmt.Errorf("there is no store: %w", err)
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(config.Path), 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(config.Path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return fmt.Errorf("%w (%s)", ErrLocked, config.Path)
	}
	s.lock = lock
	file, err := os.OpenFile(config.Path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

func dsn(config Config, settings string) string {
	return fmt.Sprintf("file:%s?_busy_timeout=%d&_dqs=0&_pragma=cache_size(-16000)&%s",
		(&url.URL{Path: config.Path}).EscapedPath(), config.BusyTimeout.Milliseconds(), settings)
}

func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.writing, files)
	if err != nil {
		return err
	}
	current, err := provider.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	if current > schemaVersion {
		return fmt.Errorf("its schema is version %d and this program knows %d: run a newer peanuts-router", current, schemaVersion)
	}
	_, err = provider.Up(ctx)
	return err
}

// checkSchema refuses a store that this program would not understand.
func (s *Store) checkSchema(ctx context.Context) error {
	var current int64
	err := s.reading.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied").Scan(&current)
	if err != nil {
		return fmt.Errorf("reading its schema: %w", err)
	}
	switch {
	case current < schemaVersion:
		return errors.New("its schema is older than this program: start the daemon once to bring it up to date")
	case current > schemaVersion:
		return errors.New("its schema is newer than this program: use the peanuts-router that the daemon runs")
	}
	return nil
}

// Failed is closed when the store broke: nothing it is asked for succeeds any more, and the process should end.
func (s *Store) Failed() <-chan struct{} { return s.writer.failed }

// Err tells what broke the store; nil while it works.
func (s *Store) Err() error { return s.writer.broken() }

// Close commits what has queued up and closes the file. A daemon gives the write-ahead log back to the file first.
func (s *Store) Close() error {
	s.writer.stop()
	if s.lock != nil && s.Err() == nil {
		_, err := s.writing.Exec("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)")
		return errors.Join(sorted("closing the store", err), s.release())
	}
	return s.release()
}

func (s *Store) release() error {
	var failed []error
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
