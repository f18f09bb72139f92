package actions

import (
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// spokenForever is a target that says something, and then the same without end.
func spokenForever(t *testing.T, beginning, forever string) (address string) {
	t.Helper()
	return answering(t, func(conn *net.TCPConn) {
		go io.Copy(io.Discard, conn) // ends with the connection
		_, err := io.WriteString(conn, beginning)
		for err == nil {
			_, err = io.WriteString(conn, forever)
		}
	})
}

// message is one that settings can send.
func message(settings engine.Settings) string {
	if _, sql := settings.(*engine.SQLSettings); sql {
		return fine
	}
	return hello
}

// F27: what a target says without end is read up to a limit, so that no attempt takes more memory or time than another.
func TestWhatIsSaidWithoutEndTakesNoMemory(t *testing.T) {
	const (
		attempts = 5
		ok       = "HTTP/1.1 200 OK\r\n\r\n"
	)
	long := strings.Repeat("x", 64<<10)
	many := func(text string) string { return strings.Repeat(text, 10_000) }
	bot := func(at string) engine.Settings {
		return &engine.SlackSettings{Token: engine.NewSecret("x"), Channel: engine.Fixed("#a"), APIURL: "http://" + at + "/"}
	}
	http := func(at string) engine.Settings { return toURL("http://" + at) }
	webhook := func(at string) engine.Settings {
		return &engine.SlackSettings{WebhookURL: engine.NewSecret("http://" + at)}
	}
	email := func(at string) engine.Settings {
		tcp, _ := net.ResolveTCPAddr("tcp", at)
		return &engine.EmailSettings{Host: "127.0.0.1", Port: tcp.Port, TLS: engine.TLSNone, From: "router@example.com", To: []engine.Dynamic{engine.Fixed("ops@example.com")}}
	}
	postgres := func(at string) engine.Settings { return new(settingsOf("postgres://u@" + at + "/db?sslmode=disable")) }
	for _, c := range []struct {
		name               string
		settings           func(at string) engine.Settings
		beginning, forever string
		want               engine.Verdict
		most               uint64 // bytes an attempt
	}{
		{"a body", http, ok, long, engine.VerdictDelivered, 8 << 20},
		{"a refusal", http, "HTTP/1.1 400 No\r\n\r\n", long, engine.VerdictDead, 8 << 20},
		{"a chunked body", http, "HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n", many("1\r\nx\r\n"), engine.VerdictRetry, 8 << 20},
		{"a chunk's extension", http, "HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n1;", long, engine.VerdictRetry, 8 << 20},
		{"a line of a head", http, "HTTP/1.1 200 OK\r\nX-Long: ", long, engine.VerdictRetry, 8 << 20},
		{"a head", http, "HTTP/1.1 200 OK\r\n", many("X-More: x\r\n"), engine.VerdictRetry, 8 << 20},
		{"informing answers", http, "", many("HTTP/1.1 103 Early Hints\r\n\r\n"), engine.VerdictRetry, 8 << 20},
		{"a webhook's body", webhook, ok, long, engine.VerdictDelivered, 8 << 20},
		{"a body of Slack's API", bot, ok, long, engine.VerdictRetry, 64 << 20},
		{"JSON of Slack's API", bot, ok + `{"ok":true,"x":[`, many("1,"), engine.VerdictRetry, 64 << 20},
		{"a refusal of Slack's API", bot, "HTTP/1.1 500 No\r\n\r\n", long, engine.VerdictRetry, 8 << 20},
		{"a greeting in one line", email, "220 ", long, engine.VerdictRetry, 8 << 20},
		{"a greeting in many lines", email, "", many("220-mail.example.com\r\n"), engine.VerdictRetry, 8 << 20},
		{"a message of PostgreSQL's", postgres, "R\x3f\xff\xff\xff", long, engine.VerdictRetry, 8 << 20},
		{"a list of extensions", email, "220 mail.example.com\r\n", many("250-X\r\n"), engine.VerdictRetry, 8 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := spokenForever(t, c.beginning, c.forever)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range attempts {
				if got := send(t, c.settings(at), Config{}, message(c.settings(at)), 10*time.Second); got.Verdict != c.want {
					t.Errorf("outcome %.200v, want %s", got, c.want)
				}
			}
			runtime.ReadMemStats(&after)
			each := (after.TotalAlloc - before.TotalAlloc) / attempts
			t.Logf("%d KiB an attempt", each>>10)
			if each > c.most {
				t.Errorf("an attempt takes %d KiB, want at most %d", each>>10, c.most>>10)
			}
		})
	}
}
