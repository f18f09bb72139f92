package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/peanuts-router/peanuts-router/engine"
)

// C8, C23, A37: each rule has bounds of its own. Rules that run into theirs are rule errors; none is skipped because of them,
// and the daemon answers on.
func TestRulesThatRunIntoTheirBoundsHarmNobody(t *testing.T) {
	costly := []string{
		`len(1..10000000) > 0`,                                        // memory
		`len(map(1..1000, map(1..1000, 1))) > 0`,                      // memory, by predicates in one another
		`repeat(entry.data.text, 100000) != ""`,                       // lengths
		`replace(entry.data.text, "a", entry.data.text) != ""`,        //
		`len(split(repeat("ab", 400), "")) > 0 && 1 / 0 > number("")`, // and what fails otherwise
		`entry.data.text matches repeat("(a*)*", 300)`,                //
		`join(map(1..2000, entry.data.text)) != ""`,                   //
		`sum(map(entry.data.list, 9223372036854775807)) > 0`,          //
	}
	var text strings.Builder
	target := startTarget(t, always(200))
	fmt.Fprintf(&text, "version: 1\nactions: {told: {http: {url: %q}}}\nrules:\n", target.URL)
	for n := range 25 {
		for i, when := range costly {
			fmt.Fprintf(&text, "  - {name: costly-%d-%d, when: '%s', then: [{action: told, body: costly}]}\n", n, i, when)
		}
		fmt.Fprintf(&text, "  - {name: sound-%d, when: 'entry.data.n > %d', then: [{action: told, body: sound-%d}]}\n", n, n, n)
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "rules.yaml"), text.String())
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	receipt := d.post(`{"event":"entry.created","entry":{"id":"e","data":{"n":100,"list":[1,2,3],"text":"` + strings.Repeat("ab", 5000) + `"}}}`)
	got := map[string]bool{}
	for range 25 {
		got[target.next(t).body] = true
	}
	if len(got) != 25 || got["costly"] {
		t.Errorf("the target got %v, want each of the 25 sound rules once", got)
	}
	var shown engine.EventRecord
	if err := json.Unmarshal([]byte(command(t, dir, "events", "show", string(receipt.ID), "--output", "json")), &shown); err != nil {
		t.Fatal(err)
	}
	if len(shown.Errors) != 25*len(costly) {
		failed := map[engine.RuleName]bool{}
		for _, e := range shown.Errors {
			failed[e.Rule] = true
		}
		for i, when := range costly {
			if !failed[engine.RuleName(fmt.Sprint("costly-0-", i))] {
				t.Errorf("%s is no error", when)
			}
		}
	}
	for n := range 3 {
		d.post(fmt.Sprintf(`{"event":"entry.created","entry":{"id":"e","data":{"n":1,"list":[1,2,%d],"text":"%s"}}}`, n, strings.Repeat("ab", 5000)))
		if call := target.next(t); call.body != "sound-0" {
			t.Errorf("the target got %q, want sound-0", call.body)
		}
	}
}
