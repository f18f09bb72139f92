package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
)

const (
	keptActions = "version: 1\nactions:\n  ops: {http: {url: \"http://127.0.0.1:8080/\", headers: {X-Token: \"${TOKEN}\"}}}\n"
	keptRules   = "version: 1\nrules:\n  - {name: r, when: entry.data.amount > 500, then: [{action: ops}]}\n"
)

// C15: what the files said makes the same rules once they are gone; secrets are not in it, and are those of today.
func TestRulesAreMadeAnewFromTheFilesThatWereRead(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"b.yaml": keptRules, "a.yaml": keptActions, "a_test.yaml": "not: rules"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	today := options(map[string]string{"TOKEN": "swordfish"})
	rules, problems := engine.Load(dir, today)
	if rules == nil {
		t.Fatal(problems)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	want := []engine.RulesFile{{Name: filepath.Join(dir, "a.yaml"), Text: keptActions}, {Name: filepath.Join(dir, "b.yaml"), Text: keptRules}}
	if diff := cmp.Diff(want, rules.Files()); diff != "" {
		t.Errorf("Files() (-want +got):\n%s", diff)
	}
	again, problems := engine.LoadFiles(rules.Files(), today)
	if again == nil || !again.SameAs(rules) || again.Len() != 1 {
		t.Errorf("LoadFiles(Files()) = %v, %v; want the same rules", again, problems)
	}
	other, problems := engine.LoadFiles(rules.Files(), options(map[string]string{"TOKEN": "marlin"}))
	if other == nil || other.SameAs(rules) || other.Mask("a marlin") != "a ***" {
		t.Errorf("LoadFiles(Files()) with another secret = %v, %v; want rules with that", other, problems)
	}
	none, problems := engine.LoadFiles(rules.Files(), options(nil))
	if place := filepath.Join(dir, "a.yaml") + ":3:"; none != nil || !strings.Contains(problems.Error(), place) {
		t.Errorf("LoadFiles(Files()) without the secret = %v, %v; want a problem at %s", none, problems, place)
	}
}
