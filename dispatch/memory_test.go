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
	pending    map[engine.ActionName][]*kept // in the order in which they are due
	sending    map[engine.DeliveryID]*kept
	holds      map[engine.ActionName]map[engine.Held]time.Time
	notes      int           // how often a hold was noted or lifted
	down       bool          // every call fails
	refused    int           // how many calls have failed
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
	order   string // among those of its action with one value one goes after the other
	line    string // of an entry that it follows; only the newest of a line is tried again
}

func newMemory() *memory {
	return &memory{
		deliveries: map[engine.DeliveryID]*kept{}, pending: map[engine.ActionName][]*kept{}, sending: map[engine.DeliveryID]*kept{}, holds: map[engine.ActionName]map[engine.Held]time.Time{},
		settled: make(chan engine.Settlement, 100_000),
	}
}

var errDown = errors.New("the store is down")

// fails tells whether a call fails.
func (m *memory) fails() bool {
	if m.down {
		m.refused++
	}
	return m.down
}

// owe adds a delivery that is due.
func (m *memory) owe(n int, action engine.ActionName, due time.Time) engine.DeliveryID {
	return m.oweIn(n, action, due, "", "")
}

// oweIn adds a delivery that is due, in an order and in a line: there is no moment at which it is in neither.
func (m *memory) oweIn(n int, action engine.ActionName, due time.Time, order, line string) engine.DeliveryID {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.add(n, action, due)
	k.order, k.line = order, line
	m.wait(k)
	return k.ID
}

func (m *memory) add(n int, action engine.ActionName, due time.Time) *kept {
	event := engine.EventID(fmt.Sprintf("event%06d", n))
	k := &kept{state: engine.Pending}
	k.ID, k.Event, k.Action, k.Kind, k.Rule, k.NextAt = engine.NewDeliveryID(event, 1), event, action, engine.KindHTTP, "rule", due
	m.deliveries[k.ID] = k
	return k
}

// wait has a delivery wait until it is due.
func (m *memory) wait(k *kept) {
	queue := m.pending[k.Action]
	place, _ := slices.BinarySearchFunc(queue, k, byDue)
	m.pending[k.Action] = slices.Insert(queue, place, k)
}

// leave has it wait no more.
func (m *memory) leave(k *kept) {
	queue := m.pending[k.Action]
	if queue[0] == k {
		m.pending[k.Action] = queue[1:]
		return
	}
	place, _ := slices.BinarySearchFunc(queue, k, byDue)
	m.pending[k.Action] = slices.Delete(queue, place, place+1)
}

func byDue(a, b *kept) int { return cmp.Or(a.NextAt.Compare(b.NextAt), cmp.Compare(a.ID, b.ID)) }

// accept adds a delivery that is leased at once, as an acceptance does: there is no moment at which another could lease it.
func (m *memory) accept(n int, action engine.ActionName, now time.Time) engine.Lease {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.add(n, action, now)
	k.state, k.Generation, k.Until = engine.Sending, 1, now.Add(leaseTime)
	m.sending[k.ID] = k
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
	if m.fails() {
		return nil, errDown
	}
	var leases []engine.Lease
	for _, k := range slices.Clone(m.pending[action][:min(2*n+100, len(m.pending[action]))]) {
		if k.NextAt.After(now) || len(leases) == n {
			break
		}
		if m.busy(k) {
			continue
		}
		m.leave(k)
		k.state, k.Until = engine.Sending, until
		m.sending[k.ID] = k
		k.Generation++
		m.leased++
		leases = append(leases, k.Lease)
	}
	return leases, nil
}

// busy tells whether another one of a delivery's line is being sent.
func (m *memory) busy(k *kept) bool {
	for _, other := range m.ordered(k) {
		if other.state == engine.Sending || other.ID < k.ID {
			return true
		}
	}
	if k.line == "" {
		return false
	}
	for _, other := range m.deliveries {
		if other.line == k.line && other.state == engine.Sending {
			return true
		}
	}
	return false
}

// ordered are the others of a delivery's order that are to be sent yet.
func (m *memory) ordered(k *kept) (others []*kept) {
	if k.order == "" {
		return nil
	}
	for _, other := range m.deliveries {
		if other != k && other.Action == k.Action && other.order == k.order && (other.state == engine.Pending || other.state == engine.Sending) {
			others = append(others, other)
		}
	}
	return others
}

// behind tells whether a newer one of a delivery's line waits for it.
func (m *memory) behind(k *kept) bool {
	if k.line == "" {
		return false
	}
	for _, other := range m.deliveries {
		if other.line == k.line && other.state == engine.Pending && other.ID > k.ID {
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
	if m.fails() {
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
	if k.order != "" && recorded.State != engine.Pending && len(m.ordered(k)) > 0 {
		recorded.Freed = true
	}
	delete(m.sending, k.ID)
	if k.state == engine.Pending {
		m.wait(k)
	}
	m.settled <- s
	return recorded, nil
}

func (m *memory) Due(_ context.Context, now time.Time) ([]engine.ActionName, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails() {
		return nil, errDown
	}
	var actions []engine.ActionName
	for action, queue := range m.pending {
		if len(queue) > 0 && !queue[0].NextAt.After(now) {
			actions = append(actions, action)
		}
	}
	return actions, nil
}

func (m *memory) ReleaseExpired(_ context.Context, now time.Time) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails() {
		return 0, errDown
	}
	freed := 0
	for id, k := range m.sending {
		if k.Until.Before(now) {
			delete(m.sending, id)
			k.state, k.NextAt = engine.Pending, now
			m.wait(k)
			freed++
		}
	}
	return freed, nil
}

func (m *memory) HoldAction(_ context.Context, hold engine.Hold) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails() {
		return errDown
	}
	if m.holds[hold.Action] == nil {
		m.holds[hold.Action] = map[engine.Held]time.Time{}
	}
	if known, ok := m.holds[hold.Action][hold.Reason]; !ok || hold.Until.After(known) { // it is never shortened
		m.holds[hold.Action][hold.Reason] = hold.Until
	}
	m.notes++
	return nil
}

func (m *memory) LiftHold(_ context.Context, action engine.ActionName, reason engine.Held) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails() {
		return errDown
	}
	delete(m.holds[action], reason)
	m.notes++
	return nil
}

func (m *memory) Holds(context.Context) ([]engine.Hold, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var holds []engine.Hold
	for action, reasons := range m.holds {
		for reason, until := range reasons {
			holds = append(holds, engine.Hold{Action: action, Reason: reason, Until: until})
		}
	}
	return holds, nil
}

// heldUntil is until when an action is held for a reason.
func (m *memory) heldUntil(action engine.ActionName, reason engine.Held) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.holds[action][reason]
}

// held tells whether an action is held for a reason.
func (m *memory) held(action engine.ActionName, reason engine.Held) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, held := m.holds[action][reason]
	return held
}

// number is one of the numbers that the store counts.
func (m *memory) number(of *int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return *of
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

func (r *table) guard(name engine.ActionName, breaker engine.Breaker) {
	r.change(name, func(route *Route) { route.Breaker = breaker })
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

// target is a sender that notes its calls, and can be changed under way.
type target struct {
	mu      sync.Mutex
	calls   []time.Time
	under   int // calls now
	most    int // calls at once
	answers sending
}

func (t *target) Send(ctx context.Context, s engine.Shipment) engine.Outcome {
	t.mu.Lock()
	t.calls = append(t.calls, time.Now())
	t.under++
	t.most = max(t.most, t.under)
	answers := t.answers
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.under--
	}()
	return answers(ctx, s)
}

func (t *target) becomes(answers sending) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answers = answers
}

// all are the calls, in their order.
func (t *target) all() []time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.calls)
}

// count is how many calls there were in all, and at most at once since it was asked last.
func (t *target) count() (calls, most int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	most, t.most = t.most, t.under
	return len(t.calls), most
}

// after answers as a target does that takes its time.
func after(took time.Duration, answers sending) sending {
	return func(ctx context.Context, s engine.Shipment) engine.Outcome {
		time.Sleep(took)
		return answers(ctx, s)
	}
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
