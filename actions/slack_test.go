package actions

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

const slackToken = "xoxb-canary-token"

// slackStandIn speaks Slack's API: it answers as told and keeps what it got.
type slackStandIn struct {
	*httptest.Server
	status int
	header http.Header
	answer string
	path   string
	body   string
}

func newSlackStandIn(t *testing.T) *slackStandIn {
	s := &slackStandIn{status: 200, header: http.Header{}, answer: `{"ok":true,"channel":"C1","ts":"1.1"}`}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.path, s.body = r.URL.Path, string(body)
		for name, values := range s.header {
			w.Header()[name] = values
		}
		w.WriteHeader(s.status)
		io.WriteString(w, s.answer)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *slackStandIn) asBot() *engine.SlackSettings {
	return &engine.SlackSettings{Token: engine.NewSecret(slackToken), Channel: engine.Fixed("#finance"), APIURL: s.URL + "/api/"}
}

func (s *slackStandIn) asWebhook() *engine.SlackSettings {
	return &engine.SlackSettings{WebhookURL: engine.NewSecret(s.URL + "/services/T0/B0/canary-token")}
}

// R40, C10, A31: the message arrives as it was rendered, escaped once, blocks without loss, with the delivery's key.
func TestWhatABotPosts(t *testing.T) {
	s := newSlackStandIn(t)
	message := `{"text":"a &lt;!channel&gt; &amp; <!here>","blocks":[{"type":"brand_new","text":{"type":"mrkdwn","text":"x","unknown":1}}]}`
	if got := send(t, s.asBot(), Config{}, message, 5*time.Second); got.Verdict != engine.VerdictDelivered || got.Status != "200 OK" {
		t.Fatalf("outcome %+v", got)
	}
	form, err := url.ParseQuery(s.body)
	if err != nil {
		t.Fatal(err)
	}
	if s.path != "/api/chat.postMessage" || form.Get("channel") != "#finance" || form.Get("token") != slackToken {
		t.Errorf("posted to %s with channel %q", s.path, form.Get("channel"))
	}
	if got, want := form.Get("text"), "a &lt;!channel&gt; &amp; <!here>"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	var blocks []map[string]any
	if err := json.Unmarshal([]byte(form.Get("blocks")), &blocks); err != nil || fmt.Sprint(blocks) != "[map[text:map[text:x type:mrkdwn unknown:1] type:brand_new]]" {
		t.Errorf("blocks %s (%v)", form.Get("blocks"), err)
	}
	if !strings.Contains(form.Get("metadata"), `"key":"0197-1"`) {
		t.Errorf("metadata %s, want the key", form.Get("metadata"))
	}
	send(t, s.asBot(), Config{}, `{"channel":"#own","text":"hi"}`, 5*time.Second)
	if form, _ = url.ParseQuery(s.body); form.Get("channel") != "#own" {
		t.Errorf("channel %q, want the step's own", form.Get("channel"))
	}
	send(t, s.asBot(), Config{}, `{"text":"`+strings.Repeat("ä", 50_000)+`"}`, 5*time.Second)
	if form, _ = url.ParseQuery(s.body); len([]rune(form.Get("text"))) != maxSlackText || !strings.HasSuffix(form.Get("text"), "ä…") {
		t.Errorf("a text of 50,000 characters arrives with %d", len([]rune(form.Get("text"))))
	}
}

func TestWhatAWebhookPosts(t *testing.T) {
	s := newSlackStandIn(t)
	s.answer = "ok"
	if got := send(t, s.asWebhook(), Config{}, `{"text":"hi &lt;","blocks":[{"type":"divider","x":1}]}`, 5*time.Second); got.Verdict != engine.VerdictDelivered {
		t.Fatalf("outcome %+v", got)
	}
	var post struct {
		Text     string
		Blocks   []map[string]any
		Metadata struct {
			Type    string         `json:"event_type"`
			Payload map[string]any `json:"event_payload"`
		}
	}
	if err := json.Unmarshal([]byte(s.body), &post); err != nil || post.Text != "hi &lt;" || fmt.Sprint(post.Blocks) != "[map[type:divider x:1]]" || s.path != "/services/T0/B0/canary-token" {
		t.Errorf("posted %s to %s (%v)", s.body, s.path, err)
	}
	if got, want := fmt.Sprint(post.Metadata), "{peanuts_router_delivery map[event_id:0197 key:0197-1 rule:high-expense]}"; got != want {
		t.Errorf("metadata %s, want %s", got, want)
	}
}

// A success of Slack's comes with the whole message, escaped: one of the longest is a delivery still, and not repeated.
func TestALongAnswerOfSlackIsADelivery(t *testing.T) {
	s := newSlackStandIn(t)
	s.answer = `{"ok":true,"channel":"C1","ts":"1.1","message":{"text":"` + strings.Repeat(`\ud83d\udea8`, maxSlackText) + `"}}`
	if got := send(t, s.asBot(), Config{}, `{"text":"long"}`, 5*time.Second); got.Verdict != engine.VerdictDelivered {
		t.Errorf("an answer of %d bytes is %.300v", len(s.answer), got)
	}
}

// F26, F27, F30: what of Slack's answer is there decides, and an answer that hangs is a time-out.
func TestAnAnswerOfSlackThatBreaksOff(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + `{"ok":tr`
	cut := rawTarget(t, func(c *net.TCPConn, _ <-chan struct{}) { io.WriteString(c, answer) })
	stuck := rawTarget(t, func(c *net.TCPConn, ended <-chan struct{}) { io.WriteString(c, answer); <-ended })
	for _, c := range []struct {
		name, api, status string
		within            time.Duration
	}{{"cut", cut, "200 OK", prompt}, {"hanging", stuck, "timeout", hanging}, {"refusing", "http://127.0.0.1:1", "connection refused", prompt}} {
		settings := &engine.SlackSettings{Token: engine.NewSecret(slackToken), Channel: engine.Fixed("#a"), APIURL: c.api + "/"}
		got := send(t, settings, Config{}, `{"text":"hi"}`, c.within)
		if got.Verdict != engine.VerdictRetry || got.Status != c.status || strings.Contains(fmt.Sprintf("%+v", got), "canary") {
			t.Errorf("%s: outcome %+v, want a retry with status %q", c.name, got, c.status)
		}
	}
}

// A31: a text is cut between characters, and one that fits is not.
func TestATextIsCutBetweenCharacters(t *testing.T) {
	for _, c := range []string{"a", "ä", "🚨"} {
		fits := strings.Repeat(c, maxSlackText)
		if got := cutText(fits); got != fits {
			t.Errorf("cutText changed a text of %d times %s", maxSlackText, c)
		}
		if got, want := cutText(fits+c), strings.Repeat(c, maxSlackText-1)+"…"; got != want {
			t.Errorf("cutText made %d bytes of one %s too many, want %d", len(got), c, len(want))
		}
	}
}

// C11, C12: what each answer of Slack means; the token and the webhook's URL are never told (A34).
func TestWhatSlackAnswers(t *testing.T) {
	for _, c := range []struct {
		name    string
		webhook bool
		status  int
		header  http.Header
		answer  string
		want    engine.Outcome
	}{
		{name: "rate limited", status: 429, header: http.Header{"Retry-After": {"30"}}, answer: "slow down",
			want: engine.Outcome{Verdict: engine.VerdictRetry, Status: "429 Too Many Requests", RetryAfter: 30 * time.Second}},
		{name: "rate limited without a header", status: 429, want: engine.Outcome{Verdict: engine.VerdictRetry, Status: "429 Too Many Requests"}},
		{name: "rate limited in the body", answer: `{"ok":false,"error":"ratelimited"}`, want: engine.Outcome{Verdict: engine.VerdictRetry, Status: "ratelimited"}},
		{name: "down", status: 503, want: engine.Outcome{Verdict: engine.VerdictRetry, Status: "503 Service Unavailable"}},
		{name: "HTML", answer: "<html>", want: engine.Outcome{Verdict: engine.VerdictRetry, Status: "200 OK"}},
		{name: "internal", answer: `{"ok":false,"error":"internal_error"}`, want: engine.Outcome{Verdict: engine.VerdictRetry, Status: "internal_error"}},
		{name: "a code of tomorrow", answer: `{"ok":false,"error":"never_heard_of"}`, want: engine.Outcome{Verdict: engine.VerdictRetry, Status: "never_heard_of"}},
		{name: "no code at all", answer: `{"ok":false,"error":"Some Text!"}`, want: engine.Outcome{Verdict: engine.VerdictRetry, Status: "error"}},
		{name: "bad token", answer: `{"ok":false,"error":"invalid_auth"}`, want: engine.Outcome{Verdict: engine.VerdictRetry, Status: "invalid_auth", Refused: true}},
		{name: "revoked", answer: `{"ok":false,"error":"token_revoked"}`, want: engine.Outcome{Verdict: engine.VerdictRetry, Status: "token_revoked", Refused: true}},
		{name: "scope", answer: `{"ok":false,"error":"missing_scope","needed":"chat:write"}`, want: engine.Outcome{Verdict: engine.VerdictRetry, Status: "missing_scope", Refused: true}},
		{name: "channel", answer: `{"ok":false,"error":"channel_not_found"}`, want: engine.Outcome{Verdict: engine.VerdictDead, Status: "channel_not_found"}},
		{name: "not in channel", answer: `{"ok":false,"error":"not_in_channel"}`, want: engine.Outcome{Verdict: engine.VerdictDead, Status: "not_in_channel"}},
		{name: "archived", answer: `{"ok":false,"error":"is_archived"}`, want: engine.Outcome{Verdict: engine.VerdictDead, Status: "is_archived"}},
		{name: "blocks", answer: `{"ok":false,"error":"invalid_blocks"}`, want: engine.Outcome{Verdict: engine.VerdictDead, Status: "invalid_blocks"}},
		{name: "too long", answer: `{"ok":false,"error":"msg_too_long"}`, want: engine.Outcome{Verdict: engine.VerdictDead, Status: "msg_too_long"}},
		{name: "webhook removed", webhook: true, status: 404, answer: "no_service", want: engine.Outcome{Verdict: engine.VerdictDead, Status: "no_service"}},
		{name: "webhook archived", webhook: true, status: 410, answer: "channel_is_archived", want: engine.Outcome{Verdict: engine.VerdictDead, Status: "channel_is_archived", Gone: true}},
		{name: "webhook payload", webhook: true, status: 400, answer: "invalid_payload", want: engine.Outcome{Verdict: engine.VerdictDead, Status: "invalid_payload"}},
		{name: "webhook token", webhook: true, status: 403, answer: "invalid_token", want: engine.Outcome{Verdict: engine.VerdictRetry, Status: "invalid_token", Refused: true}},
		{name: "webhook rate limited", webhook: true, status: 429, header: http.Header{"Retry-After": {"7"}}, want: engine.Outcome{Verdict: engine.VerdictRetry, Status: "429 Too Many Requests", RetryAfter: 7 * time.Second}},
		{name: "webhook down", webhook: true, status: 502, answer: "<html>", want: engine.Outcome{Verdict: engine.VerdictRetry, Status: "502 Bad Gateway"}},
		{name: "a webhook's page of somebody in between", webhook: true, answer: "\n<!doctype html>", want: engine.Outcome{Verdict: engine.VerdictRetry, Status: "200 OK"}},
		{name: "webhook moved", webhook: true, status: 302, header: http.Header{"Location": {"http://127.0.0.1:1/"}}, want: engine.Outcome{Verdict: engine.VerdictDead, Status: "302 Found"}},
	} {
		s := newSlackStandIn(t)
		s.answer = c.answer
		if c.status != 0 {
			s.status = c.status
		}
		if c.header != nil {
			s.header = c.header
		}
		settings := s.asBot()
		if c.webhook {
			settings = s.asWebhook()
		}
		got := send(t, settings, Config{}, `{"text":"hi"}`, 5*time.Second)
		if got.Verdict != c.want.Verdict || got.Status != c.want.Status || got.Refused != c.want.Refused || got.Gone != c.want.Gone || got.RetryAfter != c.want.RetryAfter {
			t.Errorf("%s: outcome %+v, want %+v", c.name, got, c.want)
		}
		if got.Reason == "" || got.Answer != c.answer {
			t.Errorf("%s: reason %q, answer %q; want a reason and the answer %q", c.name, got.Reason, got.Answer, c.answer)
		}
		if strings.Contains(fmt.Sprintf("%+v", got), "canary") {
			t.Errorf("%s: a secret is told: %+v", c.name, got)
		}
	}
}

// A34: an error on the way to a webhook does not tell its URL, which is the secret.
func TestAWebhooksURLIsNotTold(t *testing.T) {
	for _, webhook := range []string{"http://127.0.0.1:1/services/canary-token", "https://nothing.invalid/services/canary-token"} {
		got := send(t, &engine.SlackSettings{WebhookURL: engine.NewSecret(webhook)}, Config{}, `{"text":"hi"}`, time.Second)
		if got.Verdict != engine.VerdictRetry || strings.Contains(fmt.Sprintf("%+v", got), "canary") {
			t.Errorf("outcome %+v", got)
		}
	}
}
