package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	_ "modernc.org/sqlite" // the driver
)

// arrangement is what a router is to do with each event, besides delivering it to the target.
type arrangement struct {
	name        string // in words of the report
	second      string // the address of a second HTTP action, beside the target; empty for none
	tables      bool   // keep a stat and a table of SQLite
	concurrency int    // of the target's action, and of the table's
}

// secondHands is how many attempts of the second action may be under way (F26).
const secondHands = 200

// dead tells whether the second action takes nothing.
func (a *arrangement) dead() bool { return a.second != "" && !strings.HasSuffix(a.second, pathOther) }

// tableFile is the database that the sql step keeps; the router does not make it.
const tableFile = "table.db"

const createTable = `CREATE TABLE expenses (
	external_id TEXT PRIMARY KEY, amount NUMERIC, category TEXT, logged_at TEXT, version TEXT)`

// prepare puts into dir what the router needs.
func (a arrangement) prepare(ctx context.Context, dir, target string) error {
	if a.tables {
		if err := execute(ctx, filepath.Join(dir, tableFile), "PRAGMA journal_mode=WAL", createTable); err != nil {
			return fmt.Errorf("making the table: %w", err)
		}
	}
	return os.WriteFile(filepath.Join(dir, rulesFile), []byte(a.rules(target)), 0o600)
}

// rules is the rules file: one rule that fires at every event.
func (a arrangement) rules(target string) string {
	actions := []string{"  target:\n    http: {url: \"http://" + target + pathTake + "\"}\n    concurrency: " + strconv.Itoa(a.concurrency) + "\n"}
	steps := []string{"      - action: target\n"}
	if a.second != "" {
		actions = append(actions, "  second:\n    http: {url: \""+a.second+"\"}\n    concurrency: "+strconv.Itoa(secondHands)+"\n")
		steps = append(steps, "      - action: second\n")
	}
	stats := ""
	if a.tables {
		actions = append(actions, "  table:\n    sql: {database: \"sqlite:"+tableFile+"\", table: expenses, key: external_id, version: version}\n    concurrency: "+strconv.Itoa(a.concurrency)+"\n")
		steps = append(steps, upsertStep)
		stats = expensesStat
	}
	return "version: 1\nactions:\n" + strings.Join(actions, "") + ruleHead + strings.Join(steps, "") + stats
}

const (
	ruleHead = `rules:
  - name: high-expense
    when: helper.command == "/expenses" && entry.data.amount > 500
    then:
`
	upsertStep = `      - action: table
        upsert:
          external_id: "{{ entry.id }}"
          amount: "{{ entry.data.amount }}"
          category: "{{ entry.data.category }}"
          logged_at: "{{ entry.created_at }}"
`
	expensesStat = `stats:
  expenses:
    when: helper.command == "/expenses"
    value: entry.data.amount
    group_by: entry.data.category
`
)

// execute carries out statements on a database of SQLite.
func execute(ctx context.Context, path string, statements ...string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // what a PRAGMA sets holds for one connection
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
