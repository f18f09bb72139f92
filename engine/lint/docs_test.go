package lint_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine/lint"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// section is what the documentation says of a code: an example, and a sample that it is judged with.
type section struct{ code, rules, sample string }

func sections(t *testing.T) []section {
	t.Helper()
	page, err := os.ReadFile("../../docs/lint.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := regexp.MustCompile(`(?m)^### (.*)$`).FindAllSubmatchIndex(page, -1)
	fenced := func(text []byte, language string) string {
		found := regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllSubmatch(text, -1)
		if len(found) > 1 {
			t.Errorf("%d blocks of %s in one section", len(found), language)
		}
		for _, f := range found {
			return string(f[1])
		}
		return ""
	}
	var all []section
	for i, at := range parts {
		end := len(page)
		if i+1 < len(parts) {
			end = parts[i+1][0]
		}
		text := page[at[1]:end]
		all = append(all, section{code: string(page[at[2]:at[3]]), rules: fenced(text, "yaml"), sample: fenced(text, "json")})
	}
	return all
}

func TestEveryCodeIsDocumentedAndEveryDocumentedCodeExists(t *testing.T) {
	var documented []string
	for _, s := range sections(t) {
		documented = append(documented, s.code)
	}
	if diff := cmp.Diff(lint.Codes(), documented); diff != "" {
		t.Errorf("codes (-of Codes() +of docs/lint.md):\n%s", diff)
	}
	if diff := cmp.Diff(lint.Codes(), declaredCodes(t)); diff != "" {
		t.Errorf("codes (-of Codes() +declared):\n%s", diff)
	}
}

// declaredCodes are the constants of code.go.
func declaredCodes(t *testing.T) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	ast.Inspect(parsed, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok {
			code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, code)
		}
		return true
	})
	return codes
}

func TestEveryDocumentedExampleBringsItsCode(t *testing.T) {
	for _, s := range sections(t) {
		seen := lint.NewSeen(time.Time{})
		if s.sample != "" {
			event, err := peanuts.Parse([]byte(s.sample))
			if err != nil {
				t.Fatalf("the sample of %s: %v", s.code, err)
			}
			seen.Sample("sample.json", event)
		}
		var got []string
		for _, p := range check(t, s.rules, seen) {
			got = append(got, p.Code)
		}
		if !slices.Equal(got, []string{s.code}) {
			t.Errorf("the example of %s brings %q", s.code, got)
		}
	}
}

// check lints a rules file.
func check(t *testing.T, rules string, seen *lint.Seen) rulefile.Problems {
	t.Helper()
	name := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(name, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	file, problems := rulefile.Load(name, rulefile.Options{LookupEnv: func(string) (string, bool) { return "", false }})
	if len(problems) > 0 {
		t.Fatalf("%s\n%v", rules, problems)
	}
	return lint.Check(file, seen)
}
