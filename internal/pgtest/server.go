package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a running PostgreSQL.
type Server struct {
	dir     string // of the socket, the data and the log
	process *exec.Cmd
	ended   chan struct{} // closed when the process is gone
}

// maxSocket is how long the path of a socket's directory may be; the system allows 107 bytes with the socket's name.
const maxSocket = 80

// hba trusts whoever can reach the socket, but for the role that tests passwords.
const hba = "local all " + Guarded + " scram-sha-256\nlocal all all trust\n"

func start(t testing.TB) *Server {
	t.Helper()
	initdb, postgres := binaries(t)
	attributes, owner := identity(t)
	dir, err := os.MkdirTemp("", "pg")
	if err == nil && len(dir) > maxSocket {
		os.Remove(dir)
		dir, err = os.MkdirTemp("/tmp", "pg")
	}
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{dir: dir}
	if err := s.boot(initdb, postgres, attributes, owner); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		s.remove()
		t.Fatalf("starting PostgreSQL: %v\n%s", err, log)
	}
	return s
}

// boot makes the data directory, starts the server, and returns when it takes connections.
func (s *Server) boot(initdb, postgres string, attributes *syscall.SysProcAttr, owner int) error {
	if owner >= 0 {
		if err := os.Chown(s.dir, owner, -1); err != nil {
			return err
		}
	}
	data := filepath.Join(s.dir, "data")
	command := exec.Command(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	command.Dir, command.SysProcAttr = s.dir, attributes
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", initdb, err, out)
	}
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(hba), 0o600); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	s.process = exec.Command(postgres, "-D", data, "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=off",
		"-c", "max_connections=50", "-c", "shared_buffers=16MB")
	s.process.Dir, s.process.SysProcAttr, s.process.Stdout, s.process.Stderr = s.dir, attributes, log, log
	if err := s.launch(); err != nil {
		return err
	}
	return s.ready()
}

// ready waits until the server takes connections.
func (s *Server) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.DSN("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.ended:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return err
		case <-again.C:
		}
	}
}

// Stop ends the server at once, as a crash would: connections break.
func (s *Server) Stop() {
	if s.process == nil || s.process.Process == nil {
		return
	}
	// SIGQUIT is PostgreSQL's immediate shutdown, which also ends its children.
	_ = s.process.Process.Signal(syscall.SIGQUIT)
	select {
	case <-s.ended:
	case <-time.After(patience):
		_ = s.process.Process.Kill()
		<-s.ended
	}
}

func (s *Server) remove() {
	s.Stop()
	_ = os.RemoveAll(s.dir)
}

// binaries finds PostgreSQL: in PATH, or where the distributions put it.
func binaries(t testing.TB) (initdb, postgres string) {
	t.Helper()
	var folders []string
	if path, err := exec.LookPath("postgres"); err == nil {
		folders = append(folders, filepath.Dir(path))
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(out)))
	}
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.Sort(debian)
	slices.Reverse(debian)
	for _, folder := range append(folders, debian...) {
		initdb, err := exec.LookPath(filepath.Join(folder, "initdb"))
		if err != nil {
			continue
		}
		if postgres, err := exec.LookPath(filepath.Join(folder, "postgres")); err == nil {
			return initdb, postgres
		}
	}
	t.Skip("SKIPPED: no PostgreSQL here (initdb and postgres, in PATH, by pg_config, or below /usr/lib/postgresql)")
	return "", ""
}
