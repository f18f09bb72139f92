package actions

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/peanuts-router/peanuts-router/engine"
)

// mailServer is an SMTP server that refuses where it is told to, and keeps what it got.
type mailServer struct {
	refuseAt string // mail, rcpt, data or auth
	refusal  *smtp.SMTPError
	hangAt   string
	ended    chan struct{}

	mu       sync.Mutex
	from     string
	to       []string
	text     string
	login    string
	secured  bool
	settings *engine.EmailSettings
	roots    *x509.CertPool
}

type mailSession struct {
	*mailServer
	conn *smtp.Conn
}

// startMailServer starts a server; security is what it offers.
func startMailServer(t *testing.T, security engine.TLSMode) *mailServer {
	t.Helper()
	m := &mailServer{ended: make(chan struct{}), roots: x509.NewCertPool()}
	authority, key := certificate(t, nil, nil, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign })
	m.roots.AddCert(authority)
	leaf, leafKey := certificate(t, authority, key, func(*x509.Certificate) {})
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: (*ecdsa.PrivateKey)(leafKey)}}}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &mailSession{m, c}, nil }))
	server.Domain, server.AllowInsecureAuth = "localhost", true
	server.ErrorLog = quietLog{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	switch security {
	case engine.TLSStartTLS:
		server.TLSConfig = config
	case engine.TLSImplicit:
		listener = tls.NewListener(listener, config)
	}
	go server.Serve(listener)
	t.Cleanup(func() { close(m.ended); server.Close(); listener.Close() }) // both: a server closed before it serves leaves its listener open
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	m.settings = &engine.EmailSettings{Host: "127.0.0.1", TLS: security, From: "Router <router@example.com>", To: []engine.Dynamic{engine.Fixed("ops@example.com")}}
	m.settings.Port, _ = strconv.Atoi(port)
	return m
}

type quietLog struct{}

func (quietLog) Printf(string, ...any) {}
func (quietLog) Println(...any)        {}

func (m *mailServer) stage(name string) error {
	if m.hangAt == name {
		<-m.ended
	}
	if m.refuseAt == name {
		return m.refusal
	}
	return nil
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.login = username + ":" + password
		return s.stage("auth")
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	_, secured := s.conn.TLSConnectionState()
	s.mu.Lock()
	s.from, s.secured, s.to = from, secured, nil
	s.mu.Unlock()
	return s.stage("mail")
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	s.to = append(s.to, to)
	s.mu.Unlock()
	return s.stage("rcpt")
}

func (s *mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.text = string(text)
	s.mu.Unlock()
	return s.stage("data")
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }

const hello = `{"subject":"Due soon: Renew ä","text":"It is due.\n.\nDot","html":"<b>due</b>"}`

// R46, C10: the mail arrives whole, over STARTTLS, implicit TLS or in clear as the settings say, by a stable Message-ID.
func TestMailArrivesWhole(t *testing.T) {
	for _, security := range []engine.TLSMode{engine.TLSStartTLS, engine.TLSImplicit, engine.TLSNone} {
		m := startMailServer(t, security)
		m.settings.Username, m.settings.Password = "router", engine.NewSecret("password") // 127.0.0.1 may be told in clear
		m.settings.CC = []engine.Dynamic{engine.Fixed("Boss <boss@example.com>")}
		config := Config{RootCAs: m.roots, UserAgent: "peanuts-router/1", Now: func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }}
		if got := send(t, m.settings, config, hello, 5*time.Second); got.Verdict != engine.VerdictDelivered {
			t.Errorf("%s: outcome %+v", security, got)
			continue
		}
		if m.secured != (security == engine.TLSStartTLS) && security != engine.TLSImplicit {
			t.Errorf("%s: the mail came over TLS: %v", security, m.secured)
		}
		if m.login != "router:password" {
			t.Errorf("%s: the server was told %q", security, m.login)
		}
		if m.from != "router@example.com" || fmt.Sprint(m.to) != "[ops@example.com boss@example.com]" {
			t.Errorf("%s: from %s to %v", security, m.from, m.to)
		}
		message, err := mail.ReadMessage(strings.NewReader(m.text))
		if err != nil {
			t.Fatalf("%s: %v\n%s", security, err, m.text)
		}
		subject, _ := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
		for name, want := range map[string]string{
			"Message-Id": "<0197-1@example.com>", "Auto-Submitted": "auto-generated", "User-Agent": "peanuts-router/1", "X-Mailer": "peanuts-router/1",
			"Date": "Mon, 23 Nov 2026 12:00:00 +0000", "To": "<ops@example.com>", "Cc": `"Boss" <boss@example.com>`,
		} {
			if got := message.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", security, name, got, want)
			}
		}
		if subject != "Due soon: Renew ä" {
			t.Errorf("%s: subject %q", security, subject)
		}
		if got, want := parts(t, message), "text/plain: It is due.\n.\nDot|text/html: <b>due</b>"; got != want {
			t.Errorf("%s: parts %q, want %q", security, got, want)
		}
	}
}

// parts are the parts of a mail, as text.
func parts(t *testing.T, message *mail.Message) string {
	t.Helper()
	media, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	read := func(media string, body io.Reader) string {
		text, err := io.ReadAll(quotedprintable.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return media + ": " + strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n"))
	}
	if media != "multipart/alternative" {
		return read(media, message.Body)
	}
	var all []string
	reader := multipart.NewReader(message.Body, params["boundary"])
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return strings.Join(all, "|")
		}
		if err != nil {
			t.Fatal(err)
		}
		media, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		all = append(all, read(media, part))
	}
}

func TestMailOfOnePart(t *testing.T) {
	m := startMailServer(t, engine.TLSNone)
	for message, want := range map[string]string{
		`{"subject":"s","text":"plain"}`: "text/plain: plain", `{"subject":"s","html":"<b>html</b>","to":["own@example.com"]}`: "text/html: <b>html</b>",
	} {
		if got := send(t, m.settings, Config{}, message, 5*time.Second); got.Verdict != engine.VerdictDelivered {
			t.Fatalf("%s: outcome %+v", message, got)
		}
		read, err := mail.ReadMessage(strings.NewReader(m.text))
		if err != nil {
			t.Fatal(err)
		}
		if got := parts(t, read); got != want {
			t.Errorf("%s arrives as %q, want %q", message, got, want)
		}
		if strings.Contains(message, "own@") && fmt.Sprint(m.to) != "[own@example.com]" {
			t.Errorf("to %v, want the step's own", m.to)
		}
	}
}

// C11: what a refusal means, at each stage. Credentials are never told (A34).
func TestWhatAMailServerRefuses(t *testing.T) {
	for _, c := range []struct {
		at      string
		code    int
		want    engine.Verdict
		refused bool
	}{
		{"auth", 535, engine.VerdictRetry, true}, {"auth", 454, engine.VerdictRetry, false},
		{"mail", 451, engine.VerdictRetry, false}, {"mail", 550, engine.VerdictDead, false}, {"mail", 530, engine.VerdictRetry, true},
		{"rcpt", 450, engine.VerdictRetry, false}, {"rcpt", 550, engine.VerdictDead, false},
		{"data", 452, engine.VerdictRetry, false}, {"data", 554, engine.VerdictDead, false},
	} {
		m := startMailServer(t, engine.TLSStartTLS)
		m.settings.Username, m.settings.Password = "router", engine.NewSecret("canary-password")
		m.refuseAt, m.refusal = c.at, &smtp.SMTPError{Code: c.code, EnhancedCode: smtp.EnhancedCode{c.code / 100, 1, 1}, Message: "no, not you"}
		got := send(t, m.settings, Config{RootCAs: m.roots}, hello, 5*time.Second)
		if got.Verdict != c.want || got.Refused != c.refused || !strings.HasPrefix(got.Status, strconv.Itoa(c.code)) {
			t.Errorf("%d at %s means %+v, want %s (refused %v)", c.code, c.at, got, c.want, c.refused)
		}
		if want := fmt.Sprintf("%d %d.1.1", c.code, c.code/100); got.Status != want || got.Answer != fmt.Sprintf(`%d "%d.1.1 no, not you"`, c.code, c.code/100) {
			t.Errorf("%d at %s is told as %q with answer %q", c.code, c.at, got.Status, got.Answer)
		}
		if m.login != "router:canary-password" {
			t.Errorf("the server was told %q", m.login)
		}
		if strings.Contains(fmt.Sprintf("%+v", got), "canary") {
			t.Errorf("the password is told: %+v", got)
		}
	}
}

// A45, F28: without STARTTLS nothing is sent, and no certificate is taken on trust.
func TestMailIsNotSentInClear(t *testing.T) {
	stripped := startMailServer(t, engine.TLSNone)
	stripped.settings.TLS = engine.TLSStartTLS
	stripped.settings.Username, stripped.settings.Password = "router", engine.NewSecret("canary")
	if got := send(t, stripped.settings, Config{}, hello, 5*time.Second); got.Verdict != engine.VerdictRetry || got.Status != "no STARTTLS" || stripped.login != "" || stripped.text != "" {
		t.Errorf("a server without STARTTLS: outcome %+v, login %q", got, stripped.login)
	}
	for _, security := range []engine.TLSMode{engine.TLSStartTLS, engine.TLSImplicit} {
		m := startMailServer(t, security)
		if got := send(t, m.settings, Config{RootCAs: x509.NewCertPool()}, hello, 5*time.Second); got.Verdict != engine.VerdictRetry || got.Status != "certificate" || m.text != "" {
			t.Errorf("%s with an unknown authority: outcome %+v", security, got)
		}
	}
}

// F25, F26: a mail server that refuses connections or hangs at any stage ends in time.
func TestAMailServerThatHangsEndsInTime(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, stage := range []string{"connect", "greeting", "mail", "rcpt", "data"} {
		m := startMailServer(t, engine.TLSNone)
		m.hangAt = stage
		want, within := "timeout", hanging
		switch stage {
		case "greeting":
			m.settings.Port = silent.Addr().(*net.TCPAddr).Port
		case "connect":
			m.settings.Port, want, within = 1, "connection refused", prompt
		}
		if got := send(t, m.settings, Config{}, hello, within); got.Verdict != engine.VerdictRetry || got.Status != want {
			t.Errorf("a server that hangs at %s: outcome %+v, want %s", stage, got, want)
		}
	}
}

// A30: what could add a header or a recipient dies; its like that could not is sent.
func TestHeaderInjectionDies(t *testing.T) {
	for message, dies := range map[string]bool{
		`{"subject":"a\r\nBcc: canary@example.com","text":"t"}`: true, `{"subject":"a\nb","text":"t"}`: true, `{"subject":"a\u2028b","text":"t"}`: true,
		`{"subject":"s","text":"t","to":["a@example.com\r\nRCPT TO:<canary@example.com>"]}`:      true,
		`{"subject":"s","text":"t","to":["nobody"]}`:                                             true,
		`{"subject":"s","text":"t","to":["a@example.com, canary@example.com"]}`:                  true,
		`{"subject":"Bcc: fine@example.com","text":"t\r\nBcc: fine","to":["Ä <a@example.com>"]}`: false,
	} {
		m := startMailServer(t, engine.TLSNone)
		got := send(t, m.settings, Config{}, message, 5*time.Second)
		if (got.Verdict == engine.VerdictDead) != dies || strings.Contains(fmt.Sprintf("%+v", got), "canary") {
			t.Errorf("%s: outcome %+v, dies %v", message, got, dies)
		}
		if dies && m.from != "" || len(m.to) > 1 {
			t.Errorf("%s: the server got mail from %q to %v", message, m.from, m.to)
		}
	}
}

// An attempt that is cut from outside lets go of its connection.
func TestACutAttemptEnds(t *testing.T) {
	m := startMailServer(t, engine.TLSNone)
	m.hangAt = "mail"
	sender, err := New(engine.Action{Settings: m.settings}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	done := make(chan engine.Outcome)
	go func() { done <- sender.Send(ctx, shipment(hello)) }()
	cancel()
	select {
	case got := <-done:
		if got.Verdict != engine.VerdictRetry {
			t.Errorf("outcome %+v", got)
		}
	case <-time.After(prompt): // by itself it would end after a minute
		t.Error("the attempt went on")
	}
}
