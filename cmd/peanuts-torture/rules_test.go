package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// loadRules loads the rules of a run as the router does.
func loadRules(t *testing.T, variant int) *engine.Rules {
	t.Helper()
	dir := t.TempDir()
	nowhere := &targets{ways: map[way]*proxy{}}
	for _, w := range []way{wayHTTP, wayChat, wayMail} {
		nowhere.ways[w] = &proxy{address: "127.0.0.1:9"}
	}
	if err := writeRules(dir, rulesWith(nowhere, variant)); err != nil {
		t.Fatal(err)
	}
	rules, problems := engine.Load(filepath.Join(dir, rulesFile), engine.Options{})
	if rules == nil || len(problems) > 0 {
		t.Fatalf("the rules of a run are refused: %v", problems)
	}
	return rules
}

// The oracle tells what the engine makes of every event that the generator can make up: which steps, and what they say.
func TestTheOracleAgreesWithTheEngine(t *testing.T) {
	rules := loadRules(t, 7)
	g := &generator{history: historyIn(t), dice: newDice(1, useEvents)}
	for range 2000 {
		s, err := g.next()
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := peanuts.Parse(s.Body)
		if err != nil {
			t.Fatalf("the event %s cannot be read: %v", s.Body, err)
		}
		var got []step
		for _, owed := range rules.Judge(parsed, time.Now(), engine.Known{}).Owed {
			of := step{string(owed.Rule), string(owed.Action)}
			if !owed.Follows() {
				got = append(got, of)
			}
			if text, ok := said(t, owed); ok && text != s.says(of.Action, 7) {
				t.Errorf("event %d says %q to %s, and the oracle %q", s.N, text, of.Action, s.says(of.Action, 7))
			}
		}
		if want := s.owes(); !s.Forged && !slices.Equal(got, want) {
			t.Errorf("event %s owes %v, and the oracle says %v", s.Body, got, want)
		}
	}
}

// said is what a target gets to read of a message.
func said(t *testing.T, owed engine.Owed) (text string, ok bool) {
	t.Helper()
	var message struct {
		Text string
		JSON json.RawMessage
	}
	if err := json.Unmarshal(owed.Message, &message); err != nil {
		t.Fatal(err)
	}
	if message.JSON != nil {
		return string(message.JSON), true
	}
	return message.Text, owed.Kind != engine.KindSQL
}

func historyIn(t *testing.T) *history {
	t.Helper()
	h, err := newHistory(filepath.Join(t.TempDir(), historyFile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// The rules that the nemesis shows as broken are, or F34 would not be tried.
func TestTheBrokenRulesAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), rulesFile)
	if err := os.WriteFile(path, []byte(brokenRules), 0o600); err != nil {
		t.Fatal(err)
	}
	if rules, problems := engine.Load(path, engine.Options{}); rules != nil || !problems.Failed() {
		t.Errorf("the broken rules load: %v", problems)
	}
}

// A seed repeats what is sent.
func TestASeedRepeatsItsEvents(t *testing.T) {
	var runs [2][]fate
	for i := range runs {
		g := &generator{history: historyIn(t), dice: newDice(42, useEvents)}
		for range 300 {
			s, err := g.next()
			if err != nil {
				t.Fatal(err)
			}
			s.Due = "" // which is told from now
			runs[i] = append(runs[i], s.fate)
		}
	}
	if !slices.Equal(runs[0], runs[1]) {
		t.Error("the same seed makes up other events")
	}
}
