package server

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

const holder engine.EventID = "01a20ee2-65c3-7818-a3d2-1a531cff658b"

// onTrial is the judgement of a rule on trial, beside one that was suppressed.
func onTrial(*peanuts.Event, time.Time) engine.Judgement {
	return engine.Judgement{
		Fired: []engine.RuleName{"trial"}, Suppressed: []engine.Suppressed{{Rule: "once", By: holder}},
		Owed: []engine.Owed{
			{Rule: "trial", Action: "slack", Kind: engine.KindSlack, Message: []byte(`{}`), Shadow: true},
			{Rule: "trial", Action: "ledger", Kind: engine.KindHTTP, Message: []byte(`{}`), Shadow: true, Dead: "unrenderable"},
		},
	}
}

// A rule on trial takes no hand of a courier and wakes none, and what it could not render is no dead letter.
func TestARuleOnTrialIsHandedToNobody(t *testing.T) {
	h := &hands{free: map[engine.ActionName]int{"slack": 1, "ledger": 1}}
	d := openDoor(t, func(c *Config) { c.Judge, c.Courier = judgeFunc(onTrial), h })
	d.post(t, "/webhook", []byte(flight))
	for _, o := range d.store.stored()[0].Judgement.Owed {
		if o.Leased {
			t.Errorf("the delivery to %s is leased, want none of a rule on trial", o.Action)
		}
	}
	if len(h.told) != 0 {
		t.Errorf("the courier was told %q, want nothing", h.told)
	}
	if lines := d.log.lines(t, "dead letter"); len(lines) != 0 {
		t.Errorf("logged as dead letters: %v", lines)
	}
	if lines := d.log.lines(t, "event"); len(lines) != 1 || lines[0]["suppressed"] != 1.0 {
		t.Errorf("the event is logged as %v, want one line with suppressed 1", lines)
	}
	if got := d.counted(t, "peanuts_router_rule_suppressed_total", "once"); got != 1 {
		t.Errorf("%v suppressions are counted, want 1", got)
	}
	if problems, err := testutil.GatherAndLint(d.metrics); err != nil || len(problems) > 0 {
		t.Errorf("GatherAndLint() = %v, %v, want nothing", problems, err)
	}
}

func TestThePageShowsWhoHoldsAClaim(t *testing.T) {
	d, get := openPage(t, func(c *Config) { c.Judge = judgeFunc(onTrial) })
	d.enter(t, "entry.created", "/x", "e1", "2026-11-23T10:00:00Z", "u", `{}`)
	text := words(get("/").text)
	for _, want := range []string{"shadow × 2", "1 suppressed", "once was suppressed: once_per was claimed by " + string(holder), "ledger (http) shadow unrenderable", "Dead letters None"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q:\n%s", want, text)
		}
	}
	d, get = openPage(t, func(c *Config) {
		c.Judge = judgeFunc(func(e *peanuts.Event, at time.Time) engine.Judgement {
			return engine.Judgement{Suppressed: onTrial(e, at).Suppressed}
		})
	})
	d.enter(t, "entry.created", "/x", "e1", "2026-11-23T10:00:00Z", "u", `{}`)
	if text := words(get("/").text); strings.Contains(text, "no rule fired") || !strings.Contains(text, "1 suppressed") {
		t.Errorf("of an event whose only rule was suppressed the page says:\n%s", text)
	}
}
