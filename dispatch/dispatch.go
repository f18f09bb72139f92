package dispatch

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/peanuts-router/peanuts-router/engine"
)

// Store is where deliveries wait and results go.
type Store interface {
	// Lease gives out the oldest due deliveries of an action, n at the most.
	Lease(ctx context.Context, action engine.ActionName, n int, now, until time.Time) ([]engine.Lease, error)
	// Settle records a result, and tells what it made of it.
	Settle(ctx context.Context, s engine.Settlement) (engine.Recorded, error)
	// Due names the actions with deliveries that are due.
	Due(ctx context.Context, now time.Time) ([]engine.ActionName, error)
	// ReleaseExpired makes deliveries with an expired lease due again.
	ReleaseExpired(ctx context.Context, now time.Time) (int, error)
	// HoldAction notes why an action is left alone, LiftHold that it is not any more for that reason, and Holds tells what was noted.
	HoldAction(ctx context.Context, hold engine.Hold) error
	LiftHold(ctx context.Context, action engine.ActionName, reason engine.Held) error
	Holds(ctx context.Context) ([]engine.Hold, error)
}

// Sender sends one message.
type Sender interface {
	// Send makes one attempt and returns by ctx's deadline. It never blames the event for what is the target's fault, and what
	// it returns shows no secret: it is logged and stored as it is.
	Send(ctx context.Context, s engine.Shipment) engine.Outcome
}

// Route is an action as it is now, with its sender.
type Route struct {
	engine.Action
	Sender Sender
}

// Config makes a Dispatcher.
type Config struct {
	Store   Store
	Routes  func(engine.ActionName) (Route, bool) // asked at each attempt
	Observe func(Settled)                         // called after each settled attempt; nil calls nothing
	// ObserveBreaker is called when the breaker of an action has opened (true) or closed, in the order in which that happens:
	// its lane is locked meanwhile, and the Dispatcher is not to be called. nil calls nothing.
	ObserveBreaker func(action engine.ActionName, open bool)
	Metrics        prometheus.Registerer // nil registers none
	Log            *slog.Logger          // nil logs nothing
	Now            func() time.Time      // nil means time.Now
	Grace          time.Duration         // how long attempts under way may take at the end; 0 means 20 s
}

// Settled is one attempt with what came of it.
type Settled struct {
	Lease      engine.Lease
	Outcome    engine.Outcome
	Settlement engine.Settlement
}

const (
	leaseTime    = 60 * time.Second // of a lease (C18)
	recordTime   = 2 * time.Second  // how long a store that cannot commit is waited for at the very end
	defaultGrace = 20 * time.Second
)

// Dispatcher is the courier. It is safe for concurrent use.
type Dispatcher struct {
	Config
	metrics  *metrics
	flags    flags
	attempts context.Context // of all attempts; ends when the grace is over
	cut      context.CancelFunc
	records  context.Context // of all results: it ends a little later, for what came of an attempt that was cut
	giveUp   context.CancelFunc
	running  sync.WaitGroup
	asking   chan struct{} // filled by the result that asks whether the store can commit again
	restored chan struct{} // closed when it is known what held actions before; no lane leases anything until then

	mu       sync.Mutex
	lanes    map[engine.ActionName]*lane
	stopping chan struct{} // closed when no new attempt may begin
	helping  chan func()   // takes what is to be done apart, while somebody waits for it
}

// New makes a Dispatcher; Run sets it going.
func New(config Config) *Dispatcher {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Grace == 0 {
		config.Grace = defaultGrace
	}
	d := &Dispatcher{
		Config: config, metrics: newMetrics(config.Metrics), lanes: map[engine.ActionName]*lane{}, stopping: make(chan struct{}), helping: make(chan func()),
		restored: make(chan struct{}), asking: make(chan struct{}, 1),
	}
	d.attempts, d.cut = context.WithCancel(context.Background())
	d.records, d.giveUp = context.WithCancel(context.Background())
	return d
}

// Run delivers until ctx ends, then lets attempts under way finish for the time of grace, hands back what was not
// begun, and returns.
func (d *Dispatcher) Run(ctx context.Context) error {
	d.restoreHolds(ctx)
	close(d.restored)
	d.watch(ctx)
	d.mu.Lock()
	close(d.stopping) // no lane is made from now on
	d.mu.Unlock()
	for _, l := range d.all() {
		l.stop()
	}
	grace := time.AfterFunc(d.Grace, d.Cut)
	d.running.Wait()
	grace.Stop()
	d.cut()
	d.giveUp()
	return nil
}

// Cut ends the attempts that are under way, before the grace is over. What came of them is recorded still if the store can.
func (d *Dispatcher) Cut() {
	d.cut()
	time.AfterFunc(recordTime, d.giveUp)
}

// Reserve keeps room for one delivery of an action in its lane, and tells whether there is any. The room is filled by
// Hand or given back by Release.
func (d *Dispatcher) Reserve(action engine.ActionName) bool {
	route, known := d.Routes(action)
	if !known {
		return false
	}
	l := d.lane(action)
	return l != nil && l.reserve(route.Action)
}

// Hand fills one reserved room.
func (d *Dispatcher) Hand(lease engine.Lease) {
	if l := d.lane(lease.Action); l != nil {
		l.hand(lease)
		return
	}
	d.handBack(lease)
}

// Release gives back one reserved room.
func (d *Dispatcher) Release(action engine.ActionName) {
	if l := d.lane(action); l != nil {
		l.leave(&engine.Lease{})
	}
}

// Wake tells that the store holds due deliveries of an action.
func (d *Dispatcher) Wake(action engine.ActionName) {
	if l := d.lane(action); l != nil {
		l.wake()
	}
}

// wakeAll has every lane look into the store.
func (d *Dispatcher) wakeAll() {
	for _, l := range d.all() {
		l.wake()
	}
}

// all are the lanes there are.
func (d *Dispatcher) all() []*lane {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Values(d.lanes))
}

// lane is the lane of an action, made when it is first asked for; nil once the dispatcher is stopping.
func (d *Dispatcher) lane(action engine.ActionName) *lane {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l, ok := d.lanes[action]; ok {
		return l
	}
	select {
	case <-d.stopping:
		return nil
	default:
	}
	l := newLane(d, action)
	d.lanes[action] = l
	d.running.Go(l.run)
	return l
}
