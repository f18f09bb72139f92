package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// recordOf shows a store as cmd does.
type recordOf struct{ *store.Store }

func (r recordOf) Newest(ctx context.Context, n int) ([]engine.EventRecord, error) {
	events, _, err := r.Events(ctx, store.Page{Limit: n})
	return events, err
}

func (r recordOf) DeadLetters(ctx context.Context, n int) ([]engine.Delivery, int, error) {
	dead, _, err := r.Deliveries(ctx, store.Filter{State: engine.Dead}, store.Page{Limit: n})
	return dead, len(dead), err
}

// openPage serves the page over a real store and a real door.
func openPage(t *testing.T, judge func(*Config)) (*door, func(path string) answer) {
	t.Helper()
	s, rules := openTotalsStore(t)
	d := openDoor(t, func(c *Config) {
		c.Store, c.Judge = s, rules
		if judge != nil {
			judge(c)
		}
	})
	admin, client := openAdmin(t, AdminConfig{Stats: s, Record: recordOf{s}, Now: endOfNovember})
	return d, func(path string) answer { return ask(t, admin, client, http.MethodGet, path) }
}

// words is what of a page a person reads, with single spaces.
func words(page string) string {
	text := regexp.MustCompile(`(?s)<head>.*</head>|<[^>]*>`).ReplaceAllString(page, " ")
	return strings.Join(strings.Fields(text), " ")
}

// R73: a person sees how the month stands, what came and what became of it.
func TestThePageShowsTheMonthAndTheRecord(t *testing.T) {
	d, get := openPage(t, nil)
	d.enter(t, "entry.created", "/expenses", "e1", "2026-11-23T10:00:00Z", "u1", `{"amount":1200.50,"category":"Travel"}`)
	d.enter(t, "entry.created", "/expenses", "e2", "2026-11-24T10:00:00Z", "u1", `{"amount":"0.2"}`)
	d.enter(t, "entry.created", "/expenses", "e3", "2026-11-24T10:00:00Z", "u2", `{"amount":"n/a"}`)
	d.enter(t, "entry.created", "/costs", "c1", "2026-11-24T10:00:00Z", "u1", `{"amount":5,"currency":"EUR"}`)
	d.enter(t, "entry.created", "/costs", "c2", "2026-11-24T10:00:00Z", "u1", `{"amount":6,"currency":"USD"}`)
	for path, want := range map[string][]string{
		"/?month=2026-11": {
			"expenses total 1,200.70 count 2 average 600.35", "2026-11-23 1,200.50 2026-11-24 0.20", "Travel 1,200.50 1 (none) 0.20 1",
			"expenses leaves out 1 entry whose value is no number: e3", "costs · EUR total 5.00 count 1", "costs · USD total 6.00 count 1",
			"entry.created /costs c2 no rule fired", "Dead letters None",
		},
		"/":               {"December 2026", "Nothing was logged in December 2026.", "entry.created /costs c2"}, // it is December in Berlin
		"/?month=2026-10": {"October 2026", "total 0.00 count 0 average –"},
	} {
		got := get(path)
		text := words(got.text)
		for _, part := range want {
			if got.status != http.StatusOK || !strings.Contains(text, part) {
				t.Errorf("%s: %d, without %q:\n%s", path, got.status, part, text)
			}
		}
	}
	for path, want := range map[string]bool{"/": false, "/?month=2026-11": true} {
		if got := strings.Contains(get(path).text, `rel="next"`); got != want {
			t.Errorf("%s has a link to the month after: %t, want %t", path, got, want)
		}
	}
}

func TestThePageOfDeadLettersTellsWhyAndWhatToDo(t *testing.T) {
	d, get := openPage(t, func(c *Config) { c.Judge = judgeFunc(owing) })
	d.enter(t, "entry.created", "/x", "e1", "2026-11-23T10:00:00Z", "u", `{}`)
	got := get("/")
	text := words(got.text)
	for _, want := range []string{"Dead letters 1", "peanuts-router dead-letters show", "dead", "pending"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q:\n%s", want, text)
		}
	}
}

// A23: whatever stands in an event is shown as text.
func TestThePageEscapesWhateverAnEventSays(t *testing.T) {
	d, get := openPage(t, nil)
	for i, attack := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'onmouseover='alert(1)`, `</title><svg onload=alert(1)>`,
		`javascript:alert(1)`, `<!--`, `{{ .Month }}`, "\u2028<b>", `<iframe srcdoc='<script>alert(1)</script>'>`,
	} {
		data := fmt.Sprintf(`{"amount":%d,"category":%q,"currency":%q}`, i+1, attack, attack)
		d.enter(t, attack, "/expenses", attack, "2026-11-23T10:00:00Z", attack, data)
		d.enter(t, "entry.created", "/costs", attack, "2026-11-23T10:00:00Z", attack, data)
		d.enter(t, "entry.created", attack, attack+"2", "2026-11-23T10:00:00Z", attack, data)
	}
	page := get("/?month=2026-11")
	if page.status != http.StatusOK || strings.Count(page.text, "alert(1)") < 20 {
		t.Fatalf("%d: nothing was planted:\n%s", page.status, page.text)
	}
	for _, open := range regexp.MustCompile(`<(/?[a-zA-Z!][^\s>]*)[^>]*>`).FindAllStringSubmatch(page.text, -1) {
		switch strings.ToLower(open[1]) {
		case "img", "iframe", "b2", "!--":
			t.Errorf("the page has the element %s", open[0])
		}
		if strings.Contains(open[0], "alert(1)") && !strings.Contains(open[0], "data-") && !strings.Contains(open[0], "aria-label") {
			t.Errorf("an attack stands in the tag %s", open[0])
		}
	}
	if n := strings.Count(page.text, "<script"); n != 2 {
		t.Errorf("the page has %d scripts, want its own 2", n)
	}
}

func TestThePageIsGuardedByItsHeaders(t *testing.T) { // A23, A25
	_, get := openPage(t, nil)
	page := get("/")
	policy := page.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q has no %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
		if got := page.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if m := regexp.MustCompile(`(?i)\s(style|on\w+)=|<style|<script>`).FindString(page.text); m != "" {
		t.Errorf("the page has %q inline", m)
	}
}

// Everything that the page asks for is served, with its type, and may be kept for good.
func TestThePageBringsItsFiles(t *testing.T) {
	_, get := openPage(t, nil)
	files := regexp.MustCompile(`(?:href|src)="(/assets/[^"]+)"`).FindAllStringSubmatch(get("/").text, -1)
	if len(files) != 5 {
		t.Fatalf("the page asks for %d files, want 5", len(files))
	}
	types := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	for _, file := range files {
		got := get(file[1])
		name, _, _ := strings.Cut(file[1], "?")
		if got.status != http.StatusOK || got.header.Get("Content-Type") != types[path.Ext(name)] || !strings.Contains(got.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %s, %s", file[1], got.status, got.header.Get("Content-Type"), got.header.Get("Cache-Control"))
		}
		if old := get(name + "?v=older"); old.status != http.StatusOK || old.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s of another version: %d, %s", name, old.status, old.header.Get("Cache-Control"))
		}
	}
	for _, path := range []string{"/assets/", "/assets/page.html", "/assets/../page.html", "/assets/%2e%2e/page.go", "/page.html", "/index.html"} {
		if got := get(path); got.status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, got.status)
		}
	}
}

func TestAPageThatCannotBeMadeSaysWhy(t *testing.T) {
	_, get := openPage(t, nil)
	for _, month := range []string{"november", "2026-13", "2026-1", "%00"} {
		if got := get("/?month=" + month); got.status != http.StatusBadRequest || !strings.Contains(got.text, "month=2026-11") {
			t.Errorf("month %s: %d %s", month, got.status, got.text)
		}
	}
	s := openStore(t)
	for name, c := range map[string]AdminConfig{
		"stats":  {Stats: brokenStats{heads: []engine.StatHead{{Name: "expenses"}}}, Record: recordOf{s}},
		"record": {Stats: s, Record: brokenRecord{}},
	} {
		admin, client := openAdmin(t, c)
		got := ask(t, admin, client, http.MethodGet, "/")
		if got.status != http.StatusServiceUnavailable || strings.Contains(got.text, "secret") {
			t.Errorf("without its %s: %d %s, want 503 without the store's own words", name, got.status, got.text)
		}
	}
}

// All groups that there ever were are not added up to show those of one month (R73).
func TestThePageAsksForItsMonthAlone(t *testing.T) {
	s, _ := openTotalsStore(t)
	asked := &askedStats{Store: s}
	admin, client := openAdmin(t, AdminConfig{Stats: asked, Record: recordOf{s}, Now: endOfNovember})
	ask(t, admin, client, http.MethodGet, "/?month=2026-11")
	if len(asked.filters) == 0 {
		t.Error("the page asked for no report")
	}
	for _, filter := range asked.filters {
		if want := (engine.StatFilter{Month: "2026-11", MonthAlone: true}); filter != want {
			t.Errorf("the page asked for %+v, want %+v", filter, want)
		}
	}
}

// askedStats note which reports are asked for.
type askedStats struct {
	*store.Store
	filters []engine.StatFilter
}

func (a *askedStats) Report(ctx context.Context, name engine.StatName, filter engine.StatFilter) (engine.StatReport, error) {
	a.filters = append(a.filters, filter)
	return a.Store.Report(ctx, name, filter)
}

type brokenRecord struct{}

func (brokenRecord) Newest(context.Context, int) ([]engine.EventRecord, error) {
	return nil, errSecretPath
}
func (brokenRecord) DeadLetters(context.Context, int) ([]engine.Delivery, int, error) {
	return nil, 0, errSecretPath
}

// Files of other projects are in NOTICE, and are what it says.
func TestTheNoticeIsTrue(t *testing.T) {
	notice, err := os.ReadFile("../NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	listed := regexp.MustCompile(`(?m)^(server/\S+) .*\n\s+sha256 ([0-9a-f]{64})$`).FindAllStringSubmatch(string(notice), -1)
	if len(listed) != 2 {
		t.Fatalf("NOTICE lists %d files, want 2", len(listed))
	}
	for _, file := range listed {
		content, err := os.ReadFile("../" + file[1])
		digest := sha256.Sum256(content)
		if err != nil || hex.EncodeToString(digest[:]) != file[2] {
			t.Errorf("%s is not what NOTICE says: %v", file[1], err)
		}
	}
}

// endOfNovember is a moment that is December in Berlin already.
func endOfNovember() time.Time { return time.Date(2026, 11, 30, 23, 30, 0, 0, time.UTC) }
