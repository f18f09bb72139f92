package condition

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func rendered(t *testing.T, d *Dialect, s *Scope, source string, sink Sink) string {
	t.Helper()
	template, err := d.Template(source, sink)
	if err != nil {
		t.Fatalf("Template(%q): %v", source, err)
	}
	text, _, err := template.Render(s)
	if err != nil {
		return "error: " + err.Error()
	}
	return text
}

func TestMessages(t *testing.T) {
	s := scopeWith(t, `{"amount":612.50,"small":0.0000001,"e":1e3,"neg":-12.50e1,"huge":1e21,"big":12345678901234567890,"whole":42,"text":"abc","zip":"007",
		"yes":true,"none":null,"tags":["a","b"],"list":[1,2.50,"x",null],"object":{"b":1,"a":"<"},"due":"2026-11-27","at":"2026-03-29T00:30:00+01:00"}`)
	d := berlin(t)
	for source, want := range map[string]string{
		"🚨 ${{ entry.data.amount }} - {{ entry.data.text }}": "🚨 $612.50 - abc",
		"no braces":                                          "no braces",
		"":                                                   "",
		"{{ entry.data.e }}":                                 "1000", // C6: as sent, without an exponent
		"{{ entry.data.neg }}":                               "-125.0",
		"{{ entry.data.small }}":                             "0.0000001",
		"{{ entry.data.big }}":                               "12345678901234567890",
		"{{ entry.data.zip }}":                               "007",
		"{{ entry.data.amount * 2 }}":                        "1225",
		"{{ entry.data.whole + 1 }}":                         "43",
		"{{ 10000000.0 * 10 }}":                              "100000000",
		"{{ 0.1 + 0.2 }}":                                    "0.30000000000000004",
		"{{ 1 / 4 }}":                                        "0.25",
		"{{ entry.data.yes }}":                               "true",
		"{{ entry.data.none }}|":                             "|",
		"{{ entry.data.missing.deep }}|":                     "|",
		"{{ entry.data.tags }}":                              "a, b",
		"{{ entry.data.list }}":                              "1, 2.5, x, ",
		"{{ entry.data.object }}":                            `{"a":"<","b":1}`,
		"{{ timestamp }}":                                    "2026-11-23T11:00:00+01:00",
		`{{ "{{" }} and {{ '}}' }}`:                          "{{ and }}",
		"{{ {\"a\": {\"b\": 1}}.a.b }}":                      "1",
		`{{ "a" + "b" }}{{ string(2.50) }}`:                  "ab2.5",
		"{{ entry.data.missing ?? \"-\" }}":                  "-",
		"{{ day(entry.data.due) }}":                          "2026-11-27",
		"{{ day(timestamp) }} {{ weekday(entry.data.due) }}": "2026-11-23 fri",
		`{{ format(entry.data.due, "2 Jan 2006") }}`:         "27 Nov 2026",
		`{{ money(1843.2, "USD") }} {{ money(entry.data.amount, "EUR") }} {{ money(-1234567, "CHF") }} {{ money(5, "JPY") }}`: "$1,843.20 €612.50 -CHF 1,234,567.00 ¥5",
		`{{ fixed(2.675, 2) }} {{ fixed("1.005", 2) }} {{ fixed(3, 0) }}`:                                                     "2.68 1.01 3",
		`{{ join(entry.data.list, "-") }}`: "1-2.5-x-",
		`{{ join(entry.data.missing) }}|`:  "|",
		// Days are calendar days: over the change of the clocks the hour stays.
		`{{ date(entry.data.at) + duration("1d") }}`:   "2026-03-30T00:30:00+02:00",
		`{{ date(entry.data.at) + duration("24h") }}`:  "2026-03-30T01:30:00+02:00",
		`{{ date("2026-11-27") - duration("1d12h") }}`: "2026-11-25T12:00:00+01:00",
		`{{ date("2028-03-01") - duration("1d") }}`:    "2028-02-29T00:00:00+01:00",
		"{{ days_until(entry.data.due) }}":             "4",
	} {
		if got := rendered(t, d, s, source, Plain); got != want {
			t.Errorf("%s\n prints %q\n   want %q", source, got, want)
		}
	}
}

// C19: values are encoded for their sink, once; the author's own text stays.
func TestValuesAreEncodedForTheirSink(t *testing.T) {
	s := scopeWith(t, `{"x":"<!channel> & <b>\"'","line":"a\r\nBcc: x","path":"a/b c?d#e","dots":"..","sep":"a\u2028b"}`)
	d := New(Config{})
	for _, c := range []struct {
		sink         Sink
		source, want string
	}{
		{Slack, "<!here> & {{ entry.data.x }}", "<!here> & &lt;!channel&gt; &amp; &lt;b&gt;\"'"},
		{HTML, "<b>{{ entry.data.x }}</b>", "<b>&lt;!channel&gt; &amp; &lt;b&gt;&#34;&#39;</b>"},
		{Plain, "{{ entry.data.line }}", "a\r\nBcc: x"},
		{URL, "https://x.example/{{ entry.data.path }}/z?q={{ entry.data.path }}", "https://x.example/a%2Fb%20c%3Fd%23e/z?q=a%2Fb+c%3Fd%23e"},
		{URL, "https://x.example/{{ entry.data.dots }}/secret", "https://x.example/%2E%2E/secret"},
		{Header, "about {{ entry.id }}", "about entry-1"},
	} {
		if got := rendered(t, d, s, c.source, c.sink); got != c.want {
			t.Errorf("%s prints %q, want %q", c.source, got, c.want)
		}
	}
	for _, field := range []string{"line", "sep"} {
		got := rendered(t, d, s, "x {{ entry.data."+field+" }}", Header)
		if !strings.HasPrefix(got, "error: ") || strings.Contains(got, "Bcc") {
			t.Errorf("a header with %s prints %q, want an error without the value (A30, A32)", field, got)
		}
	}
}

func TestAbsentValuesAreReported(t *testing.T) {
	template, err := New(Config{}).Template("{{ entry.data.a }} {{ entry.id }} {{entry.data.b.c}}", Plain)
	if err != nil {
		t.Fatal(err)
	}
	_, missing, err := template.Render(scopeWith(t, `{}`))
	if diff := cmp.Diff([]string{"entry.data.a", "entry.data.b.c"}, missing); diff != "" || err != nil {
		t.Errorf("Render reports (-want +got), %v:\n%s", err, diff)
	}
}

// A leaf that is exactly one {{ }} keeps its type, and a number its digits.
func TestLeavesKeepTheirTypes(t *testing.T) {
	s := scopeWith(t, `{"amount":612.50,"zip":"007","yes":true,"none":null,"tags":["a",1.0],"object":{"z":1,"a":[2.50]},"big":12345678901234567890,"quote":"\"<\n"}`)
	d := New(Config{})
	for source, want := range map[string]string{
		"{{ entry.data.amount }}":   `612.50`,
		"{{ entry.data.big }}":      `12345678901234567890`,
		"{{ entry.data.zip }}":      `"007"`,
		"{{ entry.data.yes }}":      `true`,
		"{{ entry.data.none }}":     `null`,
		"{{ entry.data.missing }}":  `null`,
		"{{ entry.data.tags }}":     `["a",1.0]`,
		"{{ entry.data.object }}":   `{"z":1,"a":[2.50]}`,
		"{{ entry.data.quote }}":    `"\"<\n"`,
		"{{ entry.data.amount*2 }}": `1225`,
		"a {{ entry.data.amount }}": `"a 612.50"`,
		"plain":                     `"plain"`,
		"{{ now() }}":               `"2026-11-23T12:00:00Z"`,
		`{{ duration("2d") }}`:      `"2d"`,
		"{{ [1, entry.data.zip] }}": `[1,"007"]`,
	} {
		leaf, err := d.Leaf(source, Plain)
		if err != nil {
			t.Errorf("Leaf(%q): %v", source, err)
			continue
		}
		if got, _, err := leaf.Render(s); string(got) != want || err != nil {
			t.Errorf("the leaf %s is %s (%v), want %s", source, got, err, want)
		}
	}
}

// A31: what stands within a list or an object is encoded, too.
func TestLeavesAreEncodedForTheirSink(t *testing.T) {
	s := scopeWith(t, `{"list":["<a>",1.50,{"k":"&"}],"n":2.50,"x":"<!channel>"}`)
	for source, want := range map[string]string{
		"{{ entry.data.list }}": `["&lt;a&gt;",1.5,{"k":"&amp;"}]`, "{{ entry.data.n }}": `2.50`, "{{ entry.data.x }}": `"&lt;!channel&gt;"`,
	} {
		leaf, err := New(Config{}).Leaf(source, Slack)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := leaf.Render(s); string(got) != want || err != nil {
			t.Errorf("the leaf %s is %s (%v) for Slack, want %s", source, got, err, want)
		}
	}
}

func TestFaultsOfTemplatesHaveTheirPlace(t *testing.T) {
	d := New(Config{})
	for _, c := range []struct {
		source string
		sink   Sink
		want   string
	}{
		{"a {{ entry.data.x", Plain, "2+2 bad-template: {{ is never closed by }}"},
		{"a {{ }}", Plain, "2+5 bad-template: {{ }} holds no expression"},
		{"ab {{ helper.comand }}", Plain, "6+13 unknown-name: unknown name helper.comand, did you mean helper.command?"},
		{"ä {{ 1 }} {{ helper.comand }}", Plain, "14+13 unknown-name: unknown name helper.comand, did you mean helper.command?"},
		{"https://{{ entry.id }}.example.com/", URL, "8+14 bad-template: the host of a URL takes no {{ }}"},
		{"https://x.example{{ entry.id }}/", URL, "17+14 bad-template: the host of a URL takes no {{ }}"},
		{"{{ entry.id }}", URL, "0+14 bad-template: the host of a URL takes no {{ }}"},
	} {
		_, err := d.Template(c.source, c.sink)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("Template(%q) = %v, want an *Error", c.source, err)
			continue
		}
		if got := fmt.Sprintf("%d+%d %s: %v", e.Offset, e.Length, e.Code, e); got != c.want {
			t.Errorf("Template(%q)\n  = %s\nwant %s", c.source, got, c.want)
		}
	}
}

// A39: what a template may print is bounded.
func TestAMessageIsBounded(t *testing.T) {
	s := scopeWith(t, `{"x":"`+strings.Repeat("a", 60_000)+`"}`)
	if got := rendered(t, New(Config{}), s, strings.Repeat("{{ entry.data.x }}", 5), Plain); !strings.HasPrefix(got, "error: the message grew beyond its bound") {
		t.Errorf("a message of 300,000 bytes prints %.60q", got)
	}
}

func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{"{{ entry.id }}", "{{ '}}' }}", "{{{{ }}}}", "{{ \"", "https://x/{{ entry.id }}?{{ event }}", "{{ {\"a\":1} }}", "}}", "{{ `}}` }}"} {
		f.Add(seed)
	}
	d := New(Config{})
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 500 {
			return
		}
		for _, sink := range []Sink{Plain, Slack, HTML, Header, URL} {
			template, err := d.Template(source, sink)
			if err != nil {
				continue
			}
			text, _, err := template.Render(scopeWith(t, `{"n":3,"t":"abc"}`))
			if fixed, ok := template.Fixed(); ok && (err != nil || fixed != text) {
				t.Errorf("the fixed template %q renders %q, %v", source, text, err)
			}
		}
	})
}
