package ruletest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// Whatever a test file holds, it is run or refused with a place in it.
func FuzzATestFileIsRunOrRefused(f *testing.F) {
	corpus, err := filepath.Glob("../../testdata/tests/*_test.yaml")
	if err != nil || len(corpus) == 0 {
		f.Fatalf("no test files: %v", err)
	}
	for _, name := range corpus {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.TrimPrefix(text, []byte("rules: rules.yaml\n")))
	}
	for _, text := range []string{ // items that are none
		"tests:\n  -", "tests: [{name: a, events: [b, {at: c}], expect: [d]}]", "tests: {a: b}", "tests: [{name: a, event: b, set: c, unset: d, expect: e}]",
	} {
		f.Add([]byte(text))
	}
	rules, err := os.ReadFile("../../testdata/tests/rules.yaml")
	if err != nil {
		f.Fatal(err)
	}
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rules.yaml"), rules, 0o600); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "x_test.yaml")
		if err := os.WriteFile(path, append([]byte("rules: "+dir+"/rules.yaml\n"), text...), 0o600); err != nil {
			t.Fatal(err)
		}
		suite, problems := Load(path, engine.Options{Options: rulefile.Options{UnsetIsWarning: true}})
		if suite == nil {
			if !problems.Failed() {
				t.Errorf("refused without a reason:\n%s", text)
			}
			return
		}
		for _, result := range suite.Run() {
			if result.Place.Line == 0 || result.Name == "" {
				t.Errorf("a test without a name or a place: %+v\n%s", result, text)
			}
		}
		Suggest(suite.Rules, suite.Samples())
	})
}
