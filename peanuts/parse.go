package peanuts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep objects and lists may be nested in a body.
const MaxDepth = 64

// ParseError tells why a body is no event, and where. Its text holds no value of the event.
type ParseError struct {
	Offset  int64  // the fault is at or after this byte
	Pointer string // the JSON Pointer (RFC 6901) of the value with the fault; empty for the whole body
	Problem string
}

func (e *ParseError) Error() string {
	if e.Pointer == "" {
		return fmt.Sprintf("%s (at byte %d)", e.Problem, e.Offset)
	}
	return fmt.Sprintf("%s (at byte %d, %s)", e.Problem, e.Offset, printable(e.Pointer))
}

// Parse reads a body as an event. Everything else than one JSON object in UTF-8 is refused with a *ParseError: a
// byte order mark, bytes after the object, a member name twice in one object, nesting beyond MaxDepth, a number
// beyond float64; likewise an event without a name, and an entry event without entry.id. An unpaired surrogate escape
// reads as U+FFFD. How large a body may be is for the caller to say. The event keeps body: do not change it.
func Parse(body []byte) (*Event, error) {
	if at := invalidUTF8(body); at >= 0 {
		return nil, &ParseError{Offset: int64(at), Problem: "the body is not UTF-8"}
	}
	if bytes.HasPrefix(body, []byte("\uFEFF")) {
		return nil, &ParseError{Problem: "the body begins with a byte order mark"}
	}
	p := parsers.Get().(*parser)
	defer parsers.Put(p)
	fields, err := p.object(body)
	if err != nil {
		return nil, err
	}
	return newEvent(fields, body)
}

// invalidUTF8 is the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(body []byte) int {
	if utf8.Valid(body) {
		return -1
	}
	for at := 0; at < len(body); {
		r, size := utf8.DecodeRune(body[at:])
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
	return -1
}

// parser builds the tree of a body's values in one pass. It is used again for the next body.
type parser struct {
	buffer  *bytes.Buffer
	decoder *jsontext.Decoder
}

var parsers = sync.Pool{New: func() any { return &parser{decoder: new(jsontext.Decoder)} }}

// UTF-8 has been checked; what is left to allow are unpaired surrogates in escapes.
func decoderOptions() jsontext.Options { return jsontext.AllowInvalidUTF8(true) }

func (p *parser) object(body []byte) (map[string]any, error) {
	p.buffer = bytes.NewBuffer(body)
	p.decoder.Reset(p.buffer, decoderOptions())
	defer p.decoder.Reset(strings.NewReader("")) // lets go of the body
	if p.decoder.PeekKind() != '{' {
		if _, err := p.decoder.ReadToken(); err != nil {
			return nil, p.fault(err)
		}
		return nil, &ParseError{Problem: "the body is not a JSON object"}
	}
	value, err := p.value()
	if err != nil {
		return nil, err
	}
	if _, err := p.decoder.ReadToken(); err != io.EOF {
		return nil, &ParseError{Offset: p.decoder.InputOffset(), Problem: "something follows the JSON object"}
	}
	return value.(map[string]any), nil
}

func (p *parser) value() (any, error) {
	token, err := p.decoder.ReadToken()
	if err != nil {
		return nil, p.fault(err)
	}
	switch token.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return token.Bool(), nil
	case '"':
		return token.String(), nil
	case '0':
		return p.number(token.String())
	case '[':
		return p.list()
	default:
		return p.members()
	}
}

func (p *parser) list() (any, error) {
	if err := p.checkDepth(); err != nil {
		return nil, err
	}
	list := []any{}
	for p.decoder.PeekKind() != ']' {
		item, err := p.value()
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	_, err := p.decoder.ReadToken()
	return list, p.fault(err)
}

func (p *parser) members() (any, error) {
	if err := p.checkDepth(); err != nil {
		return nil, err
	}
	members := map[string]any{}
	for p.decoder.PeekKind() != '}' {
		name, err := p.decoder.ReadToken()
		if err != nil {
			return nil, p.fault(err)
		}
		key := name.String()
		if members[key], err = p.value(); err != nil {
			return nil, err
		}
	}
	_, err := p.decoder.ReadToken()
	return members, p.fault(err)
}

func (p *parser) checkDepth() error {
	if p.decoder.StackDepth() > MaxDepth {
		return p.problem(fmt.Sprintf("nested more than %d deep", MaxDepth))
	}
	return nil
}

// number reads a number's text: as int64 when it is whole and fits, else as float64.
func (p *parser) number(text string) (any, error) {
	if !strings.ContainsAny(text, ".eE") {
		if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
			return whole, nil
		}
	}
	number, _ := strconv.ParseFloat(text, 64)
	if math.IsInf(number, 0) {
		return nil, p.problem("a number that is too large to hold")
	}
	return number, nil
}

func (p *parser) problem(text string) error {
	return &ParseError{Offset: p.decoder.InputOffset(), Pointer: string(p.decoder.StackPointer()), Problem: text}
}

// fault turns the decoder's error into one that shows no value of the event.
func (p *parser) fault(err error) error {
	if err == nil {
		return nil
	}
	fault := &ParseError{Offset: p.decoder.InputOffset(), Problem: "the body is not JSON"}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		fault.Offset, fault.Pointer = syntax.ByteOffset, string(syntax.JSONPointer)
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		fault.Problem = "a member name stands twice in one object"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		fault.Problem = "the body ends too early"
	}
	return fault
}

// newEvent fills the typed fields from the tree.
func newEvent(fields map[string]any, body []byte) (*Event, error) {
	helper, _ := fields["helper"].(map[string]any)
	entry, _ := fields["entry"].(map[string]any)
	user, _ := fields["user"].(map[string]any)
	e := &Event{
		Event: text(fields, "event"), Timestamp: moment(fields, "timestamp"), Fields: fields, Raw: body,
		Helper: Helper{ID: text(helper, "id"), Name: text(helper, "name"), Command: text(helper, "command")},
		Entry:  Entry{ID: text(entry, "id"), CreatedAt: moment(entry, "created_at")},
		User:   User{ID: text(user, "id")},
	}
	e.Entry.Data, _ = entry["data"].(map[string]any)
	if e.Event == "" {
		return nil, &ParseError{Pointer: "/event", Problem: "event must be text that is not empty"}
	}
	if strings.HasPrefix(e.Event, "entry.") && e.Entry.ID == "" {
		return nil, &ParseError{Pointer: "/entry/id", Problem: "entry.id must be text that is not empty"}
	}
	return e, nil
}

func text(fields map[string]any, name string) string {
	text, _ := fields[name].(string)
	return text
}

func moment(fields map[string]any, name string) time.Time {
	moment, _ := time.Parse(time.RFC3339, text(fields, name))
	return moment
}

// printable cuts a JSON Pointer, which strangers chose, to what is fit for a log or an answer.
func printable(pointer string) string {
	const limit = 128
	if len(pointer) > limit {
		pointer = strings.ToValidUTF8(pointer[:limit], "") + "…"
	}
	quoted := strconv.QuoteToGraphic(pointer)
	return quoted[1 : len(quoted)-1]
}
