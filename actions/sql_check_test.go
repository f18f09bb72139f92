package actions

import (
	"net/url"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What validate --connect tells about a table, all at once; nothing is written.
func TestCheckSQL(t *testing.T) {
	onBeds(t, func(t *testing.T, b bed) {
		b.exec(t, `CREATE TABLE odd (id VARCHAR(9), amount INT, needed INT NOT NULL, filled INT NOT NULL DEFAULT 1, version INT, note VARCHAR(9))`)
		b.exec(t, `CREATE TABLE unkeyed (id VARCHAR(9), version VARCHAR(60))`)
		b.exec(t, `CREATE TABLE numbered (number INTEGER PRIMARY KEY, id VARCHAR(9) NOT NULL UNIQUE, version VARCHAR(60) NOT NULL)`)
		declared := map[string]string{"postgres": "integer"}[b.kind]
		if declared == "" {
			declared = "INT"
		}
		for _, c := range []struct {
			table, key, version string
			columns             []string
			want                []SQLProblem
		}{
			{"expenses", "external_id", "updated_at", []string{"external_id", "amount", "note", "deleted_at"}, nil},
			{"expense", "external_id", "updated_at", nil, []SQLProblem{{"", `there is no table "expense"`}}},
			{"odd", "id", "version", []string{"id", "amuont", "nothing_like_it", "note"}, []SQLProblem{
				{"version", "the version is text, but this column is declared " + declared},
				{"amuont", `there is no such column, did you mean "amount"?`},
				{"nothing_like_it", "there is no such column"},
				{"needed", "the column needs a value (NOT NULL without a default), but nothing is written to it"},
			}},
			{"unkeyed", "id", "version", nil, []SQLProblem{{"id", "the key column has no unique constraint and is no primary key; add one"}}},
			{"numbered", "id", "version", []string{"number"}, nil},
			{"numbered", "", "version", nil, []SQLProblem{{"", "a table or column has an empty name"}}},
		} {
			settings := b.settings
			settings.Table, settings.Key, settings.Version = c.table, c.key, c.version
			if diff := cmp.Diff(c.want, CheckSQL(t.Context(), &settings, c.columns)); diff != "" {
				t.Errorf("CheckSQL(%s, %q) (-want +got):\n%s", c.table, c.columns, diff)
			}
		}
		if got := b.query(t, `SELECT count(*) FROM expenses`); got != "0" {
			t.Errorf("CheckSQL wrote %s rows", got)
		}
	})
}

// A table may stand in a schema of PostgreSQL; grants are looked at, too.
func TestSchemasOfPostgreSQL(t *testing.T) {
	b := postgresBed(t)
	b.exec(t, `CREATE SCHEMA reporting`)
	b.exec(t, `CREATE TABLE reporting.totals (external_id text PRIMARY KEY, note text, updated_at text)`)
	b.settings.Table = "reporting.totals"
	if got := CheckSQL(t.Context(), &b.settings, []string{"note"}); got != nil {
		t.Errorf("CheckSQL = %q", got)
	}
	if got := attempt(b.sender(t), fine); got.Status != "upserted" {
		t.Errorf("outcome %+v", got)
	}
	b.settings.Table = "nowhere.totals"
	if got := attempt(b.sender(t), fine); got.Status != "42P01 undefined_table" || got.Reason != `table "nowhere.totals": there is no such table` {
		t.Errorf("outcome %+v", got)
	}
	if got := CheckSQL(t.Context(), &b.settings, nil); len(got) != 1 || got[0].Message != `there is no table "nowhere.totals"` {
		t.Errorf("CheckSQL = %q", got)
	}
	b.exec(t, `CREATE ROLE only_looks LOGIN`)
	defer b.exec(t, `DROP ROLE only_looks`)
	b.settings.Table = "expenses"
	settings := settingsOf(as(t, b.settings.Database.Reveal(), url.User("only_looks")))
	if got := CheckSQL(t.Context(), &settings, nil); len(got) != 1 || got[0].Message != sqlStates["42501"][1] {
		t.Errorf("CheckSQL without grants = %q", got)
	}
}

// A database that is not there is one problem, which holds nothing of the address.
func TestCheckSQLWithoutADatabase(t *testing.T) {
	settings := settingsOf("sqlite:" + filepath.Join(t.TempDir(), "hunter2.db"))
	want := []SQLProblem{{"", "the database cannot be used: the database file is not there; it is never made by the router"}}
	if diff := cmp.Diff(want, CheckSQL(t.Context(), &settings, []string{"a"})); diff != "" {
		t.Errorf("CheckSQL (-want +got):\n%s", diff)
	}
}
