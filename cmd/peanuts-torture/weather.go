package main

import (
	"context"
	"fmt"
	"net"
	"time"
)

// weather is what becomes of bytes on a way. The zero value lets them through.
type weather struct {
	kind     string
	requests bool // it is upon requests; else upon answers
	pass     int  // how many bytes of a chunk still get through a cut or a reset
	delay    time.Duration
}

// The kinds.
const (
	late      = "late"       // bytes come later
	cut       = "cut"        // a connection is closed in the middle of what is said
	reset     = "reset"      // it is reset there
	blackHole = "black hole" // it swallows all, and stays open
	garbage   = "garbage"    // something else is said, and the connection closed
)

// nonsense is neither HTTP nor SMTP.
const nonsense = "\x00\xff}{ told by nobody\r\n\r\n"

// disturbance is what the weather did to one connection.
type disturbance struct {
	Way       way
	Link      string // the connection's address, as the target sees it
	Kind      string
	Requests  bool // it was upon a request; else upon an answer
	At, Until moment
}

// carry writes a chunk as the weather is, and tells whether the link is still there.
func (l *link) carry(chunk []byte, to *net.TCPConn, requests bool) bool {
	w := l.proxy.upon(requests)
	switch {
	case l.swallows():
		return true
	case w.kind == "", (w.kind == cut || w.kind == reset) && w.pass >= len(chunk):
		_, err := to.Write(chunk)
		return err == nil
	}
	d := l.proxy.history.disturb(disturbance{Way: l.proxy.way, Link: l.far.LocalAddr().String(), Kind: w.kind, Requests: requests})
	if w.kind == blackHole {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.hole = d
		return true
	}
	defer l.proxy.history.calmed(d)
	switch w.kind {
	case late:
		if !l.wait(w.delay) {
			return false
		}
		_, err := to.Write(chunk)
		return err == nil
	case garbage:
		_, _ = to.Write([]byte(nonsense)) // who does not hear it hears nothing
		return false
	}
	_, _ = to.Write(chunk[:w.pass]) // as above
	if w.kind == reset {
		_, _ = l.near.SetLinger(0), l.far.SetLinger(0)
	}
	return false
}

// The ways and kinds with their weights.
var (
	storms = []weighted[weather]{
		{2, weather{kind: late}}, {1, weather{kind: late, requests: true}}, {3, weather{kind: cut}}, {1, weather{kind: cut, requests: true}},
		{2, weather{kind: reset}}, {1, weather{kind: reset, requests: true}}, {1, weather{kind: blackHole}},
		{1, weather{kind: blackHole, requests: true}}, {2, weather{kind: garbage}},
	}
	stormy = []weighted[way]{{3, wayHTTP}, {1, wayChat}, {1, wayMail}}
)

// kindStorm is followed by the kind of weather.
const kindStorm = "proxy, "

// storm has bad weather on the way to a target for a while. In three of ten cases the router dies in it (F16, F26, F30).
func (n *nemesis) storm(ctx context.Context) error {
	w, p := pick(n.dice, storms), n.targets.ways[pick(n.dice, stormy)]
	w.pass, w.delay = n.dice.below(160), n.dice.between(50*time.Millisecond, 700*time.Millisecond)
	b := n.history.begin(fmt.Sprintf("%s%s", kindStorm, w.kind), false)
	defer n.history.end(b)
	p.set(w)
	defer p.set(weather{})
	if err := wait(ctx, n.dice.between(300*time.Millisecond, 1500*time.Millisecond)); err != nil {
		return err
	}
	if !n.dice.chance(30) {
		return nil
	}
	return n.killNow(ctx, kindKill)
}
