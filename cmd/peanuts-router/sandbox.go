package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/peanuts-router/peanuts-router/actions"
	"github.com/peanuts-router/peanuts-router/actions/receiver"
	"github.com/peanuts-router/peanuts-router/engine"
)

// sandbox catches every outgoing message in this process: receivers on loopback to which all senders are diverted, and
// a directory for a store that is thrown away.
type sandbox struct {
	term     *terminal
	dir      string
	receiver *receiver.Receiver
	printing sync.Mutex
}

func newSandbox(t *terminal) (*sandbox, error) {
	s := &sandbox{term: t}
	var err error
	if s.dir, err = os.MkdirTemp("", "peanuts-router-sandbox-"); err != nil {
		return nil, fmt.Errorf("making a store for the sandbox: %w", err)
	}
	if s.receiver, err = receiver.Start(receiver.Config{OnCall: s.print}); err != nil {
		os.RemoveAll(s.dir)
		return nil, fmt.Errorf("starting the sandbox: %w", err)
	}
	return s, nil
}

func (s *sandbox) diversion() *actions.Diversion {
	return &actions.Diversion{HTTP: s.receiver.HTTP, SMTP: s.receiver.SMTP, SQL: s.rows()}
}

// rows is the SQLite file that takes what is meant for databases.
func (s *sandbox) rows() string { return filepath.Join(s.dir, "rows.db") }

func (s *sandbox) close() {
	s.receiver.Close()
	os.RemoveAll(s.dir)
}

func (s *sandbox) print(call receiver.Call) {
	s.printing.Lock()
	defer s.printing.Unlock()
	fmt.Fprintln(s.term.out, "caught  "+callLine(call))
}

// callLine is a caught call in one line.
func callLine(call receiver.Call) string {
	switch call.Kind {
	case engine.KindSlack:
		where := call.Channel
		if where == "" {
			where = "incoming webhook"
		}
		return fmt.Sprintf("slack  %s  %s", oneLine(where, 80), oneLine(call.Text+call.Blocks, 300))
	case engine.KindEmail:
		return fmt.Sprintf("email  to %s  Subject: %s", oneLine(strings.Join(call.To, ", "), 120), oneLine(call.Subject, 200))
	}
	return fmt.Sprintf("http   %s %s  %s", call.Method, oneLine(call.URL, 200), oneLine(call.Body, 300))
}
