package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// way is the network between the router and one kind of target.
type way string

// The ways.
const (
	wayHTTP way = "http"
	wayChat way = "chat"
	wayMail way = "mail"
)

// wayOf is the way that the messages of an action go; empty for none.
func wayOf(action string) way {
	switch action {
	case actionChat:
		return wayChat
	case actionPost:
		return wayMail
	case actionTable:
		return ""
	}
	return wayHTTP
}

// proxy carries the bytes of a way, as its weather is.
type proxy struct {
	way      way
	address  string // host:port where the router finds the target
	target   string // where it is
	history  *history
	listener net.Listener
	serving  sync.WaitGroup

	mu      sync.Mutex
	weather weather
	links   map[*link]bool
	closed  bool
}

func startProxy(w way, target string, h *history) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{way: w, address: listener.Addr().String(), target: target, history: h, listener: listener, links: map[*link]bool{}}
	p.serving.Go(p.serve)
	return p, nil
}

func (p *proxy) serve() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.serving.Go(func() { p.connect(near) })
	}
}

// connect sees a connection to its end.
func (p *proxy) connect(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer far.Close()
	l := &link{proxy: p, near: near.(*net.TCPConn), far: far.(*net.TCPConn), over: make(chan struct{})}
	if !p.add(l) {
		return
	}
	defer p.remove(l)
	var both sync.WaitGroup
	both.Go(func() { l.pump(l.near, l.far, true) })
	both.Go(func() { l.pump(l.far, l.near, false) })
	both.Wait()
}

func (p *proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links[l] = true
	return !p.closed
}

func (p *proxy) remove(l *link) {
	l.end()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// set changes the weather.
func (p *proxy) set(w weather) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.weather = w
}

// upon is the weather that one direction meets.
func (p *proxy) upon(requests bool) weather {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.weather.requests != requests {
		return weather{}
	}
	return p.weather
}

// close cuts all that is under way.
func (p *proxy) close() error {
	err := p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for l := range p.links {
		l.end()
	}
	p.mu.Unlock()
	p.serving.Wait()
	return err
}

// link is one connection of the router with its connection to the target.
type link struct {
	proxy     *proxy
	near, far *net.TCPConn
	ending    sync.Once
	over      chan struct{}

	mu   sync.Mutex
	hole *disturbance // that swallows all from now on; nil where there is none
}

// end closes both connections.
func (l *link) end() {
	l.ending.Do(func() {
		close(l.over)
		_, _ = l.near.Close(), l.far.Close()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.hole != nil {
			l.proxy.history.calmed(l.hole)
		}
	})
}

// pump carries one direction until it ends.
func (l *link) pump(from, to *net.TCPConn, requests bool) {
	chunk := make([]byte, 32<<10)
	for {
		n, err := from.Read(chunk)
		if n > 0 && !l.carry(chunk[:n], to, requests) {
			l.end()
			return
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && !l.swallows():
			_ = to.CloseWrite() // the other direction may have more to say
			return
		case errors.Is(err, io.EOF) && !requests:
			return // the router hears of nothing, and gives up
		default:
			l.end()
			return
		}
	}
}

// swallows tells whether the link has become a black hole.
func (l *link) swallows() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hole != nil
}

// wait waits, and tells whether the link is still there.
func (l *link) wait(long time.Duration) bool {
	select {
	case <-l.over:
		return false
	case <-time.After(long):
		return true
	}
}
