package peanuts

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep objects and lists may be nested in a body.
const MaxDepth = 64

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
	input   bytes.Buffer
	decoder jsontext.Decoder
}

var parsers = sync.Pool{New: func() any { return new(parser) }}

// UTF-8 has been checked; what is left to allow are unpaired surrogates in escapes.
func decoderOptions() jsontext.Options { return jsontext.AllowInvalidUTF8(true) }

func (p *parser) reset(body []byte) {
	p.input = *bytes.NewBuffer(body)
	p.decoder.Reset(&p.input, decoderOptions())
}

func (p *parser) object(body []byte) (map[string]any, error) {
	p.reset(body)
	defer p.reset(nil) // lets go of the body
	if p.decoder.PeekKind() != jsontext.KindBeginObject {
		if _, err := p.decoder.ReadToken(); err != nil {
			return nil, p.fault(err)
		}
		return nil, &ParseError{Problem: "the body is not a JSON object"}
	}
	value, err := p.value()
	if err != nil {
		return nil, err
	}
	end := p.decoder.InputOffset()
	if _, err := p.decoder.ReadToken(); err != io.EOF {
		return nil, &ParseError{Offset: end, Problem: "something follows the JSON object"}
	}
	return value.(map[string]any), nil
}

func (p *parser) value() (any, error) {
	token, err := p.decoder.ReadToken()
	if err != nil {
		return nil, p.fault(err)
	}
	switch token.Kind() {
	case jsontext.KindNull:
		return nil, nil
	case jsontext.KindTrue, jsontext.KindFalse:
		return token.Bool(), nil
	case jsontext.KindString:
		return token.String(), nil
	case jsontext.KindNumber:
		return p.number(token.String())
	case jsontext.KindBeginArray:
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
	for p.decoder.PeekKind() != jsontext.KindEndArray {
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
	for p.decoder.PeekKind() != jsontext.KindEndObject {
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
		return p.problem(1, fmt.Sprintf("nested more than %d deep", MaxDepth))
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
		return nil, p.problem(len(text), "a number that is too large to hold")
	}
	return number, nil
}
