package peanuts

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// ParseError tells why a body is no event, and where. It holds no value of the event.
type ParseError struct {
	Offset  int64  // where the fault begins, or just before, in bytes from 0
	Pointer string // the JSON Pointer (RFC 6901) of the value with the fault; empty for the whole body; cut when long
	Problem string
}

func (e *ParseError) Error() string {
	if e.Pointer == "" {
		return fmt.Sprintf("%s (at byte %d)", e.Problem, e.Offset)
	}
	return fmt.Sprintf("%s (at byte %d, %s)", e.Problem, e.Offset, printable(e.Pointer))
}

// problem is a fault of the token just read, which is so many bytes long.
func (p *parser) problem(length int, text string) error {
	return &ParseError{
		Offset:  p.decoder.InputOffset() - int64(length),
		Pointer: cutPointer(p.decoder.StackPointer()),
		Problem: text,
	}
}

// fault turns the decoder's error into one that shows no value of the event.
func (p *parser) fault(err error) error {
	if err == nil {
		return nil
	}
	fault := &ParseError{Offset: p.decoder.InputOffset(), Problem: "the body is not JSON"}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		fault.Offset, fault.Pointer = syntax.ByteOffset, cutPointer(syntax.JSONPointer)
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		fault.Problem = "a member name stands twice in one object"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		fault.Problem = "the body ends too early"
	}
	return fault
}

// cutPointer bounds a pointer, since strangers chose its member names.
func cutPointer(pointer jsontext.Pointer) string { return cut(string(pointer), 128) }

// printable writes what strangers chose so that it fits on one line of a log or a terminal.
func printable(text string) string {
	quoted := strconv.QuoteToGraphic(text)
	return quoted[1 : len(quoted)-1]
}

// cut shortens text to so many bytes, on the border of a character.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
