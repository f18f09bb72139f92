package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// What is not refused where it is used, and why it need not be. A test of the whole size finds each of these so.
var (
	onlyCheckTells = named{
		"it is part of a key: by the key that it was written with the row is not found": {
			"attempts.delivery", "claims.rule", "claims.value", "deliveries.seq", "entries.id", "events.seq", "replays.event", "stats.id", "synced.entry",
		},
		"what the entries add to the stats and what they add up to stand for one another, and nothing is sent by either": {
			"contributions.crc", "contributions.day", "contributions.entry", "contributions.grp", "contributions.stat", "contributions.unit",
			"contributions.user", "contributions.value", "stats.current",
			"totals.count", "totals.grp", "totals.period", "totals.stat", "totals.sum", "totals.unit", "totals.user",
		},
		"no bit makes one state of another, and what is in none is not looked for": {"deliveries.state"},
		"it counts in a line only, whose index holds it as well":                   {"deliveries.turn"},
		"it is null but while a lease runs, and a start takes back all leases":     {"deliveries.lease_until"},
		"a hold that has ended is not read":                                        {"holds.until"},
		"what has been told is not read before the next dead letter":               {"deaths.told"},
	}
	nothingTells = named{
		"of an event that owes nothing and brings no entry it is only the place in lists; both indexes of the table hold it, so that in the file check tells": {"events.seq"},
	}
)

// named are columns by the reason for what is said of them.
type named map[string][]string

func (n named) columns() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for _, columns := range n {
			for _, column := range columns {
				if !yield(column) {
					return
				}
			}
		}
	})
}

// F12, C17: in each column of each table a bit is flipped by SQL, so that the indexes agree with it, which a damaged page's do
// not. What is read is refused, or check tells and the column is named here, or it is named as one of which nothing is made.
func TestAFlippedBitOfAnyColumnIsRefusedOrNamed(t *testing.T) {
	sound, truth := soundStore(t)
	found := map[fate]map[string]bool{toldByCheck: {}, silent: {}}
	for _, flip := range flips(t, sound) {
		became := flip.fate(t, sound, truth)
		if became == muddled {
			t.Errorf("%s %v: the store is %s", flip.text, flip.args, became)
		}
		if columns := found[became]; columns != nil {
			columns[flip.column] = true
		}
	}
	for became, named := range map[fate]named{toldByCheck: onlyCheckTells, silent: nothingTells} {
		for column := range found[became] {
			if !slices.Contains(named.columns(), column) {
				t.Errorf("with a bit of %s flipped, the store is %s", column, became)
			}
		}
		if sized(0, 1) == 0 {
			continue
		}
		if diff := cmp.Diff(named.columns(), slices.Sorted(maps.Keys(found[became]))); diff != "" {
			t.Errorf("a store with a bit of these flipped is %s (-named +found):\n%s", became, diff)
		}
	}
}

// columnFlip is a statement that changes a column of one row by a bit.
type columnFlip struct {
	column, text string
	args         []any
}

// fate is what becomes of the store with that column.
func (f columnFlip) fate(t *testing.T, sound []byte, truth answered) fate {
	t.Helper()
	path := filepath.Join(t.TempDir(), "router.db")
	writeFile(t, path, string(sound))
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=ignore_check_constraints(1)")
	if err == nil {
		_, err = db.ExecContext(t.Context(), f.text, f.args...)
		err = errors.Join(err, db.Close())
	}
	if err != nil && strings.Contains(err.Error(), "UNIQUE") {
		return harmless // there is another row of that key, so that a bit that flips there is no single one
	}
	if err != nil {
		t.Fatalf("%s %v: %v", f.text, f.args, err)
	}
	return fateOfFile(t, path, truth)
}

// flips are those of every column: of some rows and of several bits, or of one of them.
func flips(t *testing.T, file []byte) (all []columnFlip) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "router.db")
	writeFile(t, path, string(file))
	conn := raw(t, path)
	columns, keys := columnsOf(t, conn)
	dice := rand.New(rand.NewPCG(12, 14))
	for _, table := range slices.Sorted(maps.Keys(columns)) {
		rows := someRows(t, conn, table, columns[table])
		for i, column := range columns[table] {
			var ofColumn []columnFlip
			for _, row := range rows {
				text, args := "UPDATE "+table+" SET "+column+" = ?1 WHERE TRUE", []any{nil}
				for j, key := range columns[table] {
					if keys[table+"."+key] {
						text, args = fmt.Sprintf("%s AND %s = ?%d", text, key, len(args)+1), append(args, row[j])
					}
				}
				for _, value := range flippedValues(row[i]) {
					args = slices.Clone(args)
					args[0] = value
					ofColumn = append(ofColumn, columnFlip{table + "." + column, text, args})
				}
			}
			if sized(0, 1) == 0 {
				ofColumn = ofColumn[dice.IntN(len(ofColumn)):][:1]
			}
			all = append(all, ofColumn...)
		}
	}
	return all
}

// flippedValues are a value of which one bit is another: of a number a low one, one in the midst and a high one, of a text one
// of its first and one of its last byte. What is null becomes a value, whichever its column may hold.
func flippedValues(value any) []any {
	switch v := value.(type) {
	case int64:
		return []any{v ^ 1, v ^ 1<<12, v ^ 1<<40}
	case string:
		if v == "" {
			return []any{"0"}
		}
		return []any{string(rune(v[0]^1)) + v[1:], v[:len(v)-1] + string(rune(v[len(v)-1]^2))}
	case []byte:
		changed := slices.Clone(v)
		changed[len(v)/2] ^= 1
		return []any{changed}
	}
	return []any{int64(1)} // a column of text makes it one
}

// columnsOf are the columns of the store's tables, and those of them that are keys, as table.column.
func columnsOf(t *testing.T, conn *sql.Conn) (columns map[string][]string, keys map[string]bool) {
	t.Helper()
	columns, keys = map[string][]string{}, map[string]bool{}
	rows, err := conn.QueryContext(t.Context(), `SELECT m.name, c.name, c.pk > 0 FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'goose%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, column string
		var key bool
		if err := rows.Scan(&table, &column, &key); err != nil {
			t.Fatal(err)
		}
		columns[table], keys[table+"."+column] = append(columns[table], column), key
	}
	return columns, keys
}

// onlyRead picks the rows that are read when everything is asked for, of a table of which not all are.
var onlyRead = map[string]string{"entries": ` WHERE id = 'entry-50'`}

// someRows are the first rows of a table, in which there is something of everything, and the last.
func someRows(t *testing.T, conn *sql.Conn, table string, columns []string) (some [][]any) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), "SELECT "+strings.Join(columns, ", ")+" FROM "+table+onlyRead[table])
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		if len(some) < 8 {
			some = append(some, values)
		} else {
			some[7] = values
		}
	}
	if len(some) == 0 {
		t.Fatalf("nothing stands in %s", table)
	}
	return some
}

// F12: a delivery of which a bit flipped is neither sent nor shown; the error names it and tells what to do. Discarded, it
// holds up nothing more, and check still tells of it.
func TestADeliveryThatIsNotAsItWasWrittenIsNotSent(t *testing.T) {
	for name, spoil := range map[string]string{
		"its message": `UPDATE deliveries SET message = replace(message, '750.5', '760.5')`,
		"its time":    `UPDATE deliveries SET next_at = next_at - 4096`,
		"its body":    `UPDATE events SET body = CAST(replace(body, '750.5', '760.5') AS BLOB)`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "router.db")
			s := open(t, store.Config{Path: path, Now: atNoon})
			damaged := acceptance(1, noon, "ledger")
			if _, err := s.Accept(t.Context(), damaged); err != nil {
				t.Fatal(err)
			}
			must(t, raw(t, path), spoil)
			if _, err := s.Accept(t.Context(), acceptance(2, noon, "ledger")); err != nil {
				t.Fatal(err)
			}
			leases, err := s.Lease(t.Context(), "ledger", 10, noon, noon.Add(time.Minute))
			if len(leases) > 0 || !errors.Is(err, store.ErrBroken) || s.Err() == nil {
				t.Fatalf("Lease() = %d leases, %v; want none, and a store that is broken from then on", len(leases), err)
			}
			for _, part := range []string{string(damaged.ID), "check", "restore a backup"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("Lease() = %v; want it to say %q", err, part)
				}
			}
			shut(t, s)

			s = open(t, store.Config{Path: path, Now: atNoon})
			defer shut(t, s)
			if err := s.DiscardOpen(t.Context(), engine.NewDeliveryID(damaged.ID, 1)); err != nil {
				t.Fatal(err)
			}
			leases, err = s.Lease(t.Context(), "ledger", 10, noon, noon.Add(time.Minute))
			if err != nil || len(leases) != 1 {
				t.Errorf("Lease() once it is discarded = %d leases, %v; want the other one", len(leases), err)
			}
			if told := check(t, s).Discrepancies; len(told) != 1 || !strings.Contains(told[0].Found[0], string(damaged.ID)) {
				t.Errorf("Check() = %+v; want what is damaged", told)
			}
		})
	}
}

// What no sum may trip over: senders choose names, which may hold a byte of zero.
func TestARowWithAZeroByteIsAsItWasWritten(t *testing.T) {
	s := open(t, store.Config{Now: atNoon})
	defer shut(t, s)
	a := acceptance(1, noon, "ledger")
	a.Event.Event, a.Event.Helper.Command, a.Event.Entry.ID = "a\x00b", "c\x00d", "e\x00f"
	if _, err := s.Accept(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if event, err := s.Event(t.Context(), a.ID); err != nil || event.Name != "a\x00b" {
		t.Errorf("Event() = %q, %v; want it as it was accepted", event.Name, err)
	}
	if leases, err := s.Lease(t.Context(), "ledger", 1, noon, noon.Add(time.Minute)); err != nil || len(leases) != 1 {
		t.Errorf("Lease() = %d leases, %v; want one", len(leases), err)
	}
}

// An entry is known for as long as any of its events. Where it is not, its bytes would be taken for new ones (F12).
func TestKnownBytesOfAnEntryThatIsNotKnownBreakTheStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "router.db")
	s := open(t, store.Config{Path: path})
	defer s.Close()
	for _, spoil := range []string{"", `DELETE FROM entries`} {
		if spoil != "" {
			must(t, raw(t, path), spoil)
		}
		_, err := s.Accept(t.Context(), acceptance(1, noon, "ledger"))
		if broken := errors.Is(err, store.ErrBroken) && s.Err() != nil; broken != (spoil != "") || (err == nil) == broken {
			t.Errorf("Accept() after %q = %v; want ErrBroken of a store whose entry is gone", spoil, err)
		}
	}
}
