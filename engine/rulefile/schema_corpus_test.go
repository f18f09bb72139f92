package rulefile_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// validator holds trees against the schema. The schema itself is held against that of its draft.
func validator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := rulefile.Schema()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("rules.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("rules.schema.json")
	if err != nil {
		t.Fatalf("this is no JSON Schema: %v", err)
	}
	return schema
}

// refusal is what an editor finds wrong with a rules file.
func refusal(schema *jsonschema.Schema, text string) error {
	tree, err := treeOf(text)
	if err != nil {
		return err
	}
	return schema.Validate(tree)
}

// Why a schema does not see a fault.
const (
	beforeIt   = "it is not YAML, or not one document: a schema has nothing to look at"
	inExpr     = "conditions and messages are a language that a schema does not read"
	inVariable = "what stands in ${ } is a language, and what it stands for is known to the router alone"
	ofAnother  = "what an action takes depends on its kind, and a schema does not follow a name"
)

// unseen are the faulty files that the schema does not refuse, each with the reason.
func unseen() map[string]string {
	return map[string]string{
		"colon-in-plain-value.yaml":      beforeIt,
		"empty.yaml":                     beforeIt,
		"nul.yaml":                       beforeIt,
		"only-a-comment.yaml":            beforeIt,
		"repeated-action-name.yaml":      beforeIt,
		"repeated-key.yaml":              beforeIt,
		"several-documents.yaml":         beforeIt,
		"tab-indent.yaml":                beforeIt,
		"tag.yaml":                       beforeIt,
		"value-begins-with-a-quote.yaml": beforeIt,

		"expr-at.yaml":                  inExpr,
		"expr-bare-field.yaml":          inExpr,
		"expr-constant-duration.yaml":   inExpr,
		"expr-cut-by-comment.yaml":      inExpr,
		"expr-empty-template.yaml":      inExpr,
		"expr-in-a-block-scalar.yaml":   inExpr,
		"expr-in-a-json-leaf.yaml":      inExpr,
		"expr-in-a-quoted-scalar.yaml":  inExpr,
		"expr-in-an-action.yaml":        inExpr,
		"expr-not-a-boolean.yaml":       inExpr,
		"expr-once-per.yaml":            inExpr,
		"expr-order-by.yaml":            inExpr,
		"expr-several.yaml":             inExpr,
		"expr-stats.yaml":               inExpr,
		"expr-too-many-predicates.yaml": inExpr,
		"expr-type-error.yaml":          inExpr,
		"expr-unclosed-template.yaml":   inExpr,
		"expr-unknown-name.yaml":        inExpr,

		"secret-file-outside.yaml":    inVariable,
		"variable-no-name.yaml":       inVariable,
		"variable-of-the-router.yaml": inVariable,
		"variable-unclosed.yaml":      inVariable,
		"variable-unset.yaml":         inVariable,

		"channel-with-webhook.yaml":     ofAnother,
		"step-key-of-another-kind.yaml": ofAnother,
		"step-says-nothing.yaml":        ofAnother,

		"alias-bomb.yaml":         "a tree does not tell how it grew",
		"repeated-rule-name.yaml": "a schema does not compare the members of a list by one of their keys",
		"timeout-too-long.yaml":   "a pattern does not add up hours, minutes and seconds",
		"unknown-action.yaml":     "a schema does not look a name up elsewhere in the file",
		"unknown-timezone.yaml":   "the time zones are those of the machine that runs the router",
	}
}

// A fault of structure is shown while it is written; the others are listed, and the list is exact.
func TestTheSchemaRefusesEveryFaultItCanSee(t *testing.T) {
	schema, unseen := validator(t), unseen()
	for _, file := range chdirToCorpus(t, "bad") {
		err := refusal(schema, readText(t, file))
		reason, listed := unseen[file]
		delete(unseen, file)
		switch noTree := errors.Is(err, errNoTree); {
		case err == nil && !listed:
			t.Errorf("the schema takes %s; is its fault one of structure? Else list it in unseen, with the reason", file)
		case err != nil && !noTree && listed:
			t.Errorf("unseen lists %s (%s), but the schema refuses it: %v", file, reason, err)
		case noTree != (reason == beforeIt):
			t.Errorf("unseen says of %s %q, but reading it gives %v", file, reason, err)
		}
	}
	for file := range unseen {
		t.Errorf("unseen lists %s, which testdata/rules/bad does not hold", file)
	}
}

func TestTheSchemaTakesEverySoundFile(t *testing.T) {
	schema := validator(t)
	if err := refusal(schema, readText(t, "../../rules.example.yaml")); err != nil {
		t.Errorf("rules.example.yaml: %v", err)
	}
	for _, file := range chdirToCorpus(t, "ok") {
		if err := refusal(schema, readText(t, file)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestTheSchemaTakesEveryRulesFileOfTheDocumentation(t *testing.T) {
	schema, fence, version := validator(t), regexp.MustCompile("(?ms)^```yaml[^\n]*\n(.*?)^```$"), regexp.MustCompile(`(?m)^version:`)
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, page := range append(pages, "../../README.md") {
		for _, block := range fence.FindAllStringSubmatch(readText(t, page), -1) {
			if !version.MatchString(block[1]) {
				continue // YAML, but no rules file
			}
			found++
			if err := refusal(schema, block[1]); err != nil {
				t.Errorf("%s: %v\n%s", page, err, block[1])
			}
		}
	}
	if found < 3 {
		t.Errorf("found %d rules files in the documentation, want at least 3", found)
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
