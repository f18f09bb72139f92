package peanuts

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// RawValue is the JSON of the value at a path of member names and list indexes (from 0), just as it was sent; false
// when there is none. It shares the event's bytes.
func (e *Event) RawValue(path ...string) ([]byte, bool) {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(e.Raw), decoderOptions())
	for _, step := range path {
		if !descend(decoder, step) {
			return nil, false
		}
	}
	value, err := decoder.ReadValue()
	return bytes.Clone(value), err == nil
}

// Literal is the text of the number at a path, just as it was sent: 612.50 is "612.50". It is false when there is
// no number.
func (e *Event) Literal(path ...string) (string, bool) {
	value, ok := e.RawValue(path...)
	if !ok || jsontext.Value(value).Kind() != '0' {
		return "", false
	}
	return string(bytes.TrimSpace(value)), true
}

// descend moves the decoder to just before the member or item of the next value that is named so.
func descend(decoder *jsontext.Decoder, step string) bool {
	token, err := decoder.ReadToken()
	if err != nil {
		return false
	}
	switch token.Kind() {
	case '{':
		return seekMember(decoder, step)
	case '[':
		index, err := strconv.Atoi(step)
		return err == nil && index >= 0 && seekItem(decoder, index)
	}
	return false
}

func seekMember(decoder *jsontext.Decoder, name string) bool {
	for decoder.PeekKind() == '"' {
		token, err := decoder.ReadToken()
		if err != nil {
			return false
		}
		if token.String() == name {
			return true
		}
		if decoder.SkipValue() != nil {
			return false
		}
	}
	return false
}

func seekItem(decoder *jsontext.Decoder, index int) bool {
	for ; index > 0; index-- {
		if decoder.PeekKind() == ']' || decoder.SkipValue() != nil {
			return false
		}
	}
	return decoder.PeekKind() != ']'
}
