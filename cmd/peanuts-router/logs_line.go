package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"
)

// logLine is a line of the log that is being written.
type logLine struct {
	bytes.Buffer
	json *json.Encoder // writes to the end of it
}

// logLines are used again; each holds one line until it is handed on.
var logLines = sync.Pool{New: func() any {
	l := &logLine{}
	l.json = json.NewEncoder(&l.Buffer)
	l.json.SetEscapeHTML(false)
	return l
}}

func newLogLine() *logLine { return logLines.Get().(*logLine) }

// done lets go of the line. A very long one is not kept.
func (l *logLine) done() {
	if l.Cap() > 16<<10 {
		return
	}
	l.Reset()
	logLines.Put(l)
}

// key begins the next member of an object.
func (l *logLine) key(name string) {
	if text := l.Bytes(); len(text) == 0 || text[len(text)-1] != '{' {
		l.WriteByte(',')
	}
	l.text(name)
	l.WriteByte(':')
}

// attr writes an attribute; an empty one, and a group of nothing, leaves no trace.
func (l *logLine) attr(attr slog.Attr) {
	attr.Value = attr.Value.Resolve()
	switch {
	case attr.Value.Kind() == slog.KindGroup:
		l.group(attr.Key, attr.Value.Group())
	case !attr.Equal(slog.Attr{}):
		l.key(attr.Key)
		l.value(attr.Value)
	}
}

// group writes attributes as an object; one without a name lends them to what it stands in.
func (l *logLine) group(name string, attrs []slog.Attr) {
	before := l.Len()
	if name != "" {
		l.key(name)
		l.WriteByte('{')
	}
	empty := l.Len()
	for _, attr := range attrs {
		l.attr(attr)
	}
	switch {
	case l.Len() == empty:
		l.Truncate(before)
	case name != "":
		l.WriteByte('}')
	}
}

func (l *logLine) value(value slog.Value) {
	switch value.Kind() {
	case slog.KindString:
		l.text(value.String())
	case slog.KindInt64:
		l.Write(strconv.AppendInt(l.AvailableBuffer(), value.Int64(), 10))
	case slog.KindBool:
		l.Write(strconv.AppendBool(l.AvailableBuffer(), value.Bool()))
	case slog.KindDuration:
		l.text(value.Duration().Round(time.Microsecond).String())
	case slog.KindTime:
		l.time(value.Time())
	default:
		l.any(value.Any())
	}
}

func (l *logLine) time(at time.Time) {
	l.WriteByte('"')
	l.Write(at.AppendFormat(l.AvailableBuffer(), time.RFC3339Nano))
	l.WriteByte('"')
}

// text writes a text as it is when nothing in it needs escaping.
func (l *logLine) text(text string) {
	if !isPlain(text) {
		l.encode(text)
		return
	}
	l.WriteByte('"')
	l.WriteString(text)
	l.WriteByte('"')
}

func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// any writes an error as its text, and anything else as encoding/json does.
func (l *logLine) any(value any) {
	if err, ok := value.(error); ok {
		l.text(fmt.Sprint(err)) // which survives an Error that panics
		return
	}
	l.encode(value)
}

func (l *logLine) encode(value any) {
	before := l.Len()
	if err := l.json.Encode(value); err != nil {
		l.Truncate(before)
		l.text("!ERROR:" + err.Error())
		return
	}
	l.Truncate(l.Len() - 1) // the line goes on
}
