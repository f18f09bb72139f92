package peanuts_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// Parse takes a body exactly when the reference does, with equal values and the numbers' own texts.
func FuzzParse(f *testing.F) { // C4, C5, C6, A12, A13
	samples, err := filepath.Glob("../testdata/*.json")
	if err != nil || len(samples) == 0 {
		f.Fatalf("samples: %v, %v", samples, err)
	}
	for _, sample := range samples {
		body, err := os.ReadFile(sample)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	for _, value := range []string{
		`1,"a":2`, `1,"\u0061":2`, `"\ud800"`, `{"\ud800":1,"\udfff":2}`, `-0`, `1e999`, `1e-999`, `9223372036854775808`,
		`[1,{"b":[0.5e1,"x"]}]`, `"\/"`, `[1,]`, `"` + "\xff" + `"`, strings.Repeat("[", 64) + strings.Repeat("]", 64),
	} {
		f.Add([]byte(`{"event":"x","a":` + value + `}`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		want, ok := reference(body)
		e, err := peanuts.Parse(body)
		if (err == nil) != ok {
			t.Fatalf("Parse(%q) = %v, want taken: %v", body, err, ok)
		}
		if err != nil {
			if !errors.As(err, new(*peanuts.ParseError)) || strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Errorf("Parse(%q) = %q, want a *ParseError of one line", body, err)
			}
			return
		}
		if diff := cmp.Diff(held(want), any(e.Fields)); diff != "" {
			t.Errorf("Parse(%q), -want +got:\n%s", body, diff)
		}
		compareLiterals(t, e, want, nil)
	})
}

// reference reads a body with encoding/json, and checks C4 and C5 in the plainest way. Numbers stay json.Number.
func reference(body []byte) (any, bool) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	tree, ok := referenceValue(decoder, 0)
	if _, err := decoder.Token(); !ok || err != io.EOF {
		return nil, false
	}
	fields, _ := tree.(map[string]any)
	event, _ := fields["event"].(string)
	entry, _ := fields["entry"].(map[string]any)
	id, _ := entry["id"].(string)
	return tree, event != "" && (!strings.HasPrefix(event, "entry.") || id != "")
}

func referenceValue(decoder *json.Decoder, depth int) (any, bool) {
	token, err := decoder.Token()
	if err != nil {
		return nil, false
	}
	switch token := token.(type) {
	case json.Number:
		_, err := strconv.ParseFloat(token.String(), 64)
		return token, err == nil
	case json.Delim:
		if depth == 64 {
			return nil, false
		}
		if token == '[' {
			return referenceList(decoder, depth+1)
		}
		return referenceObject(decoder, depth+1)
	}
	return token, true
}

func referenceList(decoder *json.Decoder, depth int) (any, bool) {
	list := []any{}
	for decoder.More() {
		item, ok := referenceValue(decoder, depth)
		if !ok {
			return nil, false
		}
		list = append(list, item)
	}
	_, err := decoder.Token()
	return list, err == nil
}

func referenceObject(decoder *json.Decoder, depth int) (any, bool) {
	object := map[string]any{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, false
		}
		key := name.(string)
		if _, twice := object[key]; twice {
			return nil, false
		}
		value, ok := referenceValue(decoder, depth)
		if !ok {
			return nil, false
		}
		object[key] = value
	}
	_, err := decoder.Token()
	return object, err == nil
}

// held is a tree of the reference as Event.Fields holds it.
func held(value any) any {
	switch value := value.(type) {
	case json.Number:
		if whole, err := strconv.ParseInt(value.String(), 10, 64); err == nil {
			return whole
		}
		number, _ := value.Float64()
		return number
	case []any:
		list := make([]any, len(value))
		for i, item := range value {
			list[i] = held(item)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(value))
		for name, item := range value {
			object[name] = held(item)
		}
		return object
	}
	return value
}

func compareLiterals(t *testing.T, e *peanuts.Event, value any, path []string) {
	t.Helper()
	path = path[:len(path):len(path)]
	number, want := value.(json.Number)
	if got, ok := e.Literal(path...); ok != want || got != number.String() {
		t.Errorf("Literal(%q) of %q = %q, %v; want %q, %v", path, e.Raw, got, ok, number, want)
	}
	switch value := value.(type) {
	case []any:
		for i, item := range value {
			compareLiterals(t, e, item, append(path, strconv.Itoa(i)))
		}
	case map[string]any:
		for name, item := range value {
			compareLiterals(t, e, item, append(path, name))
		}
	}
}
