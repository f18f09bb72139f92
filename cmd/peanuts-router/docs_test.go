package main

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/internal/pgtest"
)

// block is a fenced example of a page. One that is a file has its name behind the language.
type block struct{ page, heading, language, file, text string }

// pages are the README and every page below docs.
func pages(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append(pages, "../../README.md")
}

// examples are the fenced blocks of all pages.
func examples(t *testing.T) []block {
	t.Helper()
	fence := regexp.MustCompile("(?ms)^```([a-z]+)(?: ([a-z.]+))?\n(.*?)^```$|^#+ ([^\n]*)$")
	var blocks []block
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		heading := ""
		for _, found := range fence.FindAllStringSubmatch(string(text), -1) {
			if found[1] == "" {
				heading = found[4]
				continue
			}
			blocks = append(blocks, block{page: filepath.Base(page), heading: heading, language: found[1], file: found[2], text: found[3]})
		}
	}
	return blocks
}

// example is the one block of a language below a heading of a page.
func example(t *testing.T, page, heading, language string) string {
	t.Helper()
	for _, b := range examples(t) {
		if b.page == page && b.heading == heading && b.language == language {
			return b.text
		}
	}
	t.Fatalf("%s has no %s below %q", page, language, heading)
	return ""
}

func TestEveryRulesFileInTheDocumentationLoads(t *testing.T) {
	loaded := 0
	for _, b := range examples(t) {
		if b.language != "yaml" {
			continue
		}
		file := filepath.Join(t.TempDir(), "rules.yaml")
		writeFile(t, file, b.text)
		if rules, problems := engine.Load(file, engine.Options{Options: rulefile.Options{UnsetIsWarning: true}}); rules == nil {
			t.Errorf("an example of %s does not load:\n%s\n%v", b.page, b.text, problems)
		}
		loaded++
	}
	if loaded < 3 {
		t.Errorf("found %d rules files in the documentation, want at least 3", loaded)
	}
}

func TestTheREADMEShowsTheExampleRulesWhole(t *testing.T) {
	want, err := os.ReadFile("../../rules.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range examples(t) {
		if b.page == "README.md" && b.language == "yaml" && b.text == string(want) {
			return
		}
	}
	t.Error("README.md does not show rules.example.yaml as it is")
}

// Every command of a console example runs, and prints each line that is shown below it.
func TestEverySessionInTheDocumentationIsTrue(t *testing.T) {
	all, ran := examples(t), 0
	for _, b := range all {
		if b.language != "console" {
			continue
		}
		session := commands(b.text)
		ran += len(session)
		t.Run(b.page+" "+b.heading, func(t *testing.T) {
			t.Parallel()
			in := newDocSession(t, b.page, all)
			for _, command := range session {
				in.run(command)
			}
		})
	}
	if ran < 40 {
		t.Errorf("ran %d commands of the documentation, want at least 40", ran)
	}
}

// The tables of docs/sync.md are what the example rules need, with no more rights than that page gives.
func TestTheTablesInTheDocumentationFitTheExampleRules(t *testing.T) {
	validate := func(t *testing.T, database string) {
		t.Helper()
		cmd := exec.Command(os.Args[0], "validate", "--connect", "rules.example.yaml")
		cmd.Dir = "../.."
		cmd.Env = append(os.Environ(), asRouter+"=1", "NO_COLOR=1", "LEDGER_DB="+database, "SLACK_BOT_TOKEN=token", "LEDGER_TOKEN=token")
		out, err := cmd.CombinedOutput()
		if want := "no problems in rules.example.yaml\n"; err != nil || string(out) != want {
			t.Errorf("validate --connect printed\n%s%v, want %s", out, err, want)
		}
	}
	t.Run("SQLite", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "expenses.db")
		db, err := sql.Open("sqlite", file)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(example(t, "sync.md", "SQLite", "sql")); err != nil {
			t.Fatal(err)
		}
		validate(t, "sqlite:"+file)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		owner := pgtest.Start(t)
		conn, err := pgx.Connect(t.Context(), owner)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		for _, statement := range []string{
			example(t, "sync.md", "PostgreSQL", "sql"), "CREATE ROLE router LOGIN", example(t, "sync.md", "Permissions", "sql"),
		} {
			if _, err := conn.Exec(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		defer conn.Exec(context.Background(), "DROP OWNED BY router; DROP ROLE router")
		router, err := url.Parse(owner)
		if err != nil {
			t.Fatal(err)
		}
		router.User = url.User("router")
		validate(t, router.String())
	})
}

// Every Go example is a part of one that is run.
func TestEveryGoExampleInTheDocumentationIsRun(t *testing.T) {
	text, err := os.ReadFile("../../peanuts/example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	run := strings.ReplaceAll(string(text), "\n\t", "\n")
	for _, b := range examples(t) {
		if b.language == "go" && !strings.Contains(run, b.text) {
			t.Errorf("an example of %s is not in peanuts/example_test.go:\n%s", b.page, b.text)
		}
	}
}

// anchors are the places of a page that a link can lead to: its headings, as the site that shows them writes these.
func anchors(t *testing.T, page string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(text), -1) {
		name := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		found["#"+strings.ReplaceAll(name, " ", "-")] = true
	}
	return found
}

// Every link of the documentation to a file of the repository leads somewhere.
func TestEveryLinkOfTheDocumentationLeadsSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			target := filepath.Join(filepath.Dir(page), found[1])
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", page, found[1], err)
			} else if found[2] != "" && !anchors(t, target)[found[2]] {
				t.Errorf("%s links to %s%s, which is no heading there", page, found[1], found[2])
			}
		}
	}
}
