package actions

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// found is what a name server says of a name.
type found struct {
	ip     net.IP
	code   byte          // 0 is success, 2 SERVFAIL, 3 NXDOMAIN (RFC 1035, section 4.1.1)
	after  time.Duration // it takes its time
	silent bool
}

const (
	servFail = 2
	nxDomain = 3
)

// startNames starts a name server on loopback and returns what dials by it. It is asked for IPv4 and IPv6 of every name.
func startNames(t *testing.T, says func(name string) found) func(ctx context.Context, network, address string) (net.Conn, error) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		for {
			query := make([]byte, 1500)
			n, from, err := conn.ReadFrom(query)
			if err != nil {
				return
			}
			question, name, ipv4 := questionOf(query[:n])
			if f := says(name); !f.silent {
				time.AfterFunc(f.after, func() { conn.WriteTo(f.answer(query, question, ipv4), from) })
			}
		}
	}()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	return (&net.Dialer{Resolver: resolver}).DialContext
}

// questionOf finds the question of a query, its name, and whether it is about IPv4.
func questionOf(query []byte) (question []byte, name string, ipv4 bool) {
	at := 12
	var labels []string
	for query[at] != 0 {
		length := int(query[at])
		labels = append(labels, string(query[at+1:at+1+length]))
		at += 1 + length
	}
	return query[12 : at+5], strings.Join(labels, "."), binary.BigEndian.Uint16(query[at+1:]) == 1
}

// answer is a message with no or one address, which nobody may keep.
func (f found) answer(query, question []byte, ipv4 bool) []byte {
	answers := byte(0)
	var record []byte
	if f.code == 0 && ipv4 {
		answers = 1
		record = append([]byte{0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4}, f.ip.To4()...)
	}
	head := []byte{query[0], query[1], 0x81, 0x80 | f.code, 0, 1, 0, answers, 0, 0, 0, 0}
	return append(append(head, question...), record...)
}

// byName are the settings of each kind that looks a name up: each another name, for what is looked up for several attempts at once
// goes on after one of them.
func byName(domain string) map[string]engine.Settings {
	at := func(kind string) string { return "http://" + kind + "." + domain + ":1" }
	mail := &engine.EmailSettings{Host: "email." + domain, Port: 25, TLS: engine.TLSNone, From: "router@example.com", To: []engine.Dynamic{engine.Fixed("ops@example.com")}}
	return map[string]engine.Settings{
		"http": toURL(at("http")), "https": toURL(strings.Replace(at("https"), "http:", "https:", 1)), "email": mail,
		"bot":     &engine.SlackSettings{Token: engine.NewSecret("x"), Channel: engine.Fixed("#a"), APIURL: at("bot") + "/"},
		"webhook": &engine.SlackSettings{WebhookURL: engine.NewSecret(at("webhook"))},
	}
}

// F29, C11: whatever a name server does to an attempt, it ends in time and is tried again, for every kind of action.
func TestNamesThatCannotBeLookedUpAreTriedAgain(t *testing.T) {
	dial := startNames(t, func(name string) found {
		switch {
		case strings.HasSuffix(name, "fails.test"):
			return found{code: servFail}
		case strings.HasSuffix(name, "silent.test"):
			return found{silent: true}
		case strings.HasSuffix(name, "slow.test"):
			return found{ip: net.IPv4(127, 0, 0, 1), after: 10 * time.Second}
		}
		return found{code: nxDomain}
	})
	for domain, want := range map[string]string{"none.test.": "name not found", "fails.test.": "name not found", "silent.test.": "timeout", "slow.test.": "timeout"} {
		for kind, settings := range byName(domain) {
			t.Run(domain+" "+kind, func(t *testing.T) {
				t.Parallel()
				within := prompt
				if want == "timeout" {
					within = hanging
				}
				got := send(t, settings, Config{Dial: dial}, hello, within)
				if got.Verdict != engine.VerdictRetry || got.Status != want || strings.Contains(got.Reason, "test") {
					t.Errorf("outcome %+v, want a retry with status %q that names no name", got, want)
				}
			})
		}
	}
}

// F29: a name is looked up anew for each connection, so that a target which has moved is found.
func TestANameThatLeadsElsewhereIsFollowed(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }))
	defer target.Close()
	_, port, _ := net.SplitHostPort(target.Listener.Addr().String())
	var last atomic.Int32 // byte of the address
	dial := startNames(t, func(string) found { return found{ip: net.IPv4(127, 0, 0, byte(last.Load()))} })
	sender, err := New(engine.Action{Settings: toURL("http://moves.test.:" + port)}, Config{Dial: dial})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	for _, c := range []struct {
		last int32
		want string
	}{{2, "connection refused"}, {1, "200 OK"}, {3, "connection refused"}, {1, "200 OK"}} {
		last.Store(c.last)
		if got := sender.Send(t.Context(), shipment(`{}`)); got.Status != c.want {
			t.Errorf("with the name at 127.0.0.%d: outcome %+v, want %s", c.last, got, c.want)
		}
	}
}

// F29, C8: while names of other targets take ten seconds, or are never told, one that is told at once is called beside them: no call waits for
// their names.
func TestSlowNamesHoldUpNoOtherTarget(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close") // so that the name is looked up each time
		io.WriteString(w, "ok")
	}))
	defer target.Close()
	_, port, _ := net.SplitHostPort(target.Listener.Addr().String())
	dial := startNames(t, func(name string) found {
		return found{ip: net.IPv4(127, 0, 0, 1), silent: strings.HasPrefix(name, "slow")}
	})
	call := func(url string, n int) []time.Duration {
		sender, err := New(engine.Action{Concurrency: 8, Settings: toURL(url)}, Config{Dial: dial})
		if err != nil {
			t.Fatal(err)
		}
		defer sender.Close()
		var took []time.Duration
		for range n {
			began := time.Now()
			if got := sender.Send(t.Context(), shipment(`{}`)); got.Verdict != engine.VerdictDelivered {
				t.Fatalf("outcome %+v", got)
			}
			took = append(took, time.Since(began))
		}
		return took
	}
	alone, _ := p99(call("http://fine.test.:"+port, 300))

	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	for n := range 100 {
		waiting.Go(func() {
			slow, err := New(engine.Action{Settings: toURL(fmt.Sprintf("http://slow-%d.test.:%s", n, port))}, Config{Dial: dial})
			if err != nil {
				t.Error(err)
				return
			}
			defer slow.Close()
			if got := slow.Send(ctx, shipment(`{}`)); got.Verdict != engine.VerdictRetry {
				t.Errorf("outcome %+v", got)
			}
		})
	}
	beside, slowest := p99(call("http://fine.test.:"+port, 300))
	cancel()
	waiting.Wait()
	t.Logf("p99 of a call: %v alone, %v beside 100 attempts whose name is not told", alone, beside)
	if slowest > 4*time.Second { // a machine that others use too; who looks a name up gives up after 5 s
		t.Errorf("beside slow names a call takes %v, and %v alone (p99)", slowest, alone)
	}
}

func p99(took []time.Duration) (p99, slowest time.Duration) {
	slices.Sort(took)
	return took[len(took)*99/100], took[len(took)-1]
}
