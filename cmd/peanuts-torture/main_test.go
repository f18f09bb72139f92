package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func TestWrongUsageIsCode2(t *testing.T) {
	for _, args := range [][]string{{"crush"}, {"crash", "--kill", "3"}, {"crash", "3"}, {"mutants", "three"}} {
		var out, errs bytes.Buffer
		if code := runCommand(context.Background(), args, &out, &errs); code != 2 || !strings.Contains(errs.String(), "--help") {
			t.Errorf("%v: code %d and %q, want 2 and a hint", args, code, errs.String())
		}
	}
	var out, errs bytes.Buffer
	if code := runCommand(context.Background(), []string{"mutants", "--only", "nothing"}, &out, &errs); code != 1 || !strings.Contains(errs.String(), "dedupe-in-memory") {
		t.Errorf("an unknown mutant: code %d and %q, want 1 and the known ones", code, errs.String())
	}
}

// Every planted bug is tried, and three chosen by a seed are three of them, whichever the seed.
func TestMutantsRotate(t *testing.T) {
	tried := map[string]bool{}
	for seed := range uint64(2 * len(mutants)) {
		s := mutantSettings{settings: settings{kills: 1, rate: 1, seed: seed}, some: 3, tries: 1}
		chosen, err := s.choose()
		if err != nil || len(chosen) != 3 {
			t.Fatalf("seed %d chooses %d mutants: %v", seed, len(chosen), err)
		}
		for _, m := range chosen {
			tried[string(m.bug)] = true
		}
	}
	if len(tried) != len(mutants) {
		t.Errorf("all seeds together try %d of %d mutants", len(tried), len(mutants))
	}
}
