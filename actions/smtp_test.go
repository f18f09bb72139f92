package actions

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/peanuts-router/peanuts-router/engine"
)

// spokenMail is an SMTP server that answers each command with its line, and closes the connection where there is none.
// It returns the settings that reach it, and the commands it was told.
func spokenMail(t *testing.T, answers map[string]string) (*engine.EmailSettings, <-chan []string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	told := make(chan []string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		var commands []string
		defer func() { conn.Close(); told <- commands }()
		lines := bufio.NewScanner(conn)
		for verb := "greeting"; ; {
			answer, ok := answers[verb]
			if !ok {
				return
			}
			fmt.Fprintf(conn, "%s\r\n", answer)
			inData := verb == "DATA" && strings.HasPrefix(answer, "354")
			for lines.Scan() && inData && lines.Text() != "." {
			}
			line := lines.Text()
			if verb, _, _ = strings.Cut(line, " "); verb == "" {
				return
			}
			commands = append(commands, line)
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	settings := &engine.EmailSettings{Host: "127.0.0.1", TLS: engine.TLSNone, From: "router@example.com", To: []engine.Dynamic{engine.Fixed("ops@example.com")}}
	settings.Port, _ = strconv.Atoi(port)
	return settings, told
}

// dialogue is what a server that takes mail says, with some answers changed; "-" takes one away.
func dialogue(changes ...string) map[string]string {
	answers := map[string]string{
		"greeting": "220 mail.example.com ESMTP", "EHLO": "250 mail.example.com", "MAIL": "250 ok", "RCPT": "250 ok",
		"DATA": "354 go on", ".": "250 2.0.0 queued", "RSET": "250 ok", "QUIT": "221 bye",
	}
	for i := 0; i < len(changes); i += 2 {
		answers[changes[i]] = changes[i+1]
		if changes[i+1] == "-" {
			delete(answers, changes[i])
		}
	}
	return answers
}

// F30, C10: once the server has taken the mail it is delivered, whatever happens on the way out; before, it is not.
func TestAMailIsDeliveredOnceItIsTaken(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers map[string]string
		want    engine.Verdict
		status  string // empty where it depends on how the end of the connection is seen
	}{
		{"all is well", dialogue(), engine.VerdictDelivered, "250 OK"},
		{"cut after it is taken", dialogue("RSET", "-"), engine.VerdictDelivered, "250 OK"},
		{"a refusal after it is taken", dialogue("RSET", "550 no"), engine.VerdictDelivered, "250 OK"},
		{"cut at the end", dialogue("QUIT", "-"), engine.VerdictDelivered, "250 OK"},
		{"a refusal at the end", dialogue("QUIT", "421 in a hurry"), engine.VerdictDelivered, "250 OK"},
		{"cut before it is taken", dialogue(".", "-"), engine.VerdictRetry, ""},
		{"cut within the mail", dialogue("DATA", "-"), engine.VerdictRetry, ""},
		{"cut at a recipient", dialogue("RCPT", "-"), engine.VerdictRetry, ""},
		{"cut at the sender", dialogue("MAIL", "-"), engine.VerdictRetry, ""},
		{"cut at the start", dialogue("EHLO", "-"), engine.VerdictRetry, ""},
		{"no greeting", map[string]string{}, engine.VerdictRetry, ""},
		{"too busy to greet", dialogue("greeting", "421 4.3.2 busy"), engine.VerdictRetry, "421 4.3.2"},
		{"does not serve us today", dialogue("greeting", "554 not you"), engine.VerdictRetry, "554"},
		{"no mail server", dialogue("greeting", "HTTP/1.1 400 Bad Request"), engine.VerdictRetry, ""},
		{"the refusal of a recipient and a cut", dialogue("RCPT", "550 5.1.1 nobody", "RSET", "-"), engine.VerdictDead, "550 5.1.1"},
		{"a refusal after the text", dialogue(".", "554 5.7.1 spam"), engine.VerdictDead, "554 5.7.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings, _ := spokenMail(t, c.answers)
			if got := send(t, settings, Config{}, hello, 5*time.Second); got.Verdict != c.want || c.status != "" && got.Status != c.status {
				t.Errorf("outcome %+v, want %s with status %q", got, c.want, c.status)
			}
		})
	}
}

// C11: where one recipient is refused, nobody gets the mail, and the outcome names nobody.
func TestARefusedRecipientStopsTheMail(t *testing.T) {
	m := startMailServer(t, engine.TLSNone)
	m.settings.CC = []engine.Dynamic{engine.Fixed("canary@example.com")}
	m.refuseAt, m.refusal = "rcpt", &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "nobody"}
	got := send(t, m.settings, Config{}, hello, 5*time.Second)
	if got.Verdict != engine.VerdictDead || m.text != "" || strings.Contains(fmt.Sprintf("%+v", got), "canary") {
		t.Errorf("outcome %+v; the server got %q", got, m.text)
	}
}

// A45: a password is told in clear to this machine only, and a server that takes no login is told none.
func TestAPasswordIsNotToldInClear(t *testing.T) {
	for _, c := range []struct {
		name, host, auth string
	}{
		// An address that is not known to mean this machine, although it does.
		{"in clear to another machine", "0.0.0.0", "250-mail.example.com\r\n250 AUTH PLAIN LOGIN"},
		{"no login offered", "127.0.0.1", "250 mail.example.com"},
		{"a login that is not known", "127.0.0.1", "250-mail.example.com\r\n250 AUTH X-CANARY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings, told := spokenMail(t, dialogue("EHLO", c.auth))
			settings.Username, settings.Password = "router", engine.NewSecret("canary")
			settings.Host = c.host
			got := send(t, settings, Config{}, hello, 5*time.Second)
			if got.Verdict != engine.VerdictRetry || got.Status != "no login" || !got.Refused {
				t.Errorf("outcome %+v, want a retry without login that is said loudly", got)
			}
			if commands := strings.Join(<-told, "|"); strings.Contains(commands, "AUTH") || strings.Contains(commands, "MAIL") {
				t.Errorf("the server was told %q", commands)
			}
		})
	}
}

// C10: the same delivery has the same Message-ID at each attempt, whatever else changed.
func TestTheMessageIDStays(t *testing.T) {
	m := startMailServer(t, engine.TLSNone)
	sender, err := New(engine.Action{Settings: m.settings}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	for n := range 3 {
		s := shipment(`{"subject":"s","text":"t"}`)
		s.N = n + 1
		if got := sender.Send(t.Context(), s); got.Verdict != engine.VerdictDelivered {
			t.Fatalf("attempt %d: outcome %+v", s.N, got)
		}
		if !strings.Contains(m.text, "Message-ID: <0197-1@example.com>\r\n") {
			t.Errorf("attempt %d: %s", s.N, m.text)
		}
	}
}

// C21: a mail to nobody can never be sent.
func TestAMailToNobodyDies(t *testing.T) {
	settings := &engine.EmailSettings{Host: "127.0.0.1", Port: 1, TLS: engine.TLSNone, From: "a@example.com"}
	if got := send(t, settings, Config{}, hello, time.Second); got.Verdict != engine.VerdictDead || !strings.Contains(got.Reason, "no recipient") {
		t.Errorf("outcome %+v, want dead for want of a recipient", got)
	}
}
