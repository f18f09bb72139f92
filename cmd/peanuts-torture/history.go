package main

import (
	"bufio"
	"encoding/json"
	"os"
	"sync"
	"time"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

// history is all that happened. It is safe for concurrent use; what it holds is read once the run is over.
type history struct {
	began time.Time
	file  *os.File

	mu       sync.Mutex
	lines    *bufio.Writer
	sent     []*sent
	receipts []receipt
	blows    []*blow
	variants []variant
	lives    []*life
	weather  []*disturbance
}

func newHistory(path string) (*history, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &history{began: time.Now(), file: file, lines: bufio.NewWriterSize(file, 1<<16)}, nil
}

func (h *history) now() moment { return time.Since(h.began) }

// write appends a line. The history is locked.
func (h *history) write(kind string, what any) {
	line, err := json.Marshal(map[string]any{"at": h.now(), kind: what})
	if err == nil {
		_, _ = h.lines.Write(append(line, '\n')) // an unwritten history fails when it is closed
	}
}

// send notes an event that is about to be sent for the first time.
func (h *history) send(e event) *sent {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &sent{event: e}
	h.sent = append(h.sent, s)
	h.write("event", e)
	return s
}

// tried notes what came of one try.
func (h *history) tried(s *sent, t try) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.Tries = append(s.Tries, t)
	h.write(string(t.Outcome), map[string]any{"n": s.N, "try": t})
}

// received notes a receipt.
func (h *history) received(r receipt) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if last := len(h.lives) - 1; last >= 0 && h.lives[last].First == 0 && h.lives[last].Ready > 0 {
		h.lives[last].First = r.At
	}
	h.receipts = append(h.receipts, r)
	h.write("receipt", r)
}

// begin notes a blow; end that the router is over it.
func (h *history) begin(kind string, kills bool) *blow {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := &blow{Kind: kind, At: h.now(), Until: forEver, Kills: kills}
	h.blows = append(h.blows, b)
	h.write("blow", b)
	return b
}

// offset notes what the router's clock is set off by meanwhile.
func (h *history) offset(b *blow, by time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b.By = by
}

// struck notes whether a life has died at its point; else it dies of the kill that follows.
func (h *history) struck(b *blow, point fault.Point, died bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b.At = h.now()
	if died {
		b.Point = point
	} else {
		b.Kind = kindKill
	}
}

func (h *history) end(b *blow) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b.Until = h.now()
	h.write("over", b)
}

// disturb notes that the weather meets a connection; calmed that it is over.
func (h *history) disturb(d disturbance) *disturbance {
	h.mu.Lock()
	defer h.mu.Unlock()
	d.At, d.Until = h.now(), forEver
	h.weather = append(h.weather, &d)
	h.write("weather", d)
	return &d
}

func (h *history) calmed(d *disturbance) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d.Until = h.now()
	h.write("calmed", d)
}

// ruled notes a set of rules.
func (h *history) ruled(number int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := variant{number, h.now()}
	h.variants = append(h.variants, v)
	h.write("rules", v)
}

// born notes a life; lived and died what became of it.
func (h *history) born() *life {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := &life{Began: h.now()}
	h.lives = append(h.lives, l)
	return l
}

func (h *history) lived(l *life) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l.Ready = h.now()
}

func (h *history) died(l *life, exit int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l.Exit = exit
	h.write("life", l)
}

// kills counts the processes that ended by a blow.
func (h *history) kills() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, b := range h.blows {
		if b.Kills {
			n++
		}
	}
	return n
}

// deaths counts the lives that died at each point.
func (h *history) deaths() map[fault.Point]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := map[fault.Point]int{}
	for _, b := range h.blows {
		if b.Point != "" {
			n[b.Point]++
		}
	}
	return n
}

// close writes what is left.
func (h *history) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.lines.Flush(); err != nil {
		return err
	}
	return h.file.Close()
}
