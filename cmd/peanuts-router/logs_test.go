package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/slogtest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
)

// What slog asks of a handler holds of ours.
func TestLinesAsSlogWantsThem(t *testing.T) {
	var text bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		text.Reset()
		return jsonLines{to: &text, level: slog.LevelInfo}
	}, func(t *testing.T) map[string]any {
		var line map[string]any
		if err := json.Unmarshal(text.Bytes(), &line); err != nil {
			t.Fatalf("the line %q: %v", text.String(), err)
		}
		return line
	})
}

// C19: a line is one JSON record, byte by byte as slog's own handler writes it, whatever a text holds. Only durations differ.
func TestLinesAreThoseOfSlog(t *testing.T) {
	var ours, theirs bytes.Buffer
	told := func(log *slog.Logger) {
		log = log.With("texts", []string{"a<b", "ä\n"}).WithGroup("in").With("deep", 1)
		log.Warn("quoted \"words\"\r\n{\"level\":\"ERROR\"}", "line separator", "\u2028", "not UTF-8", "\xff", "tab\tkey", `back\slash`,
			"html", "<a href=x>&</a>", "umlaut", "Grüße", "delete", "\x7f", "empty", "",
			"rule", engine.RuleName("r"), "none", nil, "float", 1.5, "whole", uint64(1<<63), "yes", true, "secret", engine.NewSecret("x"),
			"at", time.Date(2026, 11, 26, 1, 2, 3, 4000, time.UTC), "err", errors.Join(errors.New("one"), errors.New("two")),
			"no JSON", func() {}, slog.Group("group", "a", 1, slog.Group("hollow", slog.Attr{})), slog.Group("", "lent", 1))
	}
	noTime := func(_ []string, attr slog.Attr) slog.Attr { // both would take the clock's
		if attr.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return attr
	}
	told(slog.New(timeless{jsonLines{to: &ours, level: slog.LevelInfo}}))
	told(slog.New(slog.NewJSONHandler(&theirs, &slog.HandlerOptions{ReplaceAttr: noTime})))
	if diff := cmp.Diff(theirs.String(), ours.String()); diff != "" {
		t.Errorf("a line of ours is not slog's (-want +got):\n%s", diff)
	}
}

// timeless takes the time from records.
type timeless struct{ slog.Handler }

func (h timeless) Handle(ctx context.Context, record slog.Record) error {
	record.Time = time.Time{}
	return h.Handler.Handle(ctx, record)
}

func (h timeless) WithAttrs(attrs []slog.Attr) slog.Handler {
	return timeless{h.Handler.WithAttrs(attrs)}
}

func (h timeless) WithGroup(name string) slog.Handler { return timeless{h.Handler.WithGroup(name)} }

func TestDurationsTellTheirUnit(t *testing.T) {
	var text strings.Builder
	log := slog.New(jsonLines{to: &text, level: slog.LevelInfo}).With("usual", 2*time.Second)
	log.Info("attempt", "took", 1234567*time.Nanosecond)
	if got, want := text.String(), `"usual":"2s","took":"1.235ms"`; !strings.Contains(got, want) {
		t.Errorf("logging durations wrote %q, want %q in it", got, want)
	}
	log.Debug("not wanted")
	if strings.Contains(text.String(), "not wanted") {
		t.Error("a line below the level was written")
	}
}

// A line that comes alone is written at once, and those that come together are written together; closing writes what is left.
func TestLinesAreWrittenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out written
		log, closeLog := newLogs(&out, slog.LevelInfo)
		expect := func(when string, writes, lines int64) {
			t.Helper()
			synctest.Wait()
			if gotWrites, gotLines := out.writes.Load(), out.lines.Load(); gotWrites != writes || gotLines != lines {
				t.Errorf("%s: %d lines in %d writes, want %d in %d", when, gotLines, gotWrites, lines, writes)
			}
		}
		log.Info("alone")
		expect("one line", 1, 1)
		for range 100 {
			log.Info("in company")
			synctest.Wait()
		}
		expect("100 more at once", 1, 1)
		time.Sleep(gatherTime)
		expect("a moment later", 2, 101)
		log.Info("last")
		closeLog()
		expect("closed", 3, 102)
	})
}

// written counts what is written.
type written struct{ writes, lines atomic.Int64 }

func (w *written) Write(p []byte) (int, error) {
	w.writes.Add(1)
	w.lines.Add(int64(bytes.Count(p, []byte{'\n'})))
	return len(p), nil
}

// The two lines that each event leaves when all goes well.
func BenchmarkLog(b *testing.B) {
	const event = "019a2b3c-4d5e-7f60-8123-456789abcdef"
	lines := map[string][]slog.Attr{
		"event": {
			slog.String("id", event), slog.String("event", "entry_created"), slog.String("helper", "water"), slog.String("entry", "e-12345"),
			slog.Any("fired", []engine.RuleName{"notify"}), slog.Int("suppressed", 0), slog.Int("deliveries", 1), slog.Int("rule_errors", 0),
			slog.Int("mismatches", 0), slog.String("took", "1.234ms"),
		},
		"attempt": {
			slog.String("delivery", event+"-1"), slog.String("event", event), slog.String("rule", "notify"), slog.String("action", "target"),
			slog.Int("attempt", 1), slog.String("verdict", "delivered"), slog.String("status", "200 OK"), slog.String("took", "1.234ms"),
		},
	}
	log, closeLog := newLogs(io.Discard, slog.LevelInfo)
	defer closeLog()
	for msg, attrs := range lines {
		b.Run(msg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				log.LogAttrs(context.Background(), slog.LevelInfo, msg, attrs...)
			}
		})
	}
}
