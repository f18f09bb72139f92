package rehearsal

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
)

const onceRules = `version: 1
actions:
  table: {sql: {database: "sqlite:tasks.db", table: tasks, key: id, version: version}}
  mail: {http: {url: "http://127.0.0.1:9/"}}
rules:
  - name: remind
    when: entry.data.due != nil
    once_per: entry.data.key
    then:
      - {action: mail, at: date(entry.data.due), body: "{{ entry.data.due }}"}
      - {action: mail, at: date(entry.data.due) + duration("1d"), body: "{{ entry.data.due }} is past"}
  - name: goal
    on: [goal.reached]
    when: "true"
    once_per: entry.data.key
    then: [{action: mail, body: "{{ entry.data.key }}"}]
  - name: trial
    on: [entry.updated]
    shadow: true
    when: entry.data.x
    once_per: entry.data.key
    then:
      - {action: mail, at: date(entry.data.due), body: "{{ entry.data.due }}"}
      - {action: table, upsert: {id: "{{ entry.id }}"}}
  - {name: off, disabled: true, when: "true", then: [{action: mail}]}
`

func TestAValueIsClaimedAndReleased(t *testing.T) {
	for name, c := range map[string]struct{ script, want []string }{
		"a reminder that moves takes its claim along": {
			[]string{`23 entry.created {"key":1,"due":"2026-11-27"}`, `24 entry.updated {"key":1,"due":"2026-11-26"}`},
			[]string{"||remind pending 23, remind pending 23", "|remind cancelled 24, remind cancelled 24|remind pending 24, remind pending 24", "remind delivered 26, remind delivered 27"},
		},
		"one that was sent keeps the claim, and the other goes": {
			[]string{`23 entry.created {"key":1,"due":"2026-11-24"}`, `24 entry.updated {"key":1,"due":"2026-11-30"}`, `25 entry.updated {"key":1.0,"due":"2026-11-29"}`},
			[]string{"||remind pending 23, remind pending 23", "remind delivered 24|remind cancelled 24||remind suppressed by 0", "|||remind suppressed by 0", ""},
		},
		"a delete releases it": {
			[]string{`23 entry.created {"key":1,"due":"2026-11-27"}`, `24 entry.deleted {}`, `25 entry.created {"key":1,"due":"2026-11-27","x":2}`},
			[]string{"||remind pending 23, remind pending 23", "|remind cancelled 24, remind cancelled 24|", "||remind pending 25, remind pending 25", "remind delivered 27, remind delivered 28"},
		},
		"what follows no entry is claimed for ever": {
			[]string{`23 goal.reached {"key":1}`, `24 goal.reached {"key":1,"x":1}`, `25 goal.reached {"key":"1"}`, `26 goal.reached {}`, `27 goal.reached {"x":1}`},
			[]string{"||goal delivered 23", "|||goal suppressed by 0", "||goal delivered 25", "||goal delivered 26", "||goal delivered 27", ""},
		},
		"a rule on trial sends, syncs, and claims nothing": {
			[]string{`23 entry.updated {"key":1,"x":true}`, `24 entry.updated {"key":1,"x":true,"due":"2026-11-20"}`, `25 entry.updated {"x":false}`, `26 entry.deleted {}`},
			[]string{"||trial upsert shadow 23", "||remind delivered 24, remind delivered 24, trial shadow 24, trial upsert shadow 24", "||", "||", ""},
		},
	} {
		if diff := cmp.Diff(c.want, playedBy(t, onceRules, Config{}, c.script...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTheNumberOfAnEvent(t *testing.T) {
	for event, want := range map[engine.EventID]int{"0": 0, "17": 17, "": -1, "0192-c4": -1} {
		if got := Number(event); got != want {
			t.Errorf("Number(%q) = %d, want %d", event, got, want)
		}
	}
}
