package actions

import (
	"strings"
	"testing"

	"github.com/peanuts-router/peanuts-router/engine"
)

// C21, C19: what can never succeed dies at once, names the column where there is one, and tells no value.
func TestWhatCanNeverSucceed(t *testing.T) {
	const secret = "geheim-4711"
	long := `"` + strings.Repeat(secret, 3) + `"`
	cases := []struct {
		name    string
		prepare string
		message string
		reason  string // part of it, and for each database of its status
		pg      string
		lite    string
	}{
		{"no table", `DROP TABLE expenses`, upsert("v1", "external_id", `"e1"`), `table "expenses": there is no such table`, "42P01 undefined_table", "SQLITE_ERROR no such table"},
		{"no column", "", upsert("v1", "external_id", `"e1"`, "amuont", `1`), `column "amuont": there is no such column`, "42703 undefined_column", "SQLITE_ERROR no such column"},
		{"no column to mark", "", removal("v1", `"e1"`, "gone_at"), `column "gone_at": there is no such column`, "42703 undefined_column", "SQLITE_ERROR no such column"},
		{"text for an integer", "", upsert("v1", "note", `"fine"`, "external_id", `"e1"`, "count", `"`+secret+`"`), `column "count": the value is n`, "22P02 invalid_text_representation", "not storable"},
		{"a fraction for an integer", "", upsert("v1", "external_id", `"e1"`, "count", `4.5`), `column "count": the value `, "22P02 invalid_text_representation", "not storable"},
		{"out of range", "", upsert("v1", "external_id", `"e1"`, "count", `9223372036854775808`), `column "count": the value is out of the column's range`, "22003 numeric_value_out_of_range", "not storable"},
		{"far out of range", "", upsert("v1", "external_id", `"e1"`, "count", `1e999999`), ``, "22", "not storable"},
		{"too long", "", upsert("v1", "external_id", `"e1"`, "short", long), ``, "22001 string_data_right_truncation", "SQLITE_CONSTRAINT"},
		{"a list for an integer", "", upsert("v1", "external_id", `"e1"`, "count", `["`+secret+`"]`), `column "count": the value is n`, "22P02 invalid_text_representation", "not storable"},
		{"null where none may be", "", upsert("v1", "external_id", `"e1"`, "must", `null`), `column "must": the column needs a value`, "23502 not_null_violation", "SQLITE_CONSTRAINT"},
		{"a check", "", upsert("v1", "external_id", `"e1"`, "positive", `-4711`), `constraint "`, "23514 check_violation", "SQLITE_CONSTRAINT"},
		{"another key", `INSERT INTO expenses (external_id, other) VALUES ('e0', '` + secret + `')`, upsert("v1", "external_id", `"e1"`, "other", `"`+secret+`"`), `another row has this value already`, "23505 unique_violation", "SQLITE_CONSTRAINT"},
		{"U+0000", "", upsert("v1", "external_id", `"e1"`, "note", `"`+secret+`\u0000"`), `the column "note": its text holds U+0000`, "not sendable", "not sendable"},
		{"U+0000 in a list", "", upsert("v1", "external_id", `"e1"`, "tags", `[["\u0000"]]`), `the column "tags": its text holds U+0000`, "not sendable", "not sendable"},
		{"U+0000 in the key of a removal", "", removal("v1", `"\u0000"`, ""), `the column "external_id": its text holds U+0000`, "not sendable", "not sendable"},
		{"no key", "", upsert("v1", "note", `"`+secret+`"`), `the key column "external_id" is not among`, "not sendable", "not sendable"},
		{"a key without a value", "", upsert("v1", "external_id", `null`), `the key column "external_id" has no value`, "not sendable", "not sendable"},
		{"a column twice", "", upsert("v1", "external_id", `"e1"`, "note", `1`, "note", `2`), `the column "note" is written twice`, "not sendable", "not sendable"},
		{"the version as a column", "", upsert("v1", "external_id", `"e1"`, "updated_at", `"x"`), `filled by the router itself`, "not sendable", "not sendable"},
		{"no name", "", upsert("v1", "external_id", `"e1"`, "", `1`), `empty name`, "not sendable", "not sendable"},
		{"no version", "", upsert("", "external_id", `"e1"`), `cannot be read`, "not sendable", "not sendable"},
		{"both", "", `{"version":"v1","columns":[{"name":"external_id","value":1}],"remove":{"key":1}}`, `cannot be read`, "not sendable", "not sendable"},
		{"neither", "", `{"version":"v1"}`, `cannot be read`, "not sendable", "not sendable"},
		{"a key that is not unique", `ALTER TABLE expenses RENAME TO was; CREATE TABLE expenses (external_id TEXT, note TEXT, updated_at TEXT)`, upsert("v1", "external_id", `"e1"`), `column "external_id": the key column has no unique constraint`, "42P10 invalid_column_reference", "SQLITE_ERROR"},
		{"a computed column", `ALTER TABLE expenses RENAME TO was; CREATE TABLE expenses (external_id VARCHAR(9) PRIMARY KEY, note TEXT GENERATED ALWAYS AS (updated_at) STORED, updated_at TEXT)`, upsert("v1", "external_id", `"e1"`, "note", `"x"`), `column "note": `, "428C9 generated_always", "SQLITE_ERROR generated column"},
		{"no row to point to", `ALTER TABLE expenses RENAME TO was; CREATE TABLE people (id INT PRIMARY KEY); CREATE TABLE expenses (external_id TEXT PRIMARY KEY, who INT REFERENCES people(id), updated_at TEXT)`, upsert("v1", "external_id", `"e1"`, "who", `4711`), `points to is not there`, "23503 foreign_key_violation", "SQLITE_CONSTRAINT"},
	}
	onBeds(t, func(t *testing.T, b bed) {
		kept := b
		for _, c := range cases {
			b = kept
			if c.prepare != "" { // a table of its own
				b = map[string]func() bed{
					"postgres": func() bed { return postgresBed(t) },
					"sqlite":   func() bed { return sqliteBed(t, "sqlite", inSQLite) },
					"strict":   func() bed { return sqliteBed(t, "strict", inStrict) },
				}[b.kind]()
				b.exec(t, c.prepare)
			}
			status := c.lite
			if b.kind == "postgres" {
				status = c.pg
			}
			got := attempt(b.sender(t), c.message)
			if got.Verdict != engine.VerdictDead || got.Refused || !strings.HasPrefix(got.Status, status) || !strings.Contains(got.Reason, c.reason) {
				t.Errorf("%s: outcome %+v, want dead, %q, %q", c.name, got, status, c.reason)
			}
			if told := got.Status + got.Reason; strings.Contains(told, secret) || strings.Contains(told, "4711") || strings.Contains(told, "/") {
				t.Errorf("%s: a value or an address is told: %+v", c.name, got)
			}
			if c.prepare == "" && b.query(t, `SELECT count(*) FROM expenses`) != "0" {
				t.Errorf("%s: a row was written", c.name)
			}
		}
	})
}

// C21: what each SQLSTATE means, said by a real server.
func TestWhatEachSQLSTATEMeans(t *testing.T) {
	b := postgresBed(t)
	b.exec(t, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'says geheim' USING ERRCODE = NEW.note; END $$`)
	b.exec(t, `CREATE TRIGGER refusing BEFORE INSERT ON expenses FOR EACH ROW EXECUTE FUNCTION refuse()`)
	sender := b.sender(t)
	for states, want := range map[string]engine.Verdict{
		"21000 22012 22P05 23000 23503 23514 23P01 27000 42883 42804 44000 0A000 54000 54001 P0001":                                                       engine.VerdictDead,
		"08006 08000 25P02 28000 28P01 25006 40001 40P01 42501 53000 53100 53200 53300 55P03 55006 57014 57P01 57P02 57P03 58030 XX000 F0000 72000 99999": engine.VerdictRetry,
	} {
		for _, state := range strings.Fields(states) {
			got := attempt(sender, upsert("v1", "external_id", `"e1"`, "note", `"`+state+`"`))
			if got.Verdict != want || !strings.HasPrefix(got.Status, state) || got.Reason == "" || strings.Contains(got.Reason, "geheim") || got.Answer != "says geheim" {
				t.Errorf("%s: outcome %+v, want %s", state, got, want)
			}
			refused := state == "42501" || state == "25006" || strings.HasPrefix(state, "28")
			if got.Refused != refused {
				t.Errorf("%s: refused is %v, want %v", state, got.Refused, refused)
			}
		}
	}
}

// A table that was altered is looked up again, so that people can mend it and replay.
func TestAlteredTables(t *testing.T) {
	onBeds(t, func(t *testing.T, b bed) {
		sender := b.sender(t)
		if got := attempt(sender, upsert("v1", "external_id", `"e1"`, "fresh", `1`)); got.Verdict != engine.VerdictDead {
			t.Fatalf("outcome %+v", got)
		}
		b.exec(t, `ALTER TABLE expenses ADD COLUMN fresh INT`)
		if got := attempt(sender, upsert("v1", "external_id", `"e1"`, "fresh", `1`)); got.Status != "upserted" {
			t.Errorf("after the column was added: %+v", got)
		}
		b.exec(t, `ALTER TABLE expenses DROP COLUMN fresh`)
		b.exec(t, `ALTER TABLE expenses ADD COLUMN fresh TEXT`)
		if got := attempt(sender, upsert("v2", "external_id", `"e1"`, "fresh", `"x"`)); got.Status != "upserted" {
			t.Errorf("after the column became text: %+v", got)
		}
		b.exec(t, `DROP TABLE expenses`)
		if got := attempt(sender, upsert("v3", "external_id", `"e1"`)); got.Verdict != engine.VerdictDead {
			t.Errorf("after the table was dropped: %+v", got)
		}
		b.exec(t, `CREATE TABLE expenses (external_id VARCHAR(9) PRIMARY KEY, updated_at TEXT)`)
		if got := attempt(sender, upsert("v3", "external_id", `"e1"`)); got.Status != "upserted" {
			t.Errorf("after the table was made again: %+v", got)
		}
	})
}

// C16: names are names, whatever they hold, and never SQL.
func TestNamesAreNeverSQL(t *testing.T) {
	const evil = `x"); DROP TABLE "victim"; --`
	quoted := `"` + strings.ReplaceAll(evil, `"`, `""`) + `"`
	onBeds(t, func(t *testing.T, b bed) {
		b.exec(t, `CREATE TABLE "victim" (a INT)`)
		b.exec(t, `CREATE TABLE `+quoted+` ("key ' "" ;" VARCHAR(9) PRIMARY KEY, "Größe; $1 ?1 t" TEXT, `+quoted+` TEXT, "select" TEXT)`)
		b.settings.Table, b.settings.Key, b.settings.Version = evil, `key ' " ;`, evil
		sender := b.sender(t)
		for i, message := range []string{
			upsert("v1", `key ' " ;`, `"'e1"`, "Größe; $1 ?1 t", `"XL"`, "~select", `"now"`),
			upsert("v2", `key ' " ;`, `"'e1"`, "Größe; $1 ?1 t", `"XXL"`, "~select", `"then"`),
			removal("v3", `"'e1"`, "select"),
		} {
			if got := attempt(sender, message); got.Verdict != engine.VerdictDelivered || got.Status == "unchanged" {
				t.Fatalf("message %d: %+v", i+1, got)
			}
		}
		if got := b.query(t, `SELECT * FROM `+quoted); got != "'e1|XXL|v3|2026-11-23T14:00:00Z" {
			t.Errorf("the row is %q", got)
		}
		if got := attempt(sender, removal("v4", `"'e1"`, "")); got.Status != "removed" {
			t.Errorf("removing: %+v", got)
		}
		for _, name := range []string{"no", `no" = 1; DROP TABLE "victim"; --`, "rowid; --", strings.Repeat("n", 64)} {
			if got := attempt(sender, upsert("v1", `key ' " ;`, `"e1"`, name, `"x"`)); got.Verdict != engine.VerdictDead {
				t.Errorf("a column %q: %+v", name, got)
			}
		}
		if got := b.query(t, `SELECT count(*) FROM victim`); got != "0" {
			t.Errorf("the other table has %s rows", got)
		}
	})
}

// Settings that no database could serve are refused with the rules; nothing of the address is told.
func TestSettingsThatCannotServe(t *testing.T) {
	long := strings.Repeat("n", 64)
	for _, c := range []struct{ database, table, key, version, want string }{
		{"mysql://u:hunter2@h/db", "t", "k", "v", "the database has to begin with"},
		{"", "t", "k", "v", "the database has to begin with"},
		{"sqlite:", "t", "k", "v", "sqlite:FILE"},
		{"postgres://u:hunter2@h:port/db", "t", "k", "v", "the address of the database cannot be used"},
		{"postgres://u:hunter2@h/db", "a.b.c", "k", "v", "NAME or SCHEMA.NAME"},
		{"postgres://u:hunter2@h/db", "a.", "k", "v", "empty name"},
		{"postgres://u:hunter2@h/db", "t", "", "v", "empty name"},
		{"postgres://u:hunter2@h/db", "t", long, "v", "longer than 63 bytes"},
		{"sqlite:x.db", "t", "k", "v\x00", "U+0000"},
		{"sqlite:x.db", "t", "k", "K", "key and version are both"},
	} {
		settings := &engine.SQLSettings{Database: engine.NewSecret(c.database), Table: c.table, Key: c.key, Version: c.version}
		_, err := New(engine.Action{Name: "table", Settings: settings}, Config{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("New(%q, %q, %q, %q) = %v, want %q", c.database, c.table, c.key, c.version, err, c.want)
		}
	}
}
