package peanuts

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// RawValue is the JSON of the value at a path of member names and list indexes (from 0), just as it was sent; false
// when there is none. It shares the event's bytes: do not change it.
func (e *Event) RawValue(path ...string) ([]byte, bool) {
	// Parse has found every name to be unique, so the first that fits is the one.
	decoder := jsontext.NewDecoder(bytes.NewBuffer(e.Raw), decoderOptions(), jsontext.AllowDuplicateNames(true))
	for _, step := range path {
		if !descend(decoder, step) {
			return nil, false
		}
	}
	value, err := decoder.ReadValue()
	if err != nil {
		return nil, false
	}
	end := int(decoder.InputOffset())
	return e.Raw[end-len(value) : end : end], true
}

// Literal is the text of the number at a path, just as it was sent: 612.50 is "612.50". It is false when there is
// no number.
func (e *Event) Literal(path ...string) (string, bool) {
	value, ok := e.RawValue(path...)
	if !ok || jsontext.Value(value).Kind() != jsontext.KindNumber {
		return "", false
	}
	return string(value), true
}

// descend moves the decoder into the next value, to just before the member or item that is named so.
func descend(decoder *jsontext.Decoder, step string) bool {
	token, err := decoder.ReadToken()
	if err != nil {
		return false
	}
	switch token.Kind() {
	case jsontext.KindBeginObject:
		return seekMember(decoder, step)
	case jsontext.KindBeginArray:
		index, err := strconv.Atoi(step)
		return err == nil && strconv.Itoa(index) == step && seekItem(decoder, index)
	}
	return false
}

func seekMember(decoder *jsontext.Decoder, name string) bool {
	for decoder.PeekKind() == jsontext.KindString {
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
	if index < 0 {
		return false
	}
	for ; index > 0; index-- {
		if decoder.PeekKind() == jsontext.KindEndArray || decoder.SkipValue() != nil {
			return false
		}
	}
	return decoder.PeekKind() != jsontext.KindEndArray
}
