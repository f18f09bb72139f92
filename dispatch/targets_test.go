package dispatch

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peanuts-router/peanuts-router/actions"
	"github.com/peanuts-router/peanuts-router/engine"
)

// dialing is how a target is reached, or is not.
type dialing func(ctx context.Context, network, address string) (net.Conn, error)

// unreachable fails to connect.
func unreachable(why error) dialing {
	return func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: why}
	}
}

// answering connects to a target in memory, which reads until the router waits and then does something.
func answering(do func(conn net.Conn)) dialing {
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			_ = far.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, _ = io.Copy(io.Discard, far)
			do(far)
		}()
		return near, nil
	}
}

// resetting is a connection that is cut while an answer is waited for.
type resetting struct{ net.Conn }

func (resetting) Read([]byte) (int, error) {
	return 0, &net.OpError{Op: "read", Err: syscall.ECONNRESET}
}

// failures are the ways in which a network and a target fail.
func failures() map[engine.ActionName]dialing {
	silent := answering(func(conn net.Conn) {
		_ = conn.SetReadDeadline(time.Time{})
		_, _ = io.Copy(io.Discard, conn) // until the router gives up
	})
	return map[engine.ActionName]dialing{
		"refused":       unreachable(syscall.ECONNREFUSED),
		"no-route":      unreachable(syscall.EHOSTUNREACH),
		"no-network":    unreachable(syscall.ENETUNREACH),
		"no-name":       unreachable(&net.DNSError{Err: "no such host", IsNotFound: true}),
		"name-server":   unreachable(&net.DNSError{Err: "server misbehaving", IsTemporary: true}),
		"slow-connect":  func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() },
		"never-answers": silent,
		"cut":           answering(func(net.Conn) {}),
		"cut-in-head":   answering(func(conn net.Conn) { _, _ = io.WriteString(conn, "HTTP/1.1 200 O") }),
		"no-http":       answering(func(conn net.Conn) { _, _ = io.WriteString(conn, "220 mail.example.com ESMTP\r\n") }),
		"reset": func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := silent(ctx, network, address)
			return resetting{conn}, err
		},
		"busy": answering(func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
		}),
	}
}

// settingsFor are an action of each kind that reaches its target over the network.
var settingsFor = map[engine.Kind]engine.Settings{
	engine.KindHTTP:  &engine.HTTPSettings{URL: engine.Fixed("http://target.example.com/"), Method: "POST"},
	engine.KindSlack: &engine.SlackSettings{Token: engine.NewSecret("x"), Channel: engine.Fixed("#a"), APIURL: "https://target.example.com/"},
	engine.KindEmail: &engine.EmailSettings{
		Host: "target.example.com", Port: 25, TLS: engine.TLSStartTLS, From: "router@example.com", To: []engine.Dynamic{engine.Fixed("ops@example.com")},
	},
}

// F25, C11: whatever the failure of the network, and whatever the kind of the action, attempts and gaps follow the plan to its end,
// over more than a day.
func TestEveryFailureOfTheNetworkIsTriedByThePlan(t *testing.T) {
	for kind, settings := range settingsFor {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				plan, store, routes := engine.RetryStandard(), newMemory(), new(table)
				owed := map[engine.ActionName]engine.DeliveryID{}
				for name, dial := range failures() {
					sender, err := actions.New(engine.Action{Name: name, Concurrency: 4, Settings: settings}, actions.Config{Dial: dial})
					if err != nil {
						t.Fatal(err)
					}
					defer sender.Close()
					routes.set(name, plan, sender.Send)
					routes.change(name, func(r *Route) { r.Kind = kind })
					owed[name] = store.owe(len(owed), name, time.Now())
					store.deliveries[owed[name]].Kind = kind
					store.deliveries[owed[name]].Message = []byte(`{"text":"hello","subject":"hello","body":"hello"}`)
				}
				_, stop := start(t, Config{Store: store, Routes: routes.get})
				store.await(len(owed))
				stop()
				for name, id := range owed {
					if err := followed(plan, store.of(id)); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
			})
		})
	}
}

// followed tells whether a delivery was tried by a plan to its end.
func followed(plan engine.RetryPlan, k kept) error {
	if k.state != engine.Dead || len(k.history) != plan.Limit() {
		return fmt.Errorf("%s after %d attempts, want dead after %d", k.state, len(k.history), plan.Limit())
	}
	for i, wait := range plan.Waits {
		before := k.history[i]
		if before.Took > 11*time.Second {
			return fmt.Errorf("attempt %d took %v of 10 s", i+1, before.Took)
		}
		gap := k.history[i+1].At.Sub(before.At.Add(before.Took))
		if gap < scaled(wait, 0.8) || gap > scaled(wait, 1.2)+time.Millisecond {
			return fmt.Errorf("attempt %d came %v after the one before, want %v ±20 %%", i+2, gap, wait)
		}
	}
	return nil
}

// F31, C12: whatever a target asks for in Retry-After, nothing is sent before: that is a lower bound with a cap, and what cannot be
// read bounds nothing.
func TestNothingIsSentBeforeWhatRetryAfterAsksFor(t *testing.T) {
	const most = time.Hour
	for name, c := range map[string]struct {
		asks func(now time.Time) string
		wait time.Duration // that this bounds; 0 leaves it to the plan
	}{
		"seconds":      {fixed("600"), 10 * time.Minute},
		"within plan":  {fixed("1"), 0},
		"a date":       {func(now time.Time) string { return now.Add(20 * time.Minute).UTC().Format(http.TimeFormat) }, 20*time.Minute - time.Second},
		"an old date":  {func(now time.Time) string { return now.Add(-time.Hour).UTC().Format(http.TimeFormat) }, 0},
		"huge":         {fixed("99999999999999999999"), most},
		"above cap":    {fixed("86400"), most},
		"a far date":   {fixed("Fri, 31 Dec 9999 23:59:59 GMT"), most},
		"negative":     {fixed("-1"), 0},
		"text":         {fixed("soon"), 0},
		"a fraction":   {fixed("600.5"), 0},
		"nothing":      {fixed(""), 0},
		"several ones": {fixed("600\r\nRetry-After: 1"), 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, began := newMemory(), time.Now()
				sender, err := actions.New(engine.Action{Concurrency: 4, Settings: settingsFor[engine.KindHTTP]}, actions.Config{Dial: answering(func(conn net.Conn) {
					status := "200 OK"
					if time.Since(began) < time.Second {
						status = "429 Too Many Requests\r\nRetry-After: " + c.asks(began)
					}
					fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", status)
				})})
				if err != nil {
					t.Fatal(err)
				}
				defer sender.Close()
				plan := engine.RetryPlan{Waits: []time.Duration{5 * time.Second}, Jitter: 0.2}
				for n := range 6 { // more than its hands: the pause is the action's
					store.deliveries[store.owe(n, "a", began)].Message = []byte(`{"body":"hello"}`)
				}
				_, stop := start(t, Config{Store: store, Routes: new(table).set("a", plan, sender.Send).get})
				store.await(6)
				stop()
				for id, k := range store.deliveries {
					last := k.history[len(k.history)-1].At.Sub(began)
					if least := max(c.wait, 4*time.Second); k.state != engine.Delivered || last > least+10*time.Second || last < least && (c.wait > 0 || len(k.history) > 1) {
						t.Errorf("%s is %s by attempt %d, %v after the first answers, which asked for %v", id, k.state, len(k.history), last, c.wait)
					}
				}
			})
		})
	}
}

func fixed(text string) func(time.Time) string { return func(time.Time) string { return text } }
