package receiver

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/smtp"
	"net/textproto"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
)

// start starts a receiver that answers as told, and returns it with its calls.
func start(t *testing.T, answer Answer) (*Receiver, <-chan Call) {
	t.Helper()
	calls := make(chan Call, 10)
	r, err := Start(Config{OnCall: func(c Call) { calls <- c }, Answer: func(Call) Answer { return answer }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return r, calls
}

// post sends a request whose Host is what its sender meant, and returns status and body of the answer.
func post(t *testing.T, r *Receiver, host, path, body string, header http.Header) (int, string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, "http://"+r.HTTP+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Host, request.Close = host, true
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// What is caught over HTTP is shown as what it was meant to be, with the key it goes by.
func TestACallIsWhatItWasMeantToBe(t *testing.T) {
	r, calls := start(t, Answer{})
	form := url.Values{
		"channel": {"#finance"}, "text": {"hi &lt;"}, "blocks": {`[{"type":"divider"}]`},
		"metadata": {`{"event_type":"x","event_payload":{"key":"k-1"}}`},
	}.Encode()
	key := http.Header{"Idempotency-Key": {"k-2"}, "X-Diverted-Scheme": {"https"}}
	for _, c := range []struct {
		host, path, body string
		header           http.Header
		want             Call
	}{
		{"slack.com", "/api/chat.postMessage", form, nil,
			Call{Kind: engine.KindSlack, Key: "k-1", Channel: "#finance", Text: "hi &lt;", Blocks: `[{"type":"divider"}]`}},
		{"hooks.slack.com", "/services/T/B/x", `{"text":"hook","blocks":[{"type":"divider"}],"metadata":{"event_payload":{"key":"k-3"}}}`, nil,
			Call{Kind: engine.KindSlack, Key: "k-3", Text: "hook", Blocks: `[{"type":"divider"}]`}},
		{"127.0.0.1:1", "/services/T/B/x", `{"text":"a stand-in's"}`, nil, Call{Kind: engine.KindSlack, Text: "a stand-in's"}},
		{"slack.com", "/api/chat.postMessage", "%%%", nil, Call{Kind: engine.KindSlack}},
		{"hooks.slack.com", "/services/T/B/x", "{", nil, Call{Kind: engine.KindSlack}},
		{"ledger.example.com", "/services/a%2Fb?x=1", "body", key,
			Call{Kind: engine.KindHTTP, Key: "k-2", Method: "POST", URL: "https://ledger.example.com/services/a%2Fb?x=1", Body: "body"}},
		{"ledger.example.com:8080", "/", "", nil, Call{Kind: engine.KindHTTP, Method: "POST", URL: "http://ledger.example.com:8080/"}},
	} {
		status, _ := post(t, r, c.host, c.path, c.body, c.header)
		if status != http.StatusOK {
			t.Errorf("%s%s answers %d, want 200", c.host, c.path, status)
		}
		got := <-calls
		if got.Header.Get("X-Diverted-Scheme") != "" {
			t.Errorf("%s%s shows the diversion's own header", c.host, c.path)
		}
		got.Header = nil
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s%s (-want +got):\n%s", c.host, c.path, diff)
		}
	}
}

func TestAnAnswerIsGivenAsTold(t *testing.T) {
	r, _ := start(t, Answer{Status: 429, Header: http.Header{"Retry-After": {"7"}}, Body: "slow down"})
	if status, body := post(t, r, "example.com", "/", "", nil); status != 429 || body != "slow down" {
		t.Errorf("answer %d %q, want 429 and the told body", status, body)
	}
	r, _ = start(t, Answer{Status: 452, Body: "too much mail"})
	err := sendMail(r, "Subject: x\r\n\r\nx")
	if refusal, ok := err.(*textproto.Error); !ok || refusal.Code != 452 {
		t.Errorf("mail is answered with %v, want 452", err)
	}
}

func sendMail(r *Receiver, text string) error {
	return smtp.SendMail(r.SMTP, nil, "router@example.com", []string{"a@example.com", "b@example.com"}, []byte(text))
}

// Mail is shown as people would read it, however it was encoded.
func TestAMailIsShownAsItReads(t *testing.T) {
	var parts bytes.Buffer
	writer := multipart.NewWriter(&parts)
	for media, text := range map[string]string{"text/plain; charset=utf-8": "k=C3=A4se=\r\n!", "text/html": "<b>=3D</b>"} {
		part, err := writer.CreatePart(textproto.MIMEHeader{"Content-Type": {media}, "Content-Transfer-Encoding": {"quoted-printable"}})
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(part, text)
	}
	writer.Close()
	r, calls := start(t, Answer{})
	for text, want := range map[string]Call{
		"Subject: plain\r\nMessage-ID: <k-1@example.com>\r\n\r\nhello\r\n..dot\r\n": {Subject: "plain", Key: "k-1", Text: "hello\n..dot\n"},
		"Subject: =?utf-8?q?K=C3=A4se?=\r\nContent-Type: multipart/alternative; boundary=" + writer.Boundary() + "\r\n\r\n" + parts.String(): {
			Subject: "Käse", Text: "käse!", HTML: "<b>=</b>"},
		"Subject: b\r\nContent-Transfer-Encoding: BASE64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte("käse")): {Subject: "b", Text: "käse"},
		"Subject: h\r\nContent-Type: text/html\r\n\r\n<i>":                                                            {Subject: "h", HTML: "<i>"},
	} {
		if err := sendMail(r, text); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		got := <-calls
		want.Kind, want.From, want.To = engine.KindEmail, "router@example.com", []string{"a@example.com", "b@example.com"}
		got.Text, want.Text = strings.TrimRight(got.Text, "\n"), strings.TrimRight(want.Text, "\n")
		got.HTML = strings.TrimRight(got.HTML, "\n")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	if err := sendMail(r, "no header at all"); err == nil {
		t.Error("a text without a header was taken as mail")
	}
}

// A receiver can be reached from this machine only.
func TestAReceiverListensOnLoopbackOnly(t *testing.T) {
	r, _ := start(t, Answer{})
	for _, address := range []string{r.HTTP, r.SMTP} {
		host, _, err := net.SplitHostPort(address)
		if err != nil || !net.ParseIP(host).IsLoopback() {
			t.Errorf("it listens on %s (%v), want loopback", address, err)
		}
	}
}
