package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// fill logs some entries of this month and the one before, one of which ends as a dead letter.
func fill(t *testing.T, r *router) (now time.Time) {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now = time.Now().In(berlin)
	first := time.Date(now.Year(), now.Month(), 1, 12, 0, 0, 0, berlin)
	at := func(days int) string { return first.AddDate(0, 0, days).UTC().Format(time.RFC3339) }
	r.log(t, "entry.created", "/expenses", "entry-1", at(0), map[string]any{"amount": 612.5, "category": "Travel"})
	r.log(t, "entry.created", "/expenses", "entry-2", at(0), map[string]any{"amount": 12.4, "category": "Food"})
	r.log(t, "entry.created", "/expenses", "entry-3", at(0), map[string]any{"amount": "n/a", "category": "Food"})
	r.log(t, "entry.created", "/expenses", "entry-4", at(-3), map[string]any{"amount": 7, "category": "Food"})
	r.metric(t, `peanuts_router_deliveries{state="dead"} 1`)
	return first
}

// R73: a person loads the page over real events and clicks through.
func TestAPersonLooksAndClicksThrough(t *testing.T) {
	b := open(t, 1000, 900)
	r := start(t)
	month := fill(t, r)
	b.run(chromedp.Navigate(r.admin+"/"), chromedp.WaitVisible(".chart[data-drawn] canvas", chromedp.ByQuery))
	if got, want := b.text("h1"), month.Format("January 2006"); got != want {
		t.Errorf("the heading is %q, want %q", got, want)
	}
	if got := strings.Fields(b.text(".figures")); strings.Join(got, " ") != "total 624.90 count 2 average 312.45" {
		t.Errorf("the figures are %q", got)
	}
	if got := strings.Join(strings.Fields(b.text(".groups tbody")), " "); got != "Travel 612.50 1 Food 12.40 1" {
		t.Errorf("the groups are %q", got)
	}
	widths := eval[[]float64](b, `[...document.querySelectorAll(".bar rect")].map(e => e.getBoundingClientRect().width)`)
	if len(widths) != 2 || widths[0] < 100 || widths[1] > widths[0]/20 {
		t.Errorf("the bars are %v wide, want a long one and a short one", widths)
	}
	if drawn := eval[int](b, colouredPixels); drawn < 100 {
		t.Errorf("the chart has %d coloured pixels, want a bar", drawn)
	}
	if got := b.text("#dead-letters"); !strings.Contains(got, "high-expense → nobody") || !strings.Contains(got, "gave up after 1 attempt") {
		t.Errorf("the dead letters are %q", got)
	}

	if eval[bool](b, `document.querySelector("#events details:last-of-type ul").checkVisibility()`) {
		t.Error("the deliveries of an event are to be seen before they are asked for")
	}
	b.run(chromedp.Click("#events details:last-of-type summary", chromedp.ByQuery))
	if got := b.text("#events details:last-of-type ul"); !strings.Contains(got, "high-expense → nobody (http) dead") {
		t.Errorf("the event became %q", got)
	}

	b.run(chromedp.Click(`a[rel=prev]`, chromedp.ByQuery), chromedp.WaitVisible(`a[rel=next]`, chromedp.ByQuery))
	if got, want := b.text("h1"), month.AddDate(0, -1, 0).Format("January 2006"); got != want {
		t.Errorf("the month before is %q, want %q", got, want)
	}
	if got := strings.Join(strings.Fields(b.text(".figures")), " "); got != "total 7.00 count 1 average 7.00" {
		t.Errorf("the figures of the month before are %q", got)
	}
	b.run(chromedp.Click(`a[rel=next]`, chromedp.ByQuery), chromedp.WaitNotPresent(`a[rel=next]`, chromedp.ByQuery))
	if got, want := b.text("h1"), month.Format("January 2006"); got != want {
		t.Errorf("back in %q, want %q", got, want)
	}
	b.quiet()
}

// colouredPixels counts the pixels of the chart that have the accent's hue.
const colouredPixels = `(() => {
	const canvas = document.querySelector(".chart canvas");
	const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
	let n = 0;
	for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200 && data[i] - data[i + 2] > 60) n++;
	return n;
})()`

// R73: on a phone nothing is wider than the screen, in the dark nothing is bright, and without scripts all of it is there.
func TestThePageOnAPhoneInTheDarkAndWithoutScripts(t *testing.T) {
	b := open(t, 360, 740)
	r := start(t)
	fill(t, r)
	r.log(t, "entry.created", "/"+strings.Repeat("long", 30), strings.Repeat("id", 60), "2026-11-01T00:00:00Z", nil)
	b.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}),
		chromedp.Navigate(r.admin+"/"), chromedp.WaitVisible(".chart[data-drawn] canvas", chromedp.ByQuery))
	if wide := eval[int](b, `document.documentElement.scrollWidth`); wide > 360 {
		t.Errorf("the page is %d pixels wide on a screen of 360", wide)
	}
	var ground, ink [3]int
	scan := func(property string, into *[3]int) {
		text := eval[string](b, fmt.Sprintf(`getComputedStyle(document.body).%s`, property))
		if _, err := fmt.Sscanf(text, "rgb(%d, %d, %d)", &into[0], &into[1], &into[2]); err != nil {
			t.Fatalf("%s is %q", property, text)
		}
	}
	scan("backgroundColor", &ground)
	scan("color", &ink)
	if ground[0] > 60 || ink[0] < 180 {
		t.Errorf("in the dark the ground is %v and the ink %v", ground, ink)
	}
	b.quiet()

	b.run(emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(r.admin+"/"))
	for selector, want := range map[string]string{".figures": "624.90", ".groups": "Travel", "#dead-letters": "high-expense", "#events": "entry-1"} {
		if got := b.text(selector); !strings.Contains(got, want) {
			t.Errorf("without scripts %s reads %q, want %q in it", selector, got, want)
		}
	}
}

// A23: nothing that an event says ever runs, wherever in the event it stands.
func TestNothingAnEventSaysRuns(t *testing.T) {
	attacks := []string{
		`<script>window.pwned=1</script>`, `<img src=x onerror="window.pwned=1">`, `"><svg onload=window.pwned=1>`, `' autofocus onfocus='window.pwned=1`,
		`</title><script>window.pwned=1</script>`, `</script><script>window.pwned=1</script>`, `javascript:window.pwned=1`,
		`<iframe srcdoc="<script>parent.pwned=1</script>">`, `<style>*{display:none}</style>`, `<base href="http://127.0.0.1:9/">`,
		`<meta http-equiv=refresh content="0;url=javascript:window.pwned=1">`, `<details open ontoggle=window.pwned=1>`, "`${window.pwned=1}`",
		`&lt;script&gt;window.pwned=1&lt;/script&gt;`, `<form action="javascript:window.pwned=1"><button>x`, `<math><a xlink:href="javascript:window.pwned=1">x`,
	}
	b := open(t, 1000, 900)
	r := start(t)
	now := time.Now().UTC().Format(time.RFC3339)
	title := ""
	for i, attack := range attacks {
		r.log(t, attack, attack, fmt.Sprint("name ", i), now, nil)
		r.log(t, "entry.created", attack, attack, now, map[string]any{"amount": i + 1, "category": attack})
		r.log(t, "entry.created", "/costs", attack+"-cost", now, map[string]any{"cost": i + 1, "currency": attack})
		r.log(t, "entry.created", "/costs", attack+"-unread", now, map[string]any{"cost": attack, "currency": "EUR"})
		b.run(chromedp.Navigate(r.admin+"/"), chromedp.WaitVisible(".chart[data-drawn] canvas", chromedp.ByQuery))
		if i == 0 {
			title = eval[string](b, `document.title`)
		}
		if eval[bool](b, `"pwned" in window`) || eval[string](b, `document.title`) != title {
			t.Fatalf("%s ran", attack)
		}
		if n := eval[int](b, `document.querySelectorAll("main script, main img, main iframe, main style, main form, main math, base, meta[http-equiv]").length`); n != 0 {
			t.Errorf("%s became %d elements of the page", attack, n)
		}
		if !strings.Contains(b.text("main"), attack) {
			t.Errorf("%s is not shown as it is", attack)
		}
	}
	b.quiet()
}
