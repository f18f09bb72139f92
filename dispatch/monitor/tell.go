package monitor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// turned is an action that has something to tell.
type turned struct {
	engine.Alert
	facts facts
}

// tellSpikes raises an alert for each action whose spike begins or ends.
func (m *Monitor) tellSpikes(ctx context.Context, now time.Time) error {
	var failed []error
	for _, t := range m.turns(now) {
		if err := m.raise(ctx, t.Alert, t.facts); err != nil {
			failed = append(failed, err)
			continue
		}
		m.mu.Lock()
		m.of(t.Action).told(t.Event, now)
		m.mu.Unlock()
	}
	return errors.Join(failed...)
}

// turns are the actions that have come to something, in the order of their names.
func (m *Monitor) turns(now time.Time) (all []turned) {
	settings := m.Rules.Monitor()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, action := range slices.Sorted(maps.Keys(m.watches)) {
		w := m.watches[action]
		event, sum := w.turn(settings, now)
		if event == "" {
			w.opened = w.breaker // an opening that was told, or that alerts alone have brought, is over with its breaker
			continue
		}
		f := facts{Action: action}.of(sum)
		if event == engine.EventFailureSpike {
			last := w.failed.Lease
			f.Rule, f.Delivery, f.EventID, f.Reason = last.Rule, last.ID, last.Event, w.why(sum, settings)
		}
		all = append(all, turned{engine.Alert{Event: event, Action: action, At: now}, f})
	}
	return all
}

// deaths are what is known of an action's dead letters between rounds.
type deaths struct {
	noticed time.Time // of the first that is not told yet; zero while there is none
	told    time.Time // when some were told
}

// gatherPart is which part of the window the first dead letter waits for more, so that a storm is one alert: 10 s of 5 m.
const gatherPart = 30

// tellDeaths raises an alert for each action with dead letters that were not told: soon after the first, and then no more
// than once in a window, with the number of all that have died since.
func (m *Monitor) tellDeaths(ctx context.Context, now time.Time) error {
	untold, err := m.Store.Untold(ctx)
	failed := []error{err}
	for _, u := range untold {
		if !m.ripe(u.Action, now) {
			continue
		}
		newest := u.Newest
		err := m.raise(ctx, engine.Alert{Event: engine.EventDeadLetter, Action: u.Action, Told: u.Count, At: now}, facts{
			Action: u.Action, Rule: newest.Rule, Delivery: newest.ID, EventID: newest.Event, Reason: newest.LastError,
			Attempts: &newest.Attempts, Count: &u.Count,
		})
		if err != nil {
			failed = append(failed, err)
			continue
		}
		m.deaths[u.Action] = &deaths{told: now}
	}
	return errors.Join(failed...)
}

// ripe tells whether an action's dead letters have been gathered for long enough. A clock that went back holds up nothing.
func (m *Monitor) ripe(action engine.ActionName, now time.Time) bool {
	d := m.deaths[action]
	if d == nil {
		d = &deaths{}
		m.deaths[action] = d
	}
	if d.noticed.IsZero() {
		d.noticed = now
	}
	window := m.Rules.Monitor().Window
	quiet := now.Sub(d.told)
	return now.Sub(d.noticed) >= window/gatherPart && (quiet >= window || quiet < 0)
}

// reload is what is known of refused edits between rounds.
type reload struct {
	told    string    // which refusal was told last
	good    bool      // rules were accepted since
	seen    string    // which refusal stands now
	noticed time.Time // since when
}

// tellReload raises an alert for an edit that was refused and was not mended at once, as a file that is read while it is being
// written is, unless it is the one that was told last.
func (m *Monitor) tellReload(ctx context.Context, now time.Time) error {
	refused := m.Rules.Refused()
	if refused == "" {
		m.reload.good, m.reload.seen = true, ""
		return nil
	}
	digest := sha256.Sum256([]byte(refused))
	about := hex.EncodeToString(digest[:])
	if about != m.reload.seen {
		m.reload.seen, m.reload.noticed = about, now
	}
	stood := now.Sub(m.reload.noticed) >= m.Rules.Monitor().Window/gatherPart
	if !stood || about == m.reload.told && !m.reload.good {
		return nil
	}
	problems := strings.Count(refused, "\n") + 1
	err := m.raise(ctx, engine.Alert{Event: engine.EventReloadFailed, About: about, At: now}, facts{Reason: cut(refused), Count: &problems})
	if err == nil {
		m.reload.told, m.reload.good = about, false
	}
	return err
}

// cut shortens what is wrong with rules to what a message can hold, at a whole line where it can.
func cut(text string) string {
	const limit = 2000
	if len(text) <= limit {
		return text
	}
	text = strings.ToValidUTF8(text[:limit], "")
	if line := strings.LastIndexByte(text, '\n'); line > 0 {
		text = text[:line]
	}
	return text + "\n…"
}
