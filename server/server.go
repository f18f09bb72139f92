package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// Server serves one listener, the public or the admin one.
type Server struct {
	name     string
	listener net.Listener
	http     *http.Server
	grace    time.Duration
	draining atomic.Bool
	judged   func(engine.Judgement) // counts; nil of the admin listener
	// underWay is held for reading by each request, so that Run can wait for the last.
	underWay sync.RWMutex
}

// ErrDraining says that a listener takes no more requests.
var ErrDraining = errors.New("draining: no more requests are taken")

// limits are the times and sizes of C20.
type limits struct {
	header, whole, answer, idle time.Duration
	commit                      time.Duration // of handing an event to the store, within answer
	headerBytes                 int
}

// contractLimits leave a lease of 60 s room for an attempt of 45 s after the slowest commit.
func contractLimits() limits {
	const s = time.Second
	return limits{header: 5 * s, whole: 15 * s, answer: 15 * s, idle: 60 * s, commit: 10 * s, headerBytes: 16 << 10}
}

// defaultGrace is as long as a body may take to arrive; with the slowest commit after it Run ends within 25 s.
const defaultGrace = 15 * time.Second

func newServer(name string, l net.Listener, handler http.Handler, log *slog.Logger, grace time.Duration, lim limits) *Server {
	if grace == 0 {
		grace = defaultGrace
	}
	s := &Server{name: name, listener: l, grace: grace}
	s.http = &http.Server{
		Handler:           s.counting(surviving(log, handler)),
		ReadHeaderTimeout: lim.header,
		ReadTimeout:       lim.whole,
		WriteTimeout:      lim.answer,
		IdleTimeout:       lim.idle,
		MaxHeaderBytes:    lim.headerBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		// OPTIONS * is answered like any other path that is not there.
		DisableGeneralOptionsHandler: true,
	}
	return s
}

func (s *Server) counting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.underWay.RLock()
		defer s.underWay.RUnlock()
		next.ServeHTTP(w, r)
	})
}

// Addr is where the listener listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Judged counts what the rules made of an event that came to them by another way than the public listener: by rule, like the
// others (C7).
func (s *Server) Judged(j engine.Judgement) {
	if s.judged != nil {
		s.judged(j)
	}
}

// Accepting is nil while requests are taken, and ErrDraining after; it serves as a Check of readiness.
func (s *Server) Accepting(context.Context) error {
	if s.draining.Load() {
		return ErrDraining
	}
	return nil
}

// Run serves until ctx ends; then it closes the listener, lets requests under way finish for the time of grace, cuts off
// what is left, and returns when no request is under way any more. It runs once.
// Errors: the listener broke, or requests had to be cut off.
func (s *Server) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.listener) }()
	select {
	case err := <-served:
		s.draining.Store(true)
		return errors.Join(fmt.Errorf("serving the %s listener: %w", s.name, err), s.drain(ctx))
	case <-ctx.Done():
		s.draining.Store(true)
		err := s.drain(ctx)
		<-served
		return err
	}
}

func (s *Server) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("draining the %s listener: requests were cut off: %w", s.name, errors.Join(err, s.http.Close()))
	}
	s.underWay.Lock()
	defer s.underWay.Unlock()
	return err
}

// onLoopback tells whether l can be reached from this machine only.
func onLoopback(l net.Listener) bool {
	at, ok := l.Addr().(*net.TCPAddr)
	return ok && at.IP.IsLoopback()
}
