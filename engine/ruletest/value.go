package ruletest

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// A value is JSON as Go holds it, numbers with their digits: nil, bool, string, json.Number, []any or map[string]any.

// valueOf is a tree of the file as a value.
func valueOf(t *rulefile.Tree) any {
	switch {
	case t.Literal != "":
		value, _ := readJSON([]byte(t.Literal))
		return value
	case t.Scalar != nil:
		return t.Scalar.Value
	case t.List != nil:
		list := make([]any, len(t.List))
		for i, item := range t.List {
			list[i] = valueOf(item)
		}
		return list
	}
	members := make(map[string]any, len(t.Members))
	for _, member := range t.Members {
		members[member.Name] = valueOf(member.Value)
	}
	return members
}

// textOf is a scalar of the file as it is written there; false when it is no scalar.
func textOf(t *rulefile.Tree) (string, bool) {
	if t.Scalar != nil {
		return t.Scalar.Value, true
	}
	return t.Literal, t.Literal != ""
}

func readJSON(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

// writeJSON writes a value on one line, with <, > and & as they are.
func writeJSON(value any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// indented writes an object with a member a line, so that two of them can be compared by lines.
func indented(value any, indent string) string {
	members, ok := value.(map[string]any)
	if !ok || len(members) == 0 {
		return writeJSON(value)
	}
	var out strings.Builder
	out.WriteString("{\n")
	for _, name := range slices.Sorted(maps.Keys(members)) {
		out.WriteString(indent + "  " + name + ": " + indented(members[name], indent+"  ") + "\n")
	}
	out.WriteString(indent + "}")
	return out.String()
}

// equal compares two values: numbers by what they are, everything else exactly.
func equal(a, b any) bool {
	switch x := a.(type) {
	case json.Number:
		y, ok := b.(json.Number)
		return ok && equalNumbers(string(x), string(y))
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, equal)
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for name, value := range x {
			if other, there := y[name]; !there || !equal(value, other) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case []any, map[string]any:
		return false
	}
	return a == b
}

func equalNumbers(a, b string) bool {
	if a == b {
		return true
	}
	_, err := strconv.ParseInt(a, 10, 64)
	_, err2 := strconv.ParseInt(b, 10, 64)
	if err == nil && err2 == nil {
		return false // but for -0, whole numbers have one spelling
	}
	x, err := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return err == nil && err2 == nil && x == y
}

// contains tells whether a value holds a part: a text a piece of it, a list each of the items, an object each of the
// members. A list of pieces asks a text for every one.
func contains(value, part any) bool {
	switch v := value.(type) {
	case string:
		pieces, ok := part.([]any)
		if !ok {
			pieces = []any{part}
		}
		return !slices.ContainsFunc(pieces, func(piece any) bool {
			text, isText := piece.(string)
			return !isText || !strings.Contains(v, text)
		})
	case []any:
		items, ok := part.([]any)
		if !ok {
			items = []any{part}
		}
		return !slices.ContainsFunc(items, func(item any) bool {
			return !slices.ContainsFunc(v, func(one any) bool { return equal(one, item) || contains(one, item) })
		})
	case map[string]any:
		members, ok := part.(map[string]any)
		if !ok {
			return false
		}
		for name, want := range members {
			if got, there := v[name]; !there || !equal(got, want) && !contains(got, want) {
				return false
			}
		}
		return true
	}
	return equal(value, part)
}
