package actions

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// BenchmarkUpsert writes rows of a file, each in an attempt of its own, from many attempts at once.
func BenchmarkUpsert(b *testing.B) {
	file := filepath.Join(b.TempDir(), "table.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		"PRAGMA journal_mode = WAL",
		"CREATE TABLE expenses (external_id TEXT PRIMARY KEY, amount NUMERIC, category TEXT, logged_at TEXT, updated_at TEXT)",
	} {
		if _, err := db.Exec(statement); err != nil {
			b.Fatal(err)
		}
	}
	settings := settingsOf("sqlite:" + file)
	sender, err := New(engine.Action{Concurrency: 64, Settings: &settings}, Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer sender.Close()
	var n atomic.Int64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second)
			got := sender.Send(ctx, shipment(fmt.Sprintf(`{"version":"2026-11-23T10:15:00Z","columns":[{"name":"external_id","value":"entry-%d"},`+
				`{"name":"amount","value":612.50},{"name":"category","value":"Travel"},{"name":"logged_at","value":"2026-11-23T10:15:00Z"}]}`, n.Add(1))))
			cancel()
			if got.Verdict != engine.VerdictDelivered {
				b.Error(got)
			}
		}
	})
}
