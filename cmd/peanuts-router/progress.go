package main

import (
	"fmt"
	"io"
	"strings"
)

// progress is a bar that grows on a terminal, and is silent anywhere else.
type progress struct {
	to        io.Writer
	what      string
	told      int
	all       int
	lastWidth int
}

func newProgress(t *terminal, what string, all int) *progress {
	p := &progress{what: what, all: all, lastWidth: -1}
	if isTerminal(t.err) {
		p.to = t.err
	}
	return p
}

const progressWidth = 30

func (p *progress) step(n int) {
	p.told += n
	if p.to == nil || p.all == 0 {
		return
	}
	width := min(progressWidth, progressWidth*p.told/p.all)
	if width == p.lastWidth {
		return
	}
	p.lastWidth = width
	fmt.Fprintf(p.to, "\r%s %d of %d  %s%s", p.what, p.told, p.all, strings.Repeat("█", width), strings.Repeat("░", progressWidth-width))
}

// done takes the bar away.
func (p *progress) done() {
	if p.to != nil {
		fmt.Fprintf(p.to, "\r\x1b[K")
	}
}
