package rulefile_test

import (
	"os"
	"path/filepath"
	"strings"
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

// Values of the right type can be wrong all the same: what Load says of these an editor says, too.
func TestTheSchemaRefusesValuesThatLoadRefuses(t *testing.T) {
	schema, path := validator(t), filepath.Join(t.TempDir(), "rules.yaml")
	action := func(more string) string { return strings.Replace(sound, `8080/"}`, `8080/"}, `+more, 1) }
	step := func(more string) string { return strings.Replace(sound, "action: ops", "action: ops, "+more, 1) }
	for _, text := range []string{
		action("timeout: 1d"), action("timeout: -1s"), action(`timeout: "5"`), action("timeout: soon"), action("timeout: 5s later"),
		action("max_retry_after: [1s]"), action("concurrency: 1.5"), action("concurrency: 2000"), action("concurrency: many"),
		action("retry: [1d]"), action("retry: {initial: 1s}"), action("retry: {initial: 1s, attempts: 101}"),
		action("retry: {initial: 1s, attempts: 3, jitter: some}"), action("retry: {initial: 1s, attempts: 3, factor: 2}"),
		action("retry: [" + strings.Repeat("1s, ", 100) + "]"),
		step("on_delete: {mark: a, keep: b}"), step("on_delete: ${WORD}"), step("headers: {transfer-encoding: chunked}"), step("headers: {a b: c}"),
		step("to: [nobody]"), step("text: hi, json: {a: 1}"), step("body: null"), step(`upsert: {"": 1}`),
		strings.Replace(sound, "name: r", `name: ""`, 1), strings.Replace(sound, "name: r", "name: "+strings.Repeat("ä", 101), 1),
		strings.Replace(sound, "ops:", `"":`, 1), strings.Replace(sound, "name: r", `on: [""]`+"\n    name: r", 1),
	} {
		if _, problems := rulefile.Load(write(t, path, text), probeOptions()); !problems.Failed() {
			t.Errorf("Load takes this:\n%s", text)
		}
		if refusal(schema, text) == nil {
			t.Errorf("Load refuses this, and the schema takes it:\n%s", text)
		}
	}
	if err := refusal(schema, sound); err != nil {
		t.Errorf("the file without a change is refused: %v", err)
	}
}
