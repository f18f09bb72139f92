package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/lmittmann/tint"
)

// logs writes the log without ever holding up a delivery: lines are gathered in memory and written by a goroutine
// of its own. When more than limit bytes wait, info lines are dropped and counted; warnings and errors wait for room.
type logs struct {
	out     io.Writer
	limit   int
	mu      sync.Mutex
	changed sync.Cond
	waiting bytes.Buffer
	dropped int
	closed  bool
	done    chan struct{}
}

const logLimit = 4 << 20

// gatherTime is how long lines are gathered after some were written: a busy router writes thousands of them a second.
const gatherTime = 5 * time.Millisecond

// newLogs starts writing to out, in colour for people when out is a terminal, else as JSON, a record a line.
// close writes what is left.
func newLogs(out io.Writer, level slog.Leveler) (logger *slog.Logger, close func()) {
	l := &logs{out: out, limit: logLimit, done: make(chan struct{})}
	l.changed.L = &l.mu
	go l.writeAll()
	handler := func(w io.Writer) slog.Handler {
		if isTerminal(out) {
			return tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: "15:04:05", NoColor: !coloursFor(out).on})
		}
		return jsonLines{to: w, level: level}
	}
	return slog.New(byUrgency{handler(droppable{l}), handler(urgent{l})}), l.close
}

// byUrgency hands a record to the handler that may drop it, or to the one that may not.
type byUrgency struct{ droppable, urgent slog.Handler }

func (b byUrgency) Enabled(ctx context.Context, level slog.Level) bool {
	return b.urgent.Enabled(ctx, level)
}

func (b byUrgency) Handle(ctx context.Context, record slog.Record) error {
	if record.Level >= slog.LevelWarn {
		return b.urgent.Handle(ctx, record)
	}
	return b.droppable.Handle(ctx, record)
}

func (b byUrgency) WithAttrs(attrs []slog.Attr) slog.Handler {
	return byUrgency{b.droppable.WithAttrs(attrs), b.urgent.WithAttrs(attrs)}
}

func (b byUrgency) WithGroup(name string) slog.Handler {
	return byUrgency{b.droppable.WithGroup(name), b.urgent.WithGroup(name)}
}

type droppable struct{ *logs }

func (d droppable) Write(line []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting.Len()+len(line) > d.limit {
		d.dropped++
		return len(line), nil
	}
	d.add(line)
	return len(line), nil
}

type urgent struct{ *logs }

func (u urgent) Write(line []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for u.waiting.Len() > u.limit && !u.closed {
		u.changed.Wait()
	}
	u.add(line)
	return len(line), nil
}

func (l *logs) add(line []byte) {
	l.waiting.Write(line)
	l.changed.Broadcast()
}

// writeAll writes what has gathered, until closed and empty.
func (l *logs) writeAll() {
	defer close(l.done)
	var batch bytes.Buffer
	for {
		l.mu.Lock()
		for l.waiting.Len() == 0 && !l.closed {
			l.changed.Wait()
		}
		if l.waiting.Len() == 0 {
			l.mu.Unlock()
			return
		}
		batch, l.waiting = l.waiting, batch
		dropped := l.dropped
		l.dropped = 0
		l.changed.Broadcast()
		l.mu.Unlock()
		if dropped > 0 {
			fmt.Fprintf(&batch, "{\"level\":\"WARN\",\"msg\":\"log lines dropped\",\"count\":%d}\n", dropped)
		}
		// An unwritable log is no reason to stop delivering.
		_, _ = l.out.Write(batch.Bytes())
		batch.Reset()
		time.Sleep(gatherTime)
	}
}

func (l *logs) close() {
	l.mu.Lock()
	l.closed = true
	l.changed.Broadcast()
	l.mu.Unlock()
	<-l.done
}
