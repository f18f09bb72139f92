package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// facts are what an alert says, as far as it applies: the data of its event.
type facts struct {
	Action   engine.ActionName `json:"action,omitempty"`
	Rule     engine.RuleName   `json:"rule,omitempty"`
	Delivery engine.DeliveryID `json:"delivery,omitempty"`
	EventID  engine.EventID    `json:"event_id,omitempty"`
	Reason   string            `json:"reason,omitempty"`
	Attempts *int              `json:"attempts,omitempty"`
	Count    *int              `json:"count,omitempty"`
	Rate     *float64          `json:"rate,omitempty"`
}

// of makes the facts of a tally: how many attempts there were, how many failed, and their rate.
func (f facts) of(sum tally) facts {
	f.Attempts, f.Count = &sum.attempts, &sum.failed
	if sum.attempts > 0 {
		f.Rate = new(math.Round(sum.rate()*1000) / 1000)
	}
	return f
}

// body is an alert as an event in the shape of those of Peanuts, so that whatever takes these takes it, too. The instant
// tells it from every other.
func body(name string, f facts, now time.Time) ([]byte, error) {
	type (
		helper struct {
			ID      string `json:"id"`
			Name    string `json:"name"`
			Command string `json:"command"`
		}
		entry struct {
			Data facts `json:"data"`
		}
	)
	return json.Marshal(struct {
		Event     string    `json:"event"`
		Timestamp time.Time `json:"timestamp"`
		Helper    helper    `json:"helper"`
		Entry     entry     `json:"entry"`
	}{name, now.UTC(), helper{"router", "Router", engine.OwnHelper}, entry{f}})
}

// commitTime is how long an alert may take to be stored.
const commitTime = 10 * time.Second

// raise stores an alert with what the rules make of it, and what is to be remembered of it.
func (m *Monitor) raise(ctx context.Context, alert engine.Alert, f facts) error {
	text, err := body(alert.Event, f, alert.At)
	if err != nil {
		return fmt.Errorf("writing %s: %w", alert.Event, err)
	}
	event, err := peanuts.Parse(text)
	if err != nil {
		return fmt.Errorf("writing %s: %w", alert.Event, err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	now := alert.At.Truncate(time.Millisecond) // as it is stored, so that it can be judged once more
	var judgement engine.Judgement
	ctx, cancel := context.WithTimeout(ctx, commitTime)
	defer cancel()
	receipt, err := m.Store.Accept(ctx, &engine.Acceptance{
		ID: engine.EventID(id.String()), ReceivedAt: now, Event: event, LeaseUntil: alert.At, Alert: &alert,
		Judge: func(known engine.Known) engine.Judgement {
			known.Own = true
			judgement = m.Rules.Judge(event, now, known)
			return judgement
		},
	})
	if err != nil {
		return fmt.Errorf("raising %s: %w", alert.Event, err)
	}
	m.raised.WithLabelValues(alert.Event).Inc()
	m.Judged(judgement)
	m.tell(receipt.ID, alert, f, judgement)
	for i, owed := range judgement.Owed {
		switch {
		case owed.Shadow:
		case owed.Dead != "":
			m.stillborn(engine.NewDeliveryID(receipt.ID, i+1), receipt.ID, owed)
		default:
			m.awaits(owed.Action)
			m.Wake(owed.Action)
		}
	}
	return nil
}

// awaits notes that an alert is owed through an action. While its breaker is open nobody hears of the alert, which is not even tried.
func (m *Monitor) awaits(action engine.ActionName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if w := m.of(action); w.breaker && w.mute == "" {
		w.mute = "its breaker is open"
	}
}

// stillborn notes what an alert owes that can never be sent.
func (m *Monitor) stillborn(id engine.DeliveryID, event engine.EventID, owed engine.Owed) {
	m.Log.Error("dead letter", "delivery", id, "event", event, "rule", owed.Rule, "action", owed.Action, "reason", owed.Dead)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(owed.Action).mute = owed.Dead
}

// tell logs an alert in one line, for those whom no rule tells.
func (m *Monitor) tell(id engine.EventID, alert engine.Alert, f facts, j engine.Judgement) {
	level := slog.LevelError
	if alert.Event == engine.EventFailureRecovered {
		level = slog.LevelInfo
	}
	attrs := []slog.Attr{slog.String("id", string(id)), slog.String("event", alert.Event)}
	if f.Action != "" {
		attrs = append(attrs, slog.String("action", string(f.Action)))
	}
	if f.Count != nil {
		attrs = append(attrs, slog.Int("count", *f.Count))
	}
	if f.Reason != "" {
		attrs = append(attrs, slog.String("reason", f.Reason))
	}
	if f.Delivery != "" {
		attrs = append(attrs, slog.String("delivery", string(f.Delivery)))
	}
	if alert.Event == engine.EventDeadLetter {
		attrs = append(attrs, slog.String("hint", listDead(f.Action)))
	}
	m.Log.LogAttrs(context.Background(), level, "alert", append(attrs, slog.Any("fired", j.Fired))...)
}
