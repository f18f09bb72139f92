package rulefile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

func load(t *testing.T, text string) *rulefile.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file, problems := rulefile.Load(name, options())
	if problems.Failed() {
		t.Fatal(problems)
	}
	return file
}

func TestCommentsAreFoundWhereYAMLFindsThem(t *testing.T) {
	const text = `# first
version: 1

actions:
  ops: {slack: {webhook_url: "https://hooks.slack.com/services/x"}} # behind "quotes"
rules:
  # of the rule
  # and more
  - name: a#b
    when: | # of the block
      event == "x" # no comment
      # none either

      && true
    # between
    then:
      - action: ops
        text: "a # b \" # c
          # d" # behind é "it"
      - {action: ops, text: 'it''s # e'} # f
      - action: ops
        text: &t "# g" #h
`
	var got []string
	for _, c := range load(t, text).Sources[0].Comments() {
		got = append(got, fmt.Sprintf("%d:%d %d-%d %s", c.Place.Line, c.Place.Column, c.From, c.To, c.Text))
	}
	want := []string{
		"1:1 2-2 first", `5:69 5-5 behind "quotes"`, "7:3 9-9 of the rule", "8:3 9-9 and more", "10:13 10-14 of the block",
		"15:5 16-16 between", `19:16 19-19 behind é "it"`, "20:42 20-20 f", "22:24 22-22 h",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Comments() (-want +got):\n%s", diff)
	}
}

func TestRulesThatSayTheSame(t *testing.T) {
	const head = "version: 1\nactions: {ops: {http: {url: \"http://127.0.0.1:8080/\"}}}\nrules:\n  - {name: a, when: event == \"x\", then: [{action: ops, body: x}]}\n"
	for _, test := range []struct {
		rule string
		want bool
	}{
		{`{then: [{"body": x, action: 'ops'}], when: event == "x", name: b}`, true},
		{`{name: b, when: event == "x", then: [{action: ops, body: y}]}`, false},
		{`{name: b, when: event == "x", on: [x], then: [{action: ops, body: x}]}`, false},
		{`{name: b, when: event == "x", then: [{action: ops, body: x}, {action: ops, body: x}]}`, false},
	} {
		rules := load(t, head+"  - "+test.rule+"\n").Rules
		if got := rules[1].SameAs(&rules[0], "name"); got != test.want {
			t.Errorf("%s SameAs the other = %v, want %v", test.rule, got, test.want)
		}
	}
}
