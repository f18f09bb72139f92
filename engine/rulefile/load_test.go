package rulefile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const sound = `version: 1
actions:
  ops: {http: {url: "http://127.0.0.1:8080/"}}
rules:
  - name: r
    when: "true"
    then: [{action: ops}]
`

// A36: what is no regular file of a sane size is refused, and never waited for.
func TestOnlyRegularFilesOfASaneSizeAreRead(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo.yaml")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	huge := filepath.Join(dir, "huge.yaml")
	write(t, huge, "")
	if err := os.Truncate(huge, 17<<20); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		fifo:                               "is not a regular file",
		"/dev/zero":                        "is not a regular file",
		huge:                               "is too large",
		empty:                              "holds no file that ends in .yaml",
		filepath.Join(dir, "none.yaml"):    "no such file",
		write(t, dir+"/utf.yaml", "\xff"):  "is not UTF-8",
		write(t, dir+"/nul.yaml", "a\x00"): "holds a NUL character",
	} {
		_, problems := rulefile.Load(path, options())
		if !problems.Failed() || !strings.Contains(problems.Error(), want) {
			t.Errorf("Load(%s) finds %v, want %q", path, problems, want)
		}
	}
	link := filepath.Join(dir, "link.yaml") // as Kubernetes mounts a ConfigMap
	if err := os.Symlink(write(t, dir+"/real.txt", sound), link); err != nil {
		t.Fatal(err)
	}
	if _, problems := rulefile.Load(link, options()); len(problems) > 0 {
		t.Errorf("Load of a link to a sound file finds %v", problems)
	}
}

func TestADirectoryIsReadInOrderAsOne(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/b.yaml", "version: 1\nrules:\n  - {name: second, when: \"true\", then: [{action: ops}]}\n")
	write(t, dir+"/a.yaml", strings.Replace(sound, "name: r", "name: first", 1))
	write(t, dir+"/b_test.yaml", "tests: []\n")
	write(t, dir+"/notes.txt", "not rules")
	write(t, dir+"/c.yml", sound)
	file, problems := rulefile.Load(dir, options())
	var names []string
	for _, rule := range file.Rules {
		names = append(names, rule.Name.Value)
	}
	if diff := cmp.Diff([]string{"first", "second"}, names); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if problems.Failed() || len(problems) != 1 || !strings.Contains(problems.Error(), "c.yml: warning: is not read") {
		t.Errorf("problems: %v, want a warning about c.yml", problems)
	}
	write(t, dir+"/d.yaml", strings.Replace(sound, "name: r", "name: first", 1))
	if _, problems := rulefile.Load(dir, options()); !strings.Contains(problems.Error(), `the rule "first" is there already, at `+dir+"/a.yaml:5:11") {
		t.Errorf("a name of another file: %v", problems)
	}
}

// C19, R50: a value can add neither a key nor a template, and is remembered so that it can be hidden.
func TestVariablesAreExpandedAfterParsing(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/token", "from a file\n")
	values := map[string]string{"EVIL": "x}, admin: {a: b", "TEMPLATE": "{{ entry.id }}", "EMPTY": ""}
	file, problems := rulefile.Load(write(t, dir+"/rules.yaml", `version: 1
actions:
  ops:
    http:
      url: http://127.0.0.1:8080/
      headers:
        A: ${EVIL}
        B: "{{ event }} ${TEMPLATE} ${{ event }} $${X}"
        C: ${file:token}
        D: ${UNSET:-a default} ${EMPTY:-another}${EMPTY}
rules:
  - {name: "${EVIL}", when: "true", then: [{action: ops, body: "${EVIL}"}]}
`), rulefile.Options{SecretsDir: dir, LookupEnv: func(name string) (string, bool) { v, ok := values[name]; return v, ok }})
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	got := map[string]string{"rule": file.Rules[0].Name.Value, "body": file.Rules[0].Then[0].Body.Value}
	for _, header := range file.Actions[0].HTTP.Headers {
		got[header.Name.Value] = header.Value.Value
	}
	want := map[string]string{
		"A": "x}, admin: {a: b", "B": `{{ event }} {{ "{{" }} entry.id }} ${{ event }} ${X}`, "C": "from a file",
		"D": "a default another", "rule": "${EVIL}", "body": "${EVIL}",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"x}, admin: {a: b", "{{ entry.id }}", "from a file"}, file.Secrets); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
}

func TestAnUnsetVariableIsAWarningWhereNothingIsSent(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "rules.yaml"), strings.Replace(sound, "http://127.0.0.1:8080/", "${NOT_SET}", 1))
	o := options()
	o.UnsetIsWarning = true
	file, problems := rulefile.Load(path, o)
	if problems.Failed() || len(problems) != 1 || file.Actions[0].HTTP.URL.Value != "${NOT_SET}" {
		t.Errorf("Load = %q, %v; want the variable as written and a warning", file.Actions[0].HTTP.URL.Value, problems)
	}
}

// A secret file is read again every 30 s: the digest tells whether a reload changes anything.
func TestTheDigestChangesWithFilesVariablesAndSecrets(t *testing.T) {
	dir := t.TempDir()
	token := "one"
	o := rulefile.Options{SecretsDir: dir, LookupEnv: func(string) (string, bool) { return token, true }}
	path := write(t, dir+"/rules.yaml", strings.Replace(sound, `8080/"`, `8080/", headers: {A: "${TOKEN}", B: "${file:secret}"}`, 1))
	write(t, dir+"/secret", "s1")
	seen := map[[32]byte]string{}
	check := func(what string) {
		file, problems := rulefile.Load(path, o)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if before, twice := seen[file.Digest]; twice {
			t.Errorf("the digest after %s is that of %s", what, before)
		}
		seen[file.Digest] = what
		if again, _ := rulefile.Load(path, o); again.Digest != file.Digest {
			t.Errorf("the digest after %s is not the same twice", what)
		}
	}
	check("the start")
	token = "two"
	check("another variable")
	write(t, dir+"/secret", "s2")
	check("another secret")
	write(t, path, strings.Replace(sound, `8080/"`, `8081/", headers: {A: "${TOKEN}", B: "${file:secret}"}`, 1))
	check("another file")
}

// The place of a byte within a value, in every style of YAML.
func TestPlacesWithinValues(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "rules.yaml"), `version: 1
actions: {ops: {http: {url: "http://127.0.0.1:8080/"}}}
rules:
  - {name: r, when: plain äX, then: [{action: ops, body: "quoted äX", headers: {a: 'single X'}}]}
  - name: s
    when: |
      first

        second äX
    then:
      - action: ops
        body: >
          folded X
        headers: {a: "escaped \u0041X"}
`)
	file, _ := rulefile.Load(path, options())
	for _, c := range []struct {
		text rulefile.Text
		want string
	}{
		{file.Rules[0].When, "4:28"}, {file.Rules[0].Then[0].Body.Text, "4:67"}, {file.Rules[0].Then[0].Headers[0].Value.Text, "4:92"},
		{file.Rules[1].When, "9:17"},
		{file.Rules[1].Then[0].Body.Text, "12:15"}, {file.Rules[1].Then[0].Headers[0].Value.Text, "14:22"}, // the value as a whole
	} {
		place := c.text.PlaceAt(strings.Index(c.text.Value, "X"))
		if got := fmt.Sprintf("%d:%d", place.Line, place.Column); got != c.want {
			t.Errorf("the X of %q is at %s, want %s", c.text.Value, got, c.want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(sound)
	f.Add("a: &a [*a]")
	f.Add("version: 1\nrules: !!binary x")
	f.Add("? [a]\n: b")
	f.Add("rules: [{when: \"${A\", then: [{json: {a: {{ b }} }}]}]")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "rules.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, problems := rulefile.Load(path, options())
		for _, p := range problems {
			if p.Place.File != path || p.Code == "" || p.Message == "" {
				t.Errorf("a problem without place, code or message: %+v", p)
			}
		}
		problems.Report(&strings.Builder{})
	})
}

// Where nothing is sent, a variable that is not set is a warning and nothing else, whatever it stands for.
func TestAnUnsetVariableIsToldOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.yaml")
	text := `version: 1
actions:
  ledger:
    http: {url: "${LEDGER_URL}", method: "${LEDGER_METHOD}"}
    timeout: ${LEDGER_TIMEOUT}
    concurrency: ${LEDGER_HANDS}
    retry: {initial: "1s", attempts: "${LEDGER_ATTEMPTS:-3}", jitter: "${LEDGER_JITTER}"}
rules:
  - {name: all, when: "true", then: [{action: ledger}]}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	unset := func(string) (string, bool) { return "", false }
	loaded, problems := rulefile.Load(file, rulefile.Options{LookupEnv: unset, UnsetIsWarning: true})
	for _, p := range problems {
		if p.Code != "unset-variable" || !p.Warning {
			t.Errorf("told is %s", p)
		}
	}
	if len(problems) != 5 {
		t.Errorf("%d problems are told, want one for each of the 5 variables:\n%v", len(problems), problems)
	}
	if action := loaded.Actions[0]; action.Timeout.IsSet() || action.Concurrency.IsSet() {
		t.Errorf("timeout and concurrency are %v and %v, want them left to their defaults", action.Timeout, action.Concurrency)
	}
}
