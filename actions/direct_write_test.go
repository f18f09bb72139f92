package actions

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
)

// What we write of a request says the same as what net/http writes, of usual requests and others; and nothing in it ends its line
// (A32).
func TestRequestsAreWrittenAsNetHTTPDoes(t *testing.T) {
	for _, c := range []struct{ method, url, body string }{
		{http.MethodPost, "http://target.example/hooks/in", `{"a":1}`},
		{http.MethodPost, "http://target.example:8080/a%20b/%E4?q=%0d%0aX:1&x=ä", strings.Repeat("ä", 10_000)},
		{http.MethodPost, "http://[::1]:8080", "six"},
		{http.MethodPost, "http://bücher.example/", "punycode"},
		{http.MethodPost, "http://UPPER.example?", "no path"},
		{http.MethodPost, "http://target.example", ""},
		{http.MethodDelete, "http://target.example/1", ""},
		{http.MethodPut, "http://target.example/1#part", "part"},
		{http.MethodGet, "http://target.example/1", ""},
		{http.MethodHead, "http://target.example/1", ""},
	} {
		for _, header := range []http.Header{
			{"User-Agent": {"us"}, "Idempotency-Key": {"k"}},
			{"User-Agent": {"us"}, "X-A": {"Käse", "b\r\nX-Injected: canary"}, "X-Not A Name": {"dropped"}},
			{"User-Agent": {"us"}, "Host": {"other.example"}, "Content-Length": {"1"}, "Transfer-Encoding": {"chunked"}, "Trailer": {"X"}},
			{},
			{"User-Agent": {""}},
		} {
			request := func() *http.Request {
				r, err := http.NewRequest(c.method, c.url, nil)
				if err != nil {
					t.Fatal(err)
				}
				if c.method != http.MethodGet && c.method != http.MethodHead {
					setBody(r, c.body)
				}
				r.Header = header
				return r
			}
			var theirs, ours bytes.Buffer
			out := bufio.NewWriter(&ours)
			if err := writeRequest(out, request()); err != nil {
				t.Fatal(err)
			}
			if err := request().Write(&theirs); err != nil {
				t.Fatal(err)
			}
			out.Flush()
			if diff := cmp.Diff(heard(t, &theirs), heard(t, &ours)); diff != "" {
				t.Errorf("%s %s with %v (-net/http +ours):\n%s", c.method, c.url, header, diff)
			}
		}
	}
}

// heard is what a target hears of one request.
func heard(t *testing.T, text *bytes.Buffer) (said map[string]any) {
	t.Helper()
	in := bufio.NewReader(text)
	r, err := http.ReadRequest(in)
	if err != nil {
		t.Fatalf("the request %.300q: %v", text.String(), err)
	}
	body, err := io.ReadAll(r.Body)
	rest, _ := io.ReadAll(in)
	return map[string]any{
		"line": r.Method + " " + r.RequestURI + " " + r.Proto, "host": r.Host, "header": r.Header, "encoding": r.TransferEncoding,
		"length": r.ContentLength, "body": string(body), "err": err, "rest": string(rest),
	}
}

// A URL may name a user, whom a header overrides.
func TestAURLThatNamesAUser(t *testing.T) {
	var got string
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") }))
	defer target.Close()
	settings := toURL(strings.Replace(target.URL, "http://", "http://me:p%40ss@", 1))
	for want, headers := range map[string]map[string]engine.Dynamic{
		"Basic bWU6cEBzcw==": nil,
		"Bearer x":           {"Authorization": engine.Fixed("Bearer x")},
	} {
		settings.Headers = headers
		if outcome := send(t, settings, Config{}, `{}`, 5*time.Second); outcome.Verdict != engine.VerdictDelivered || got != want {
			t.Errorf("with the headers %v the target heard Authorization %q, want %q (%+v)", headers, got, want, outcome)
		}
	}
}

// A19: a redirect is final wherever it leads, also to what is no address.
func TestARedirectToNowhere(t *testing.T) {
	for _, location := range []string{"", "://", "http://[", "%zz"} {
		target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusFound)
		}))
		got := send(t, toURL(target.URL), Config{}, `{}`, 5*time.Second)
		target.Close()
		if got.Verdict != engine.VerdictDead || got.Status != "302 Found" {
			t.Errorf("a redirect to %q: %+v, want a dead letter", location, got)
		}
	}
}
