package dispatch

import (
	"context"
	"log/slog"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// tell logs an attempt in one wide line, and a dead letter in one more.
func (l *lane) tell(lease engine.Lease, outcome engine.Outcome, s engine.Settlement, took time.Duration, applied bool) {
	n := lease.Attempts
	if s.Attempt != nil {
		n++
	}
	level := slog.LevelInfo
	if outcome.Refused || !applied {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{
		slog.String("delivery", string(lease.ID)), slog.String("event", string(lease.Event)),
		slog.String("rule", string(lease.Rule)), slog.String("action", string(lease.Action)),
		slog.Int("attempt", n), slog.String("verdict", string(outcome.Verdict)),
		slog.String("status", outcome.Status), slog.String("took", took.Round(time.Microsecond).String()),
	}
	if s.State == engine.Pending {
		attrs = append(attrs, slog.Time("next", s.NextAt))
	}
	if outcome.Reason != "" {
		attrs = append(attrs, slog.String("err", outcome.Reason))
	}
	if outcome.Refused {
		attrs = append(attrs, slog.Bool("credentials_refused", true))
	}
	if !applied {
		attrs = append(attrs, slog.Bool("stale", true))
	}
	l.Log.LogAttrs(context.Background(), level, "attempt", attrs...)
	if applied && s.State == engine.Dead {
		l.Log.Error("dead letter", "delivery", lease.ID, "event", lease.Event, "rule", lease.Rule, "action", lease.Action,
			"attempts", n, "reason", s.Reason, "hint", "peanuts-router dead-letters show "+string(lease.ID))
	}
}
