package actions

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
)

const event = `{"event":"entry.created","helper":{"command":"/expenses"},"entry":{"id":"entry 1/2","data":{"amount":612.50}},"user":{"id":"u"}}`

// shipment is an attempt at a message.
func shipment(message string) engine.Shipment {
	s := engine.Shipment{N: 1}
	s.ID, s.Event, s.Rule, s.Message, s.Body = "0197-1", "0197", "high-expense", []byte(message), []byte(event)
	return s
}

const (
	// prompt is how long an attempt may take whose target lets it end sooner, on a machine that is busy.
	prompt = 20 * time.Second
	// hanging is how long an attempt takes whose target does not let it end: enough to hear what it says before.
	hanging = time.Second
)

// send makes one attempt with a sender of the settings, within a time.
func send(t *testing.T, settings engine.Settings, config Config, message string, within time.Duration) engine.Outcome {
	t.Helper()
	sender, err := New(engine.Action{Name: "test", Concurrency: 2, Settings: settings}, config)
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	began := time.Now()
	outcome := sender.Send(ctx, shipment(message))
	if took := time.Since(began); took > within+5*time.Second { // 1 s on a machine of one's own
		t.Errorf("the attempt took %v, with %v allowed (F27)", took, within)
	}
	return outcome
}

func toURL(url string) *engine.HTTPSettings {
	return &engine.HTTPSettings{URL: engine.Fixed(url), Method: http.MethodPost}
}

// C11, F32: what each status means. Redirects are never followed (A19).
func TestWhatEachStatusMeans(t *testing.T) {
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer canary.Close()
	status := 200
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", canary.URL)
		w.WriteHeader(status)
		if status != 204 && status != 304 {
			io.WriteString(w, "the answer")
		}
	}))
	defer target.Close()
	sender, err := New(engine.Action{Settings: toURL(target.URL)}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	for status = 200; status < 600; status++ {
		want := engine.VerdictDead
		switch {
		case status < 300:
			want = engine.VerdictDelivered
		case status == 401 || status == 403 || status == 408 || status == 425 || status == 429 || status >= 500:
			want = engine.VerdictRetry
		}
		got := sender.Send(context.Background(), shipment(`{}`))
		if got.Verdict != want || got.Refused != (status == 401 || status == 403) || got.Gone != (status == 410) {
			t.Errorf("status %d means %+v, want %s", status, got, want)
		}
		if !strings.HasPrefix(got.Status, fmt.Sprint(status)) {
			t.Errorf("status %d is told as %q", status, got.Status)
		}
		if delivered := got.Verdict == engine.VerdictDelivered; delivered != (got.Reason == "") || delivered && got.Answer != "" {
			t.Errorf("status %d has reason %q and answer %q", status, got.Reason, got.Answer)
		}
	}
}

// C12, F31: Retry-After in seconds or as a date; what is negative, past or unreadable is ignored.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"120": 2 * time.Minute, "0": 0, "-5": 0, "soon": 0, "": 0, "1.5": 0, " 7 ": 7 * time.Second,
		"Mon, 23 Nov 2026 12:05:00 GMT": 5 * time.Minute, "Mon, 23 Nov 2026 11:00:00 GMT": 0, "Mon Nov 23 12:01:00 2026": time.Minute,
		"99999999999999": longestWait, "99999999999999999999999": longestWait, "+5": 0, "-99999999999999999999999": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("retryAfter(%q) = %v, want %v", value, got, want)
		}
	}
}

// R47, C10: method, URL, headers and body as the action and the step say, with the delivery's key.
func TestWhatAnHTTPActionSends(t *testing.T) {
	var got *http.Request
	var body string
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got, body = r, string(text)
	}))
	defer target.Close()
	for _, c := range []struct{ method, message, wantBody, wantType string }{
		{"POST", `{"json":{"amount":612.50,"x":"<"}}`, `{"amount":612.50,"x":"<"}`, "application/json"},
		{"PUT", `{"body":"hello"}`, "hello", "text/plain; charset=utf-8"},
		{"POST", `{"body":""}`, "", "text/plain; charset=utf-8"},
		{"POST", `{}`, event, "application/json"},
		{"POST", `{"body":"a,b","headers":{"Content-Type":"text/csv"}}`, "a,b", "text/csv"},
		{"GET", `{"json":{}}`, "", ""},
	} {
		settings := &engine.HTTPSettings{URL: engine.Fixed(target.URL + "/hooks/a%2Fb?q=1"), Method: c.method, Headers: map[string]engine.Dynamic{
			"Authorization": engine.Fixed("Bearer token"), "X-Both": engine.Fixed("action"),
		}}
		message := strings.Replace(c.message, `"headers":{`, `"headers":{"X-Both":"step",`, 1)
		if outcome := send(t, settings, Config{UserAgent: "peanuts-router/1"}, message, 5*time.Second); outcome.Verdict != engine.VerdictDelivered {
			t.Fatalf("%s %s: %+v", c.method, c.message, outcome)
		}
		if got.Method != c.method || got.URL.RequestURI() != "/hooks/a%2Fb?q=1" || body != c.wantBody || got.Header.Get("Content-Type") != c.wantType {
			t.Errorf("%s %s arrived as %s %s %q of type %q", c.method, c.message, got.Method, got.URL.RequestURI(), body, got.Header.Get("Content-Type"))
		}
		if got.Header.Get("Idempotency-Key") != "0197-1" || got.Header.Get("Authorization") != "Bearer token" || got.Header.Get("User-Agent") != "peanuts-router/1" {
			t.Errorf("%s %s arrived with headers %v", c.method, c.message, got.Header)
		}
		if want := map[bool]string{true: "step", false: "action"}[strings.Contains(message, "X-Both")]; got.Header.Get("X-Both") != want {
			t.Errorf("X-Both is %q, want %q: the step stands over the action", got.Header.Get("X-Both"), want)
		}
	}
}

// F25-F27, F29, F30, F47: targets that refuse, hang, drip, cut, or answer too much. Each attempt ends in time.
func TestTargetsThatMisbehave(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
	for _, c := range []struct {
		name, url  string
		within     time.Duration
		want       engine.Verdict
		wantStatus string
	}{
		{"refuses connections", "http://" + closed.Addr().String(), prompt, engine.VerdictRetry, "connection refused"},
		{"never answers", rawTarget(t, func(_ *net.TCPConn, ended <-chan struct{}) { <-ended }), hanging, engine.VerdictRetry, "timeout"},
		{"cuts before an answer", rawTarget(t, func(*net.TCPConn, <-chan struct{}) {}), prompt, engine.VerdictRetry, "no answer"},
		{"cuts within the head", rawTarget(t, func(c *net.TCPConn, _ <-chan struct{}) { io.WriteString(c, head[:20]) }), prompt, engine.VerdictRetry, "no answer"},
		{"cuts within the body of a 200", rawTarget(t, func(c *net.TCPConn, _ <-chan struct{}) { io.WriteString(c, head+"abc") }), prompt, engine.VerdictDelivered, "200 OK"},
		{"hangs within the body of a 200", rawTarget(t, func(c *net.TCPConn, ended <-chan struct{}) { io.WriteString(c, head+"abc"); <-ended }), hanging, engine.VerdictDelivered, "200 OK"},
		{"hangs within the body of a 500", rawTarget(t, func(c *net.TCPConn, ended <-chan struct{}) {
			io.WriteString(c, strings.Replace(head, "200 OK", "500 Oh", 1)+"abc")
			<-ended
		}), hanging, engine.VerdictRetry, "500 Internal Server Error"},
		{"speaks no HTTP", rawTarget(t, func(c *net.TCPConn, _ <-chan struct{}) { io.WriteString(c, "220 mail.example.com ESMTP\r\n") }), prompt, engine.VerdictRetry, "no answer"},
		{"has no name", "http://nothing.invalid/", prompt, engine.VerdictRetry, "name not found"},
		{"sends a body without end", rawTarget(t, func(c *net.TCPConn, _ <-chan struct{}) {
			io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
			for {
				if _, err := c.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}), prompt, engine.VerdictDead, "400 Bad Request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := send(t, toURL(c.url), Config{}, `{}`, c.within)
			if got.Verdict != c.want || got.Status != c.wantStatus {
				t.Errorf("outcome %+v, want %s with status %q", got, c.want, c.wantStatus)
			}
			if len(got.Answer) > engine.AnswerLimit || strings.ContainsRune(got.Answer, 0) {
				t.Errorf("kept %d bytes of the answer", len(got.Answer))
			}
		})
	}
}

// F28: certificates are verified, and what is wrong with one is told; TLS that hangs ends in time. No request reaches a target whose
// certificate is bad.
func TestBadCertificatesAreNotAccepted(t *testing.T) {
	authority, key := certificate(t, nil, nil, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign })
	trusted := x509.NewCertPool()
	trusted.AddCert(authority)
	var accepted atomic.Int64
	serveBy := func(parent *x509.Certificate, parentKey *ecdsa.PrivateKey, change func(*x509.Certificate), versions ...uint16) string {
		leaf, leafKey := certificate(t, parent, parentKey, change)
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { accepted.Add(1) }))
		server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: leafKey}}}
		if parent != nil && parent != authority {
			server.TLS.Certificates[0].Certificate = append(server.TLS.Certificates[0].Certificate, parent.Raw)
		}
		if versions != nil {
			server.TLS.MinVersion, server.TLS.MaxVersion = versions[0], versions[0]
		}
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		return server.URL
	}
	serve := func(change func(*x509.Certificate)) string { return serveBy(authority, key, change) }
	noAuthority, noKey := certificate(t, authority, key, func(*x509.Certificate) {})
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer plain.Close()
	good := serve(func(*x509.Certificate) {})
	for _, c := range []struct {
		name, url, status string
		roots             *x509.CertPool
	}{
		{"sound", good, "200 OK", trusted},
		{"of an unknown authority", good, "certificate", x509.NewCertPool()},
		{"expired", serve(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }), "certificate", trusted},
		{"not yet valid", serve(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }), "certificate", trusted},
		{"for another name", serve(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"other.example"} }), "certificate", trusted},
		{"signed by itself", serveBy(nil, nil, func(*x509.Certificate) {}), "certificate", trusted},
		{"signed by one that is no authority", serveBy(noAuthority, noKey, func(*x509.Certificate) {}), "certificate", trusted},
		{"for clients", serve(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), "certificate", trusted},
		{"of TLS 1.1", serveBy(authority, key, func(*x509.Certificate) {}, tls.VersionTLS11), "TLS", trusted},
		{"TLS that hangs", "https://" + silent.Addr().String(), "timeout", trusted},
		{"no TLS at all", strings.Replace(plain.URL, "http:", "https:", 1), "not TLS", trusted},
	} {
		within := prompt
		if c.status == "timeout" {
			within = hanging
		}
		got := send(t, toURL(c.url), Config{RootCAs: c.roots}, `{}`, within)
		if got.Status != c.status || c.status != "200 OK" && got.Verdict != engine.VerdictRetry {
			t.Errorf("%s: outcome %+v, want status %q", c.name, got, c.status)
		}
	}
	if n := accepted.Load(); n != 1 {
		t.Errorf("%d requests reached a target, want that of the sound certificate", n)
	}
}

// certificate makes a certificate for 127.0.0.1, signed by its parent or by itself.
func certificate(t *testing.T, parent *x509.Certificate, parentKey *ecdsa.PrivateKey, change func(*x509.Certificate)) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames: []string{"localhost"},
	}
	change(c)
	if parent == nil {
		parent, parentKey = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made, key
}

// A19, A34: a proxy of the environment is not used, and no outcome names a URL or what was sent.
func TestNoOutcomeTellsAURLOrAHeader(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:9")
	for _, url := range []string{"http://nothing.invalid/canary-path?canary=1", "http://127.0.0.1:1/canary", "http://[::1]:99999/canary", "https://127.0.0.1:1/canary"} {
		settings := toURL(url)
		settings.Headers = map[string]engine.Dynamic{"Authorization": engine.Fixed("Bearer canary-token")}
		got := send(t, settings, Config{}, `{"body":"canary body"}`, time.Second)
		if strings.Contains(fmt.Sprintf("%+v", got), "canary") || got.Verdict == engine.VerdictDelivered {
			t.Errorf("%s gives %+v", url, got)
		}
	}
}

// What is kept of an answer fits a database and a terminal.
func TestWhatIsKeptOfAnAnswer(t *testing.T) {
	for answer, want := range map[string]string{
		"short": "short", "a\x00b": "ab", "a\xffb": "ab",
		strings.Repeat("ä", 4000): strings.Repeat("ä", engine.AnswerLimit/2), "x" + strings.Repeat("ä", 4000): "x" + strings.Repeat("ä", engine.AnswerLimit/2-1),
	} {
		if diff := cmp.Diff(want, keep(answer)); diff != "" {
			t.Errorf("keep(%.20q) (-want +got):\n%s", answer, diff)
		}
	}
}
