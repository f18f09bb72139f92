package server

import (
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// tell logs one line for an event that is stored, and one for each delivery that could never be sent.
func (h *webhook) tell(receipt engine.Receipt, event *peanuts.Event, j engine.Judgement, took time.Duration) {
	if receipt.Duplicate {
		h.log.Info("event", "id", receipt.ID, "event", cut(event.Event), "helper", cut(event.Helper.Command),
			"entry", cut(event.Entry.ID), "duplicate", true, "took", took)
		return
	}
	h.log.Info("event", "id", receipt.ID, "event", cut(event.Event), "helper", cut(event.Helper.Command),
		"entry", cut(event.Entry.ID), "fired", j.Fired, "suppressed", len(j.Suppressed), "deliveries", len(j.Owed),
		"rule_errors", len(j.Errors), "mismatches", len(j.Mismatches), "took", took)
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
