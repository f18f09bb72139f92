package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// memory is a store in memory: an honest model of the real one, so that days pass in no time.
type memory struct {
	mu         sync.Mutex
	deliveries map[engine.DeliveryID]*kept
	pauses     map[engine.ActionName]time.Time
	down       bool          // every call fails
	asked      int           // how often leases were asked for
	leased     int           // how many leases were given out
	flush      time.Duration // how long it takes to give out leases
	flushed    chan struct{} // when not nil, results are recorded once it is closed
	settled    chan engine.Settlement
}

// kept is one delivery.
type kept struct {
	engine.Lease
	state   engine.State
	history []engine.Attempt
	reason  string
	line    string // of an entry that it follows; only the newest of a line is tried again
}

func newMemory() *memory {
	return &memory{
		deliveries: map[engine.DeliveryID]*kept{}, pauses: map[engine.ActionName]time.Time{},
		settled: make(chan engine.Settlement, 100_000),
	}
}

var errDown = errors.New("the store is down")

// owe adds a delivery that is due.
func (m *memory) owe(n int, action engine.ActionName, due time.Time) engine.DeliveryID {
	m.mu.Lock()
	defer m.mu.Unlock()
	event := engine.EventID(fmt.Sprintf("event%06d", n))
	k := &kept{state: engine.Pending}
	k.ID, k.Event, k.Action, k.Kind, k.Rule, k.NextAt = engine.NewDeliveryID(event, 1), event, action, engine.KindHTTP, "rule", due
	m.deliveries[k.ID] = k
	return k.ID
}

// accept adds a delivery that is leased at once, as an acceptance does.
func (m *memory) accept(n int, action engine.ActionName, now time.Time) engine.Lease {
	id := m.owe(n, action, now)
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.deliveries[id]
	k.state, k.Generation, k.Until = engine.Sending, 1, now.Add(leaseTime)
	return k.Lease
}

func (m *memory) Lease(ctx context.Context, action engine.ActionName, n int, now, until time.Time) ([]engine.Lease, error) {
	defer time.Sleep(m.flush)
	return m.lease(action, n, now, until)
}

func (m *memory) lease(action engine.ActionName, n int, now, until time.Time) ([]engine.Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	if m.down {
		return nil, errDown
	}
	var due []*kept
	for _, k := range m.deliveries {
		if k.state == engine.Pending && k.Action == action && !k.NextAt.After(now) && !m.busy(k) {
			due = append(due, k)
		}
	}
	slices.SortFunc(due, func(a, b *kept) int { return cmp.Or(a.NextAt.Compare(b.NextAt), cmp.Compare(a.ID, b.ID)) })
	var leases []engine.Lease
	for _, k := range due[:min(n, len(due))] {
		k.state, k.Until = engine.Sending, until
		k.Generation++
		m.leased++
		leases = append(leases, k.Lease)
	}
	return leases, nil
}

// follow puts a delivery into a line.
func (m *memory) follow(line string, id engine.DeliveryID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deliveries[id].line = line
}

// busy tells whether another one of a delivery's line is being sent.
func (m *memory) busy(k *kept) bool {
	for _, other := range m.deliveries {
		if k.line != "" && other.line == k.line && other.state == engine.Sending {
			return true
		}
	}
	return false
}

// behind tells whether a newer one of a delivery's line waits for it.
func (m *memory) behind(k *kept) bool {
	for _, other := range m.deliveries {
		if k.line != "" && other.line == k.line && other.state == engine.Pending && other.ID > k.ID {
			return true
		}
	}
	return false
}

func (m *memory) Settle(_ context.Context, s engine.Settlement) (engine.Recorded, error) {
	if m.flushed != nil {
		<-m.flushed
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return engine.Recorded{}, errDown
	}
	k := m.deliveries[s.ID]
	if k.state != engine.Sending || k.Generation != s.Generation {
		return engine.Recorded{}, nil
	}
	k.state, k.NextAt, k.reason = s.State, s.NextAt, s.Reason
	if s.Attempt != nil {
		k.Attempts++
		attempt := *s.Attempt
		attempt.N = k.Attempts
		k.history = append(k.history, attempt)
	}
	recorded := engine.Recorded{Applied: true, State: s.State, Freed: m.behind(k)}
	if recorded.Freed && s.State == engine.Pending {
		k.state, recorded.State = engine.Cancelled, engine.Cancelled
	}
	m.settled <- s
	return recorded, nil
}

func (m *memory) Due(_ context.Context, now time.Time) ([]engine.ActionName, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return nil, errDown
	}
	due := map[engine.ActionName]bool{}
	var actions []engine.ActionName
	for _, k := range m.deliveries {
		if k.state == engine.Pending && !k.NextAt.After(now) && !due[k.Action] {
			due[k.Action] = true
			actions = append(actions, k.Action)
		}
	}
	return actions, nil
}

func (m *memory) ReleaseExpired(_ context.Context, now time.Time) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return 0, errDown
	}
	freed := 0
	for _, k := range m.deliveries {
		if k.state == engine.Sending && k.Until.Before(now) {
			k.state, k.NextAt = engine.Pending, now
			freed++
		}
	}
	return freed, nil
}

func (m *memory) Pause(_ context.Context, action engine.ActionName, until time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pauses[action] = until
	return nil
}

func (m *memory) Pauses(context.Context) (map[engine.ActionName]time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return map[engine.ActionName]time.Time(m.pauses), nil
}

func (m *memory) setDown(down bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = down
}

// of is a delivery as it stands.
func (m *memory) of(id engine.DeliveryID) kept {
	m.mu.Lock()
	defer m.mu.Unlock()
	return *m.deliveries[id]
}

// await waits until n deliveries are delivered or dead.
func (m *memory) await(n int) {
	for n > 0 {
		if s := <-m.settled; s.State != engine.Pending {
			n--
		}
	}
}

// sending is a sender made of a function.
type sending func(ctx context.Context, s engine.Shipment) engine.Outcome

func (f sending) Send(ctx context.Context, s engine.Shipment) engine.Outcome { return f(ctx, s) }

func ok(context.Context, engine.Shipment) engine.Outcome {
	return engine.Outcome{Verdict: engine.VerdictDelivered, Status: "200 OK"}
}

func fails(context.Context, engine.Shipment) engine.Outcome {
	return engine.Outcome{Verdict: engine.VerdictRetry, Status: "503", Reason: "503 Service Unavailable", Answer: "busy"}
}

// hangs answers when its time is over.
func hangs(ctx context.Context, _ engine.Shipment) engine.Outcome {
	<-ctx.Done()
	return engine.Outcome{Verdict: engine.VerdictRetry, Status: "timeout", Reason: "the target did not answer in time"}
}

// table is a set of routes that can be changed under way.
type table struct {
	mu     sync.Mutex
	routes map[engine.ActionName]Route
}

func (r *table) set(name engine.ActionName, plan engine.RetryPlan, sender sending) *table {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.routes == nil {
		r.routes = map[engine.ActionName]Route{}
	}
	r.routes[name] = Route{Sender: sender, Action: engine.Action{
		Name: name, Kind: engine.KindHTTP, Timeout: 10 * time.Second, Concurrency: 4, Retry: plan, MaxRetryAfter: time.Hour,
	}}
	return r
}

func (r *table) change(name engine.ActionName, change func(*Route)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	route := r.routes[name]
	change(&route)
	r.routes[name] = route
}

func (r *table) pace(name engine.ActionName, rate engine.Rate) {
	r.change(name, func(route *Route) { route.Rate = rate })
}

func (r *table) remove(name engine.ActionName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.routes, name)
}

func (r *table) get(name engine.ActionName) (Route, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	route, known := r.routes[name]
	return route, known
}

// start runs a dispatcher; stop ends it and waits.
func start(t *testing.T, config Config) (d *Dispatcher, stop func()) {
	t.Helper()
	d = New(config)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	return d, func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
	}
}
