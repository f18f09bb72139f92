package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// tell logs one line for an event that is stored, and one for each delivery that could never be sent.
func (h *webhook) tell(receipt engine.Receipt, event *peanuts.Event, j engine.Judgement, took time.Duration) {
	if receipt.Duplicate {
		h.log.LogAttrs(context.Background(), slog.LevelInfo, "event", append(tellEvent(receipt, event), slog.Bool("duplicate", true), tellTook(took))...)
		return
	}
	h.log.LogAttrs(context.Background(), slog.LevelInfo, "event", append(tellEvent(receipt, event),
		slog.Any("fired", j.Fired), slog.Int("suppressed", len(j.Suppressed)), slog.Int("deliveries", len(j.Owed)),
		slog.Int("rule_errors", len(j.Errors)), slog.Int("mismatches", len(j.Mismatches)), tellTook(took))...)
	for i, owed := range j.Owed {
		if owed.Dead != "" && !owed.Shadow {
			h.log.Error("dead letter", "delivery", engine.NewDeliveryID(receipt.ID, i+1), "event", receipt.ID,
				"rule", owed.Rule, "action", owed.Action, "reason", cut(owed.Dead))
		}
	}
	for _, total := range receipt.Totals {
		h.log.Info("daily total", "stat", total.Stat, "day", total.Day, "unit", cut(total.Unit), "total", total.Total.String())
	}
}

// tellEvent names an event, with room for what else a line says of it.
func tellEvent(receipt engine.Receipt, event *peanuts.Event) []slog.Attr {
	return append(make([]slog.Attr, 0, 10),
		slog.String("id", string(receipt.ID)), slog.String("event", cut(event.Event)),
		slog.String("helper", cut(event.Helper.Command)), slog.String("entry", cut(event.Entry.ID)))
}

func tellTook(took time.Duration) slog.Attr {
	return slog.String("took", took.Round(time.Microsecond).String())
}
