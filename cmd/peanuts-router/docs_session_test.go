package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/actions/receiver"
)

// docSession runs a console example in a directory of its own, which holds the example rules, the samples, the files that
// its page shows, and the table that docs/sync.md tells to make. What is sent stays on this machine.
type docSession struct {
	t      *testing.T
	page   string
	dir    string
	env    []string
	daemon *daemon
}

// docCommand is a command of a session with the lines that are shown below it.
type docCommand struct {
	line  string
	shown []string
}

func newDocSession(t *testing.T, page string, all []block) *docSession {
	t.Helper()
	s := &docSession{t: t, page: page, dir: t.TempDir()}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rules.example.yaml", "testdata"} {
		if err := os.Symlink(filepath.Join(root, name), filepath.Join(s.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range all {
		if b.page == page && b.file != "" {
			writeFile(t, filepath.Join(s.dir, b.file), b.text)
		}
	}
	if _, err := s.query("expenses.db", example(t, "sync.md", "SQLite", "sql")); err != nil {
		t.Fatal(err)
	}
	box, err := receiver.Start(receiver.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	s.env = []string{
		envSecret + "=" + testSecret, "SLACK_BOT_TOKEN=token", "LEDGER_TOKEN=token",
		"SLACK_API_URL=http://" + box.HTTP + "/api/", "LEDGER_URL=http://" + box.HTTP,
		"SMTP_SERVER=smtp://" + box.SMTP, "SMTP_TLS=none",
	}
	return s
}

// commands are those of a console example.
func commands(text string) []docCommand {
	var all []docCommand
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if command, isCommand := strings.CutPrefix(line, "$ "); isCommand {
			all = append(all, docCommand{line: command})
		} else if n := len(all); n > 0 {
			all[n-1].shown = append(all[n-1].shown, line)
		}
	}
	return all
}

// run runs a command and compares what it prints with what is shown. What a daemon does in its own time is looked at
// again for a while.
func (s *docSession) run(c docCommand) {
	s.t.Helper()
	deadline := time.Now().Add(longEnough)
	for {
		printed, err := s.print(c.line)
		wrong := ""
		if err != nil {
			wrong = fmt.Sprintf("%s: $ %s: %v\n%s", s.page, c.line, err, printed)
		} else if differs := c.compare(printed); differs != "" {
			wrong = fmt.Sprintf("%s: $ %s prints\n%s\n%s", s.page, c.line, printed, differs)
		}
		again := s.daemon != nil && !strings.Contains(c.line, " send ") && !strings.Contains(c.line, " replay ")
		if wrong == "" {
			return
		}
		if !again || time.Now().After(deadline) {
			s.t.Error(wrong)
			return
		}
	}
}

// compare tells of what is shown and was not printed: of a JSON answer all of it counts, else each line.
func (c docCommand) compare(printed string) string {
	if strings.HasPrefix(c.line, "curl ") {
		return cmp.Diff(inJSON(strings.Join(c.shown, "\n")), inJSON(printed))
	}
	for _, line := range c.shown {
		if !strings.Contains(printed, strings.TrimSpace(line)) {
			return fmt.Sprintf("and not %q", line)
		}
	}
	return ""
}

// inJSON is a JSON text as values, with its numbers as they are written.
func inJSON(text string) (value any) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return err.Error() + " in " + text
	}
	return value
}

func (s *docSession) print(line string) (string, error) {
	words := s.words(line)
	switch {
	case words[0] == "peanuts-router" && words[1] == "serve" && words[len(words)-1] == "&":
		s.daemon = startDaemon(s.t, s.dir, s.env, words[2:len(words)-1]...)
		s.env = append(s.env, "PEANUTS_ROUTER_URL="+s.daemon.webhook)
		return "", nil
	case words[0] == "peanuts-router":
		cmd := exec.Command(os.Args[0], words[1:]...)
		cmd.Dir = s.dir
		cmd.Env = append(append(os.Environ(), asRouter+"=1", "NO_COLOR=1"), s.env...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	case words[0] == "curl" && s.daemon != nil:
		return s.curl(words[1:])
	case words[0] == "sqlite3" && len(words) == 3:
		return s.query(words[1], words[2])
	}
	return "", fmt.Errorf("the test knows no such command")
}

// words takes a line apart as a shell does, as far as examples need it: single quotes, and * for files.
func (s *docSession) words(line string) []string {
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
			continue
		}
		for _, word := range strings.Fields(part) {
			files, err := filepath.Glob(filepath.Join(s.dir, word))
			if err != nil || !strings.Contains(word, "*") {
				words = append(words, word)
				continue
			}
			for _, file := range files {
				words = append(words, strings.TrimPrefix(file, s.dir+string(filepath.Separator)))
			}
		}
	}
	return words
}

// curl asks the daemon, wherever it listens here: "-s URL" gets, "-s --json BODY URL" posts.
func (s *docSession) curl(words []string) (string, error) {
	url, method, body := words[len(words)-1], http.MethodGet, ""
	if len(words) == 4 && words[1] == "--json" {
		method, body = http.MethodPost, words[2]
	}
	if path, known := strings.CutPrefix(url, "http://127.0.0.1:3001/"); known {
		url = s.daemon.admin + "/" + path
	} else if url == "http://127.0.0.1:3000/webhook" {
		url = s.daemon.webhook
	} else {
		return "", fmt.Errorf("nothing listens at %s", url)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return string(answer), err
}

// query prints the rows of a query as sqlite3 does.
func (s *docSession) query(file, statement string) (string, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, file)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return "", err
	}
	defer db.Close()
	rows, err := db.Query(statement)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for rows.Next() {
		cells, into := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			return "", err
		}
		for i, cell := range cells {
			if i > 0 {
				out.WriteByte('|')
			}
			out.WriteString(cell.String)
		}
		out.WriteByte('\n')
	}
	return out.String(), rows.Err()
}
