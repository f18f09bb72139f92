package rulefile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// The schema that is committed is the one that the types make; an error tells of a key that is not described.
func TestTheCommittedSchemaIsThatOfTheTypes(t *testing.T) {
	made, err := rulefile.Schema()
	if err != nil {
		t.Fatal(err)
	}
	committed := filepath.Join("..", "rules.schema.json")
	if *update {
		if err := os.WriteFile(committed, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(made), string(got)); diff != "" {
		t.Errorf("engine/rules.schema.json is out of date: go test ./engine/rulefile -run Schema -update\n(-want +got)\n%s", diff)
	}
}
