package actions

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// A sandbox keeps rows to itself: whatever database is meant, they are in its own file.
func TestADivertedRowIsInTheSandboxAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rows.db")
	settings := &engine.SQLSettings{
		Database: engine.NewSecret("postgres://nobody:canary@127.0.0.1:1/db"), Table: `reporting.my "rows"`, Key: "id", Version: "version",
	}
	config := Config{Divert: &Diversion{SQL: file}}
	for _, step := range []struct{ message, status string }{
		{`{"version":"2","columns":[{"name":"id","value":"e"},{"name":"amount","value":612.50}]}`, "upserted"},
		{`{"version":"1","columns":[{"name":"id","value":"e"},{"name":"amount","value":1},{"name":"more","value":["a"]}]}`, "unchanged"},
		{`{"version":"3","columns":[{"name":"id","value":"e"},{"name":"amount","value":7},{"name":"more","value":["a"]}]}`, "upserted"},
		{`{"version":"4","remove":{"key":"e","mark":"gone","at":"2026-11-23T10:00:00Z"}}`, "marked"},
	} {
		if got := send(t, settings, config, step.message, 5*time.Second); got.Verdict != engine.VerdictDelivered || got.Status != step.status {
			t.Errorf("%s: outcome %+v, want %s", step.message, got, step.status)
		}
	}
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var amount, more, gone string
	if err := db.QueryRow(`SELECT amount, more, gone FROM "my ""rows""" WHERE id = 'e'`).Scan(&amount, &more, &gone); err != nil || amount != "7" || more != `["a"]` || gone != "2026-11-23T10:00:00Z" {
		t.Errorf("the row holds %s, %s, %s, %v; want 7, [\"a\"] and the time", amount, more, gone, err)
	}
}
