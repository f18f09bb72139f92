package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "correct horse battery staple"

// door is a public server on a port of its own, with what stands behind it in reach.
type door struct {
	*Server
	store   *memory
	log     *journal
	metrics *prometheus.Registry
	client  *http.Client
}

// openDoor serves until the test ends, and then sees Run return.
func openDoor(t *testing.T, change ...func(*Config)) *door {
	t.Helper()
	verifier, err := peanuts.NewVerifier(secret)
	if err != nil {
		t.Fatalf("NewVerifier: %v", err)
	}
	d := &door{store: newMemory(), log: &journal{}, metrics: prometheus.NewRegistry()}
	c := Config{
		Listener: listen(t, "127.0.0.1:0"), Verifier: verifier, Judge: judgeFunc(nothingOwed), Store: d.store, Metrics: d.metrics,
		Log: slog.New(slog.NewJSONHandler(d.log, nil)),
	}
	for _, f := range change {
		f(&c)
	}
	if d.Server, err = New(c); err != nil {
		t.Fatalf("New: %v", err)
	}
	run(t, d.Server)
	// Made last, since it has to let go of its connections first.
	d.client = newClient(t)
	return d
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("listening on %s: %v", address, err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func newClient(t *testing.T) *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func run(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func (d *door) url(path string) string { return "http://" + d.Addr().String() + path }

// answer is what came back, with what every problem has.
type answer struct {
	status int
	header http.Header
	text   string
}

func (a answer) problem(t *testing.T) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(a.text), &p); err != nil {
		t.Fatalf("answer %d %q is no problem: %v", a.status, a.text, err)
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type of problem %q is %q, want application/problem+json", a.text, got)
	}
	return p
}

// post sends a signed body; headers come in pairs and overrule.
func (d *door) post(t *testing.T, path string, body []byte, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, d.url(path), bytes.NewReader(body))
	if err != nil {
		t.Fatalf("making a request: %v", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(peanuts.SignatureHeader, peanuts.Sign(secret, body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return do(t, d.client, r)
}

func get(t *testing.T, client *http.Client, url string) answer {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatalf("making a request: %v", err)
	}
	return do(t, client, r)
}

func do(t *testing.T, client *http.Client, r *http.Request) answer {
	t.Helper()
	response, err := client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: reading the answer: %v", r.Method, r.URL, err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

func (d *door) raw(t *testing.T, request string) string {
	t.Helper()
	return raw(t, d.Server, request)
}

// raw sends bytes as they are, closes its own end, and returns all that came back.
func raw(t *testing.T, to *Server, request string) string {
	t.Helper()
	conn := dial(t, to.Addr())
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatalf("sending %.60q: %v", request, err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatalf("closing our end after %.60q: %v", request, err)
	}
	text, err := io.ReadAll(conn)
	if err != nil && len(text) == 0 {
		t.Fatalf("reading the answer to %.60q: %v", request, err)
	}
	return string(text)
}

func dial(t *testing.T, to net.Addr) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", to.String())
	if err != nil {
		t.Fatalf("dialling %s: %v", to, err)
	}
	t.Cleanup(func() { conn.Close() })
	// Only a server that hangs gets to see this.
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatalf("setting a deadline: %v", err)
	}
	return conn
}

// status reads the first status line of raw answers.
func status(t *testing.T, text string) int {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
	if err != nil {
		t.Fatalf("reading %q as an answer: %v", text, err)
	}
	return response.StatusCode
}

// rawPost is a request with body as it goes over the wire; lines are further lines of its head, each with its end.
func rawPost(lines, body string) string {
	return fmt.Sprintf("POST /webhook HTTP/1.1\r\nHost: router\r\n%sContent-Length: %d\r\n\r\n%s", lines, len(body), body)
}

// signed is the line that signs body.
func signed(body string) string {
	return peanuts.SignatureHeader + ": " + peanuts.Sign(secret, []byte(body)) + "\r\n"
}

func (d *door) counted(t *testing.T, name string, label string) float64 {
	t.Helper()
	families, err := d.metrics.Gather()
	if err != nil {
		t.Fatalf("gathering: %v", err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == name && metric.GetLabel()[0].GetValue() == label {
				return metric.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func (d *door) received(t *testing.T, o outcome) float64 {
	t.Helper()
	return d.counted(t, "peanuts_router_events_received_total", string(o))
}

type judgeFunc func(*peanuts.Event, time.Time) engine.Judgement

func (f judgeFunc) Judge(e *peanuts.Event, now time.Time, _ engine.Known) engine.Judgement {
	return f(e, now)
}

func nothingOwed(*peanuts.Event, time.Time) engine.Judgement { return engine.Judgement{Generation: 1} }

// memory is a Store that keeps its promises as long as the process lives, and can be told to fail.
type memory struct {
	mu     sync.Mutex
	first  map[[sha256.Size]byte]engine.EventID
	events []judged
	down   error
	before func(context.Context) // called ahead of each commit, when set
}

// judged is a stored event with what followed from it.
type judged struct {
	*engine.Acceptance
	Judgement engine.Judgement
}

func newMemory() *memory { return &memory{first: map[[sha256.Size]byte]engine.EventID{}} }

func (m *memory) Accept(ctx context.Context, a *engine.Acceptance) (engine.Receipt, error) {
	if m.before != nil {
		m.before(ctx)
	}
	if err := ctx.Err(); err != nil {
		return engine.Receipt{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != nil {
		return engine.Receipt{}, m.down
	}
	digest := sha256.Sum256(a.Event.Raw)
	if id, known := m.first[digest]; known {
		return engine.Receipt{ID: id, Duplicate: true}, nil
	}
	m.first[digest] = a.ID
	judgement := a.Judge(engine.Known{})
	m.events = append(m.events, judged{a, judgement})
	receipt := engine.Receipt{ID: a.ID}
	for i, o := range judgement.Owed {
		if o.Leased {
			id := engine.NewDeliveryID(a.ID, i+1)
			receipt.Leases = append(receipt.Leases, engine.Lease{Delivery: engine.Delivery{ID: id, Action: o.Action}, Until: a.LeaseUntil})
		}
	}
	return receipt, nil
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = err
}

func (m *memory) stored() []judged {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.events
}

// journal keeps the log.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// lines are the records with a message.
func (j *journal) lines(t *testing.T, message string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for line := range strings.Lines(j.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("log line %q is no JSON: %v", line, err)
		}
		if record["msg"] == message {
			found = append(found, record)
		}
	}
	return found
}

const flight = `{"event":"entry.created","helper":{"command":"/expenses"},"entry":{"id":"entry-101","data":{"amount":612.50,"note":"payload-text"}}}`

var errDisk = errors.New("committing: disk full")

func TestMetricsAreNamedAndDescribedWell(t *testing.T) {
	d := openDoor(t, func(c *Config) {
		c.Judge = judgeFunc(func(*peanuts.Event, time.Time) engine.Judgement {
			return engine.Judgement{Fired: []engine.RuleName{"r"}, Errors: []engine.RuleError{{Rule: "r"}}, Mismatches: []engine.Mismatch{{Rule: "r"}}}
		})
	})
	d.post(t, "/webhook", []byte(flight))
	problems, err := testutil.GatherAndLint(d.metrics)
	if err != nil || len(problems) > 0 {
		t.Errorf("GatherAndLint() = %v, %v, want nothing", problems, err)
	}
}
