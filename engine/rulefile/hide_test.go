package rulefile_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// C19, A34: a line that is shown with its problem shows no secret that is written into the file; what else it says stays, and the
// caret stands below the fault.
func TestALineIsShownWithoutTheSecretsInIt(t *testing.T) {
	const secret = "swordfish-0123456789"
	for name, c := range map[string]struct{ actions, line, caret string }{
		"a token in quotes":       {`  a: {slack: {token: "` + secret + `", chanel: "#x"}}`, `  a: {slack: {token: **********************, chanel: "#x"}}`, "chanel"},
		"a plain token":           {`  a: {slack: {token: ` + secret + `, chanel: "#x"}}`, `  a: {slack: {token: ********************, chanel: "#x"}}`, "chanel"},
		"a webhook":               {`  a: {slack: {webhook_url: 'https://hooks.example.com/` + secret + `', chanel: x}}`, `webhook_url: 'https://hooks.example.com/********************', chanel`, "chanel"},
		"a password":              {`  a: {email: {sever: "smtp://x", password: ` + secret + `}}`, `  a: {email: {sever: "smtp://x", password: ********************}}`, "sever"},
		"a database":              {`  a: {sql: {database: "postgres://u:` + secret + `@h/d", tabel: t}}`, `  a: {sql: {database: "postgres://u:********************@h/d", tabel: t}}`, "tabel"},
		"a header":                {`  a: {http: {url: "http://127.0.0.1/", headers: {Authorization: Bearer ` + secret + `}, metod: GET}}`, `metod: GET}}`, "metod"},
		"several, on their lines": {"  a:\n    http:\n      url: \"http://127.0.0.1/\"\n      signing_secret: >-\n        whsec_" + secret + "\n        whsec_!" + secret, `signing_secret: >-`, ">-"},
		"a file that is no YAML":  {`  a: {slack: {token: "` + secret + `", channel: @x}}`, `  a: {slack: {token: **********************, channel: @x`, "a: {"},
		"a list":                  {`  a: {http: {url: "http://127.0.0.1/", signing_secret: [` + secret + `, ` + secret + `]}}`, `signing_secret: **`, "**"},
		"a variable":              {`  a: {slack: {token: "${TOKEN}", chanel: "#x"}}`, `  a: {slack: {token: "${TOKEN}", chanel: "#x"}}`, "chanel"},
		"a file of rows":          {`  a: {sql: {database: "sqlite:rows.db", tabel: t}}`, `  a: {sql: {database: "sqlite:rows.db", tabel: t}}`, "tabel"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, filepath.Join(t.TempDir(), "rules.yaml"), "version: 1\nactions:\n"+c.actions+"\nrules: []\n")
			_, problems := rulefile.Load(path, rulefile.Options{UnsetIsWarning: true})
			if !problems.Failed() {
				t.Fatal("the file is to have a problem")
			}
			var report strings.Builder
			if err := problems.Report(&report); err != nil {
				t.Fatal(err)
			}
			text := report.String()
			if strings.Contains(text, secret) || strings.Contains(text, secret[:8]) {
				t.Errorf("the report shows the secret:\n%s", text)
			}
			if !strings.Contains(text, c.line) || !caretBelow(text, c.caret) {
				t.Errorf("the report:\n%s\nwant the line %q with a caret below %q", text, c.line, c.caret)
			}
		})
	}
}

// caretBelow tells whether a report has a caret below a word of a line.
func caretBelow(report, word string) bool {
	lines := strings.Split(report, "\n")
	for i, line := range lines[1:] {
		if at := strings.Index(line, "^"); at >= 0 && strings.HasPrefix(lines[i][min(at, len(lines[i])):], word) {
			return true
		}
	}
	return false
}
