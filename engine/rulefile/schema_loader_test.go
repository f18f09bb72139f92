package rulefile_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// probes stand in turn for every value of every sound file.
var probes = []string{
	`text`, `""`, `"7"`, `7`, `0`, `0.5`, `+1`, `true`, `null`, `[]`, `{}`, `[text]`, `{text: text}`, `{mark: text}`,
	`5s`, `1h2m.5s`, `3µs`, `[1s]`, `standard`, `{initial: 1s, attempts: "2"}`, `none`, `PUT`, `keep`,
	`a@example.com`, `[A <a@example.com>]`, `["{{ user.id }}@example.com"]`, `HTTPS://example.com?{{ event }}`, `SMTP://example.com`,
	`postgresql://x`, `${LENGTH}`, `"${COUNT}s"`, `${COUNT}`, `${WORD}`, `["${ADDRESS}"]`, `${UNSET:-https://example.com}`, `http://${WORD}/`,
}

func probeOptions() rulefile.Options {
	values := map[string]string{"LENGTH": "5s", "COUNT": "1", "WORD": "none", "ADDRESS": "a@example.com"}
	return rulefile.Options{LookupEnv: func(name string) (string, bool) { value, ok := values[name]; return value, ok }}
}

// What Load takes without a problem the schema takes: an editor never cries wolf. Every value of files that hold every key
// is taken away, and replaced by every probe.
func TestTheSchemaRefusesNothingThatLoadTakes(t *testing.T) {
	schema, path := validator(t), filepath.Join(t.TempDir(), "rules.yaml")
	unused := keysOf(schema)
	taken, refused := 0, 0
	for _, text := range everyKey(t) {
		for key := range unused {
			if strings.Contains(text, key+":") {
				delete(unused, key)
			}
		}
		eachChange(t, text, probes, func(changed string) {
			if _, problems := rulefile.Load(write(t, path, changed), probeOptions()); len(problems) > 0 {
				refused++
				return
			}
			taken++
			if err := refusal(schema, changed); err != nil {
				t.Errorf("Load takes this, and the schema does not: %v\n%s", err, changed)
			}
		})
	}
	for key := range unused {
		t.Errorf("no file that is changed here holds the key %s: add it to one of everyKey", key)
	}
	t.Logf("Load takes %d changed files and refuses %d", taken, refused)
	if taken < 1000 || refused < 1000 {
		t.Errorf("Load takes %d changed files and refuses %d, want at least 1000 of each", taken, refused)
	}
}

// What Load cannot do without the schema asks for, too: every value of these files is taken away.
func TestTheSchemaAsksForEveryKeyThatIsNeeded(t *testing.T) {
	schema, path := validator(t), filepath.Join(t.TempDir(), "rules.yaml")
	missed := map[string]bool{}
	for _, text := range everyKey(t) {
		eachChange(t, text, nil, func(changed string) {
			_, problems := rulefile.Load(write(t, path, changed), probeOptions())
			if len(problems) != 1 || problems[0].Code != "missing-key" && problems[0].Code != "bad-action" {
				return
			}
			message := problems[0].Message
			missed[message] = true
			if ofAnotherKind := strings.Contains(message, " step needs ") || strings.Contains(message, "key column"); !ofAnotherKind && message != "subject is missing" && refusal(schema, changed) == nil {
				t.Errorf("%s, and the schema does not ask for it:\n%s", message, changed)
			}
		})
	}
	if len(missed) < 15 {
		t.Errorf("Load misses %d kinds of keys, want at least 15: %v", len(missed), missed)
	}
}

// everyKey are sound files that hold every key together.
func everyKey(t *testing.T) []string {
	t.Helper()
	chdirToCorpus(t, "ok")
	return []string{readText(t, "every-setting.yaml"), readText(t, "following.yaml"), readText(t, "email-tls.yaml"), readText(t, "once.yaml")}
}

// eachChange calls try with a file without one of its values, and with each probe in the place of one, for every value.
func eachChange(t *testing.T, text string, probes []string, try func(changed string)) {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	write := func() {
		changed, err := yaml.Marshal(&document)
		if err != nil {
			t.Fatal(err)
		}
		try(string(changed))
	}
	var change func(node *yaml.Node)
	change = func(node *yaml.Node) {
		step := 1 // from one value to the next
		if node.Kind == yaml.MappingNode {
			step = 2
		}
		for last := step - 1; last < len(node.Content); last += step {
			whole, value := node.Content, node.Content[last]
			node.Content = append(append([]*yaml.Node{}, whole[:last+1-step]...), whole[last+1:]...)
			write()
			node.Content = whole
			for _, probe := range probes {
				whole[last] = parsed(t, probe)
				write()
			}
			whole[last] = value
			change(value)
		}
	}
	change(document.Content[0])
}

// keysOf are all keys that a schema names.
func keysOf(s *jsonschema.Schema) map[string]bool {
	keys := map[string]bool{}
	var walk func(s *jsonschema.Schema)
	walk = func(s *jsonschema.Schema) {
		if s == nil {
			return
		}
		for key, property := range s.Properties {
			keys[key] = true
			walk(property)
		}
		if each, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
			walk(each)
		}
		walk(s.Items2020)
		for _, alternative := range s.AnyOf {
			walk(alternative)
		}
	}
	walk(s)
	return keys
}

func parsed(t *testing.T, text string) *yaml.Node {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatalf("the probe %s: %v", text, err)
	}
	return document.Content[0]
}
