package engine_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

var update = flag.Bool("update", false, "write the reports of faulty expressions anew")

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// load compiles rules; variables come from values.
func load(t *testing.T, text string, values map[string]string) *engine.Rules {
	t.Helper()
	rules, problems := engine.Load(write(t, text), options(values))
	if rules == nil {
		t.Fatalf("the rules do not load:\n%v", problems)
	}
	return rules
}

func options(values map[string]string) engine.Options {
	return engine.Options{Generation: 7, Options: rulefile.Options{LookupEnv: func(name string) (string, bool) {
		value, set := values[name]
		return value, set
	}}}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func parse(t testing.TB, body string) *peanuts.Event {
	t.Helper()
	event, err := peanuts.Parse([]byte(body))
	if err != nil {
		t.Fatalf("Parse(%s): %v", body, err)
	}
	return event
}

func expense(data string) string {
	return `{"event":"entry.created","helper":{"command":"/expenses"},"entry":{"id":"entry-1","data":` + data + `}}`
}

// R27, R41: the guide's rule fires above 500, not at 500, on text that is a number, and on nothing else.
func TestTheGuidesRule(t *testing.T) {
	rules, problems := engine.Load("../rules.example.yaml", engine.Options{Options: rulefile.Options{UnsetIsWarning: true}})
	if rules == nil {
		t.Fatal(problems)
	}
	for amount, fires := range map[string]bool{
		"500": false, "500.00": false, "500.01": true, "612.50": true, "1e3": true, `"500.01"`: true, `"500"`: false, "-600": false,
		`"600 EUR"`: false, "null": false, "true": false, "[600]": false, "5e2": false, "499.99999999999999": false,
	} {
		j := rules.Judge(parse(t, expense(`{"amount":`+amount+`}`)), noon(), engine.Known{})
		if got := slices.Contains(j.Fired, "high-expense"); got != fires || len(j.Errors) != 0 {
			t.Errorf("amount %s: fired %v, errors %v; want fired %v", amount, j.Fired, j.Errors, fires)
		}
	}
}

// R42, R43: the deadline warning comes for tasks due within a day, overdue ones included, and not for those that are done.
func TestTheGuidesDeadlineWarning(t *testing.T) {
	rules, problems := engine.Load("../rules.example.yaml", engine.Options{Options: rulefile.Options{UnsetIsWarning: true}})
	if rules == nil {
		t.Fatal(problems)
	}
	for data, want := range map[string]string{
		`{"title":"t","due_date":"2026-11-24"}`: "fired", `{"title":"t","due_date":"2026-11-23"}`: "fired", `{"title":"t","due_date":"2026-01-01"}`: "fired",
		`{"title":"t","due_date":"2026-11-25"}`: "", `{"title":"t"}`: "", `{"title":"t","due_date":null}`: "",
		`{"title":"t","due_date":"2026-11-24","done":true}`: "", `{"title":"t","due_date":"2026-11-24","done":false}`: "fired",
		`{"title":"t","due_date":"someday"}`: "error", `{"title":"t","due_date":5}`: "error",
	} {
		j := rules.Judge(parse(t, `{"event":"entry.created","helper":{"command":"/tasks"},"entry":{"id":"t","data":`+data+`}}`), noon(), engine.Known{})
		got := ""
		if len(j.Fired) > 0 {
			got = "fired"
		}
		if len(j.Errors) > 0 {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %q %+v, want %q", data, got, j.Errors, want)
		}
	}
}

const isolation = `version: 1
actions:
  ops: {http: {url: "http://127.0.0.1:8080/"}}
rules:
  - {name: fails, when: len(entry.data.none) > 0, then: [{action: ops}]}
  - {name: mismatches, when: entry.data.amount > 5, then: [{action: ops}]}
  - {name: fires, when: entry.id == "entry-1", then: [{action: ops}, {action: ops, body: again}]}
  - {name: deletes, on: [entry.deleted], when: "true", then: [{action: ops}]}
  - {name: custom, on: [custom.thing], when: "true", then: [{action: ops}]}
`

// C8, R28, R29: each rule is judged by itself, in the order of the file.
func TestRulesAreJudgedEachByItself(t *testing.T) {
	rules := load(t, isolation, nil)
	got := rules.Judge(parse(t, expense(`{"amount":"n/a"}`)), noon(), engine.Known{})
	want := engine.Judgement{
		Generation: 7,
		Fired:      []engine.RuleName{"fires"},
		Errors:     []engine.RuleError{{Rule: "fails", Message: "len() of an absent value (in len(entry.data.none) > 0)"}},
		Mismatches: []engine.Mismatch{{Rule: "mismatches", Expr: "entry.data.amount > 5", Value: "n/a"}},
		Owed: []engine.Owed{
			{Rule: "fires", Action: "ops", Kind: engine.KindHTTP, Message: json.RawMessage(`{}`)},
			{Rule: "fires", Step: 1, Action: "ops", Kind: engine.KindHTTP, Message: json.RawMessage(`{"body":"again"}`)},
		},
	}
	if place := got.Mismatches[0].Place; !strings.HasSuffix(place, "rules.yaml:6:30") {
		t.Errorf("the mismatch is at %s, want rules.yaml:6:30", place)
	}
	got.Mismatches[0].Place = ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Judge (-want +got):\n%s", diff)
	}
}

// R2, R6, R32: deletes reach only the rules that ask for them; events of any name can be routed.
func TestOnDecidesWhichEventsARuleSees(t *testing.T) {
	rules := load(t, isolation, nil)
	for event, want := range map[string]string{
		"entry.deleted": "[deletes]", "entry.updated": "[fires]", "custom.thing": "[fires custom]", "unheard.of": "[fires]",
	} {
		j := rules.Judge(parse(t, `{"event":"`+event+`","entry":{"id":"entry-1","data":{"none":[]}}}`), noon(), engine.Known{})
		if got := fmt.Sprint(j.Fired); got != want {
			t.Errorf("%s fires %s, want %s", event, got, want)
		}
	}
}

const messages = `version: 1
timezone: Europe/Berlin
actions:
  chat: {slack: {token: "${TOKEN}", channel: "#default"}}
  mail: {email: {server: "smtp://mail.example.com", username: u, password: "${PASSWORD}", from: a@example.com, to: ["{{ user.id }}@example.com"]}}
  ledger: {http: {url: "https://{{HOST}}/x", headers: {Authorization: "Bearer ${LEDGER}"}, signing_secret: "${SIGNING}"}}
rules:
  - name: all
    when: "true"
    then:
      - {action: chat, channel: "#own", text: "*{{ entry.data.x }}* <!here>", blocks: [{type: section, n: 1.50, ok: true, text: {text: "{{ entry.data.x }}"}, raw: "{{ entry.data.n }}"}]}
      - {action: mail, subject: "s {{ entry.data.n }}", text: "{{ entry.data.x }}", html: "<b>{{ entry.data.x }}</b>", to: ["{{ entry.id }}@example.com"]}
      - {action: ledger, json: {n: "{{ entry.data.n }}", big: "{{ entry.data.big }}", none: "{{ entry.data.none }}", x: "a {{ entry.data.x }}", list: [1, "{{ entry.data.tags }}"], empty: {}}, headers: {X-Entry: "{{ entry.id }}"}}
      - {action: ledger, body: "{{ entry.data.n }}"}
      - {action: ledger}
`

// C6, C14, C19, R48, R50: messages are frozen with their values encoded for their sink, and hold no secret.
func TestMessagesAreFrozenForTheirSink(t *testing.T) {
	secrets := map[string]string{"TOKEN": "canary-token", "PASSWORD": "canary-password", "LEDGER": "canary-ledger", "SIGNING": "canary-signing-new canary-signing-old"}
	rules := load(t, strings.Replace(messages, "{{HOST}}", "ledger.example.com", 1), secrets)
	event := parse(t, expense(`{"x":"<!channel> & \"b\"","n":612.50,"big":12345678901234567,"tags":["a",2.0]}`))
	j := rules.Judge(event, noon(), engine.Known{})
	var got []string
	for _, owed := range j.Owed {
		got = append(got, string(owed.Message))
	}
	want := []string{
		`{"channel":"#own","text":"*&lt;!channel&gt; &amp; \"b\"* <!here>","blocks":[{"type":"section","n":1.50,"ok":true,"text":{"text":"&lt;!channel&gt; &amp; \"b\""},"raw":612.50}]}`,
		`{"to":["entry-1@example.com"],"subject":"s 612.50","text":"<!channel> & \"b\"","html":"<b>&lt;!channel&gt; &amp; &#34;b&#34;</b>"}`,
		`{"headers":{"X-Entry":"entry-1"},"json":{"n":612.50,"big":12345678901234567,"none":null,"x":"a <!channel> & \"b\"","list":[1,["a",2.0]],"empty":{}}}`,
		`{"body":"612.50"}`,
		`{}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if printed := fmt.Sprintf("%+v %+v", j, rules.Explain(event, noon(), engine.Known{})); strings.Contains(printed, "canary") {
		t.Errorf("a secret is in what was judged: %s", printed)
	}
	action, _ := rules.Action("chat")
	if printed := fmt.Sprintf("%+v", action.Settings); strings.Contains(printed, "canary") {
		t.Errorf("a secret is in the settings as they print: %s", printed)
	}
	if got := rules.Mask("token canary-token, form canary-token%26, mail canary-password Bearer canary-ledger, signed by canary-signing-old"); strings.Contains(got, "canary") {
		t.Errorf("Mask leaves %q", got)
	}
}

// R49, C21: a message for people that fails is replaced by a plain one; one for machines is dead at once.
func TestAMessageThatFailsIsNotSwallowed(t *testing.T) {
	rules := load(t, `version: 1
actions:
  chat: {slack: {webhook_url: "https://hooks.slack.com/services/x"}}
  mail: {email: {server: "smtp://mail.example.com", from: a@example.com, to: [b@example.com]}}
  ledger: {http: {url: "http://127.0.0.1:8080/"}}
rules:
  - name: high & low
    when: "true"
    then:
      - {action: chat, text: "{{ entry.data.none + 1 }}"}
      - {action: mail, subject: "{{ entry.data.line }}", text: t}
      - {action: ledger, json: {a: [1, "{{ entry.data.none + 1 }}", 2]}}
      - {action: ledger, headers: {X-A: "{{ entry.data.line }}"}}
`, nil)
	j := rules.Judge(parse(t, `{"event":"e","entry":{"id":"<e&1>","data":{"line":"canary\nBcc: x"}}}`), noon(), engine.Known{})
	var got []string
	for _, owed := range j.Owed {
		got = append(got, string(owed.Message)+" | "+owed.Dead)
	}
	const why = "+ is not possible between an absent value and a number (in entry.data.none + 1)"
	const line = "a value with a line break or control character cannot stand in a header, subject or address"
	want := []string{
		`{"text":"rule high &amp; low fired for entry &lt;e&amp;1&gt;; its message failed: ` + why + `"} | `,
		`{"subject":"rule high & low fired","text":"rule high & low fired for entry <e&1>; its message failed: ` + line + `"} | `,
		`{} | the message could not be rendered: ` + why,
		`{} | the message could not be rendered: ` + line,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// A20, C19: what an action takes from the event is escaped by its position; the host takes nothing.
func TestSettingsAreRenderedFromTheEvent(t *testing.T) {
	rules := load(t, `version: 1
actions:
  ledger: {http: {url: "https://ledger.example.com/{{ entry.id }}?q={{ entry.id }}", headers: {X-Id: "{{ entry.id }}", X-Evil: "${EVIL}"}}}
rules: [{name: r, when: "true", then: [{action: ledger}]}]
`, map[string]string{"EVIL": "{{ entry.id }}"})
	action, _ := rules.Action("ledger")
	settings := action.Settings.(*engine.HTTPSettings)
	event := parse(t, `{"event":"e","entry":{"id":"a/../b?c&d=é"}}`)
	for what, c := range map[string]struct {
		setting engine.Dynamic
		want    string
	}{
		"url":    {settings.URL, "https://ledger.example.com/a%2F..%2Fb%3Fc&d=%C3%A9?q=a%2F..%2Fb%3Fc%26d%3D%C3%A9"},
		"X-Id":   {settings.Headers["X-Id"], "a/../b?c&d=é"},
		"X-Evil": {settings.Headers["X-Evil"], "{{ entry.id }}"}, // a value is never a template
	} {
		if got, err := c.setting.Render(event, noon()); got != c.want || err != nil {
			t.Errorf("%s renders %q, %v; want %q", what, got, err, c.want)
		}
	}
	if got, err := settings.Headers["X-Id"].Render(parse(t, `{"event":"e","entry":{"id":"a\nb"}}`), noon()); err == nil {
		t.Errorf("a line break in a header renders %q, want an error", got)
	}
}

// C15, R34, R37: nothing is accepted in part; problems of YAML and of expressions are told together.
func TestAFaultyFileIsRefusedWhole(t *testing.T) {
	rules, problems := engine.Load(write(t, strings.Replace(isolation, "entry.data.amount > 5", "entry.dat.amount > 5", 1)+"nonsense: 1\n"), options(nil))
	if rules != nil || len(problems) != 2 {
		t.Errorf("Load = %v, %v; want no rules and two problems", rules, problems)
	}
}

// Faults of expressions and templates, each with its report.
func TestEveryFaultyExpressionBringsItsReport(t *testing.T) {
	t.Chdir("../testdata/rules/bad")
	files, err := filepath.Glob("expr-*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d faulty files, want at least 8 (%v)", len(files), err)
	}
	for _, file := range files {
		rules, problems := engine.Load(file, options(nil))
		if rules != nil {
			t.Errorf("Load(%s) finds nothing", file)
		}
		var report bytes.Buffer
		if err := problems.Report(&report); err != nil {
			t.Fatal(err)
		}
		golden := strings.TrimSuffix(file, ".yaml") + ".txt"
		if *update {
			if err := os.WriteFile(golden, report.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), report.String()); diff != "" {
			t.Errorf("the report on %s (-want +got):\n%s", file, diff)
		}
	}
}

func TestSoundRulesCompile(t *testing.T) {
	files, err := filepath.Glob("../testdata/rules/ok/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sound files: %v", err)
	}
	for _, file := range files {
		if rules, problems := engine.Load(file, options(nil)); rules == nil || len(problems) > 0 {
			t.Errorf("Load(%s) finds\n%v", file, problems)
		}
	}
}

// R36, PEERS 2.3: what is explained is what is judged, for every sample and rule.
func TestExplainedIsJudged(t *testing.T) {
	rules, problems := engine.Load("../rules.example.yaml", engine.Options{Options: rulefile.Options{UnsetIsWarning: true}})
	if rules == nil {
		t.Fatal(problems)
	}
	samples, err := filepath.Glob("../testdata/*.json")
	if err != nil || len(samples) < 10 {
		t.Fatalf("%d samples, %v", len(samples), err)
	}
	for _, sample := range samples {
		body, err := os.ReadFile(sample)
		if err != nil {
			t.Fatal(err)
		}
		event := parse(t, string(body))
		judged := rules.Judge(event, noon(), engine.Known{})
		explained := engine.Judgement{Generation: judged.Generation}
		for _, e := range rules.Explain(event, noon(), engine.Known{}) {
			explained.Mismatches = append(explained.Mismatches, e.Mismatches...)
			if e.Fired {
				explained.Fired = append(explained.Fired, e.Rule)
			}
			explained.Owed = append(explained.Owed, e.Owed...)
			if !e.Fired && e.Error == "" && len(e.Because) == 0 {
				t.Errorf("%s: rule %s did not fire, and nothing says why", sample, e.Rule)
			}
		}
		judged.Contributions = nil // of stats, which no rule explains
		if diff := cmp.Diff(judged, explained); diff != "" {
			t.Errorf("%s (-judged +explained):\n%s", sample, diff)
		}
	}
}

// Rules are shared by every request at once.
func TestRulesAreSafeForConcurrentUse(t *testing.T) {
	rules := load(t, isolation, nil)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			event := parse(t, expense(`{"amount":"n/a"}`))
			for range 200 {
				if j := rules.Judge(event, noon(), engine.Known{}); len(j.Fired) != 1 || len(j.Mismatches) != 1 || len(j.Errors) != 1 {
					t.Errorf("Judge = %+v", j)
				}
			}
		})
	}
	group.Wait()
}

func TestRetryPlans(t *testing.T) {
	rules := load(t, `version: 1
actions:
  a: {http: {url: "http://127.0.0.1/"}}
  b: {http: {url: "http://127.0.0.1/"}, retry: peanuts, timeout: 3s, concurrency: 2, max_retry_after: 5m}
  c: {http: {url: "http://127.0.0.1/"}, retry: [1s, 5s]}
  d: {http: {url: "http://127.0.0.1/"}, retry: {initial: 1s, attempts: 4}}
  e: {http: {url: "http://127.0.0.1/"}, retry: []}
rules: [{name: r, when: "true", then: [{action: a}]}]
`, nil)
	got := map[engine.ActionName]string{}
	for _, name := range rules.Actions() {
		action, _ := rules.Action(name)
		got[name] = fmt.Sprint(action.Retry.Limit(), action.Retry.Waits, action.Retry.Jitter, action.Timeout, action.Concurrency, action.MaxRetryAfter)
	}
	want := map[engine.ActionName]string{
		"a": "10 [5s 30s 2m0s 10m0s 30m0s 2h0m0s 5h0m0s 10h0m0s 10h0m0s] 0.2 10s 8 1h0m0s",
		"b": "3 [2s 4s] 0 3s 2 5m0s", "c": "3 [1s 5s] 0 10s 8 1h0m0s", "d": "4 [] 0 10s 8 1h0m0s", "e": "1 [] 0 10s 8 1h0m0s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("plans (-want +got):\n%s", diff)
	}
}

// The shape of a delivery in the API and on the command line.
func TestADeliveryAsJSON(t *testing.T) {
	d := engine.Delivery{
		ID: "0197-1", Event: "0197", Rule: "r", Action: "a", Kind: engine.KindHTTP, State: engine.Dead, Attempts: 1,
		CreatedAt: noon(), LastStatus: "400", LastError: "no", Message: json.RawMessage(`{}`),
		History: []engine.Attempt{{N: 1, At: noon(), Took: 41 * time.Millisecond, Status: "400", Error: "no", Answer: "bad"}},
	}
	got, err := json.Marshal(d)
	want := `{"id":"0197-1","key":"0197-1","event_id":"0197","rule":"r","action":"a","kind":"http","state":"dead","held":"","attempts":1,` +
		`"created_at":"2026-11-23T12:00:00Z","next_at":null,"last_status":"400","last_error":"no","message":{},` +
		`"history":[{"n":1,"at":"2026-11-23T12:00:00Z","status":"400","error":"no","answer":"bad","took_ms":41}]}`
	if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
		t.Errorf("JSON (-want +got), %v:\n%s", err, diff)
	}
}
