package rulefile

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// variablePattern finds ${NAME}, ${NAME:-default} or ${file:NAME}. What holds one is not looked at further: only Load
// knows its value.
const variablePattern = `\$\{([A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?|file:[^}]+)\}`

// scalar is the type of any scalar: Load reads them all as text, and so does not ask for quotes.
func scalar() []string { return []string{"string", "number", "boolean"} }

// ofDecoder is the schema of a type that reads itself.
func (m *schemaMaker) ofDecoder(t reflect.Type) *schema {
	switch t {
	case reflect.TypeFor[Text](), reflect.TypeFor[Template]():
		return &schema{Type: scalar()}
	case reflect.TypeFor[Tree]():
		return &schema{}
	case reflect.TypeFor[Count]():
		return m.digits("integer", `^[+-]?[0-9]+$`, "must be a whole number")
	case reflect.TypeFor[Flag]():
		return &schema{AnyOf: m.words(true, false, "true", "false")}
	case reflect.TypeFor[Number]():
		return m.digits("number", `^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`, "must be a number")
	case reflect.TypeFor[Duration]():
		s := &schema{}
		m.matching(`^\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`, "must be a duration such as 30s, 5m or 2h")(s)
		return s
	case reflect.TypeFor[Headers]():
		return &schema{Type: "object", PropertyNames: headerNames(), AdditionalProperties: m.of(reflect.TypeFor[Template]())}
	case reflect.TypeFor[Upsert]():
		return &schema{Type: "object", MinProperties: 1, PropertyNames: &schema{MinLength: 1}, AdditionalProperties: m.of(reflect.TypeFor[Tree]())}
	case reflect.TypeFor[OnDelete]():
		return &schema{AnyOf: append(m.words(OnDeleteRow, OnDeleteKeep), m.of(reflect.TypeFor[Mark]()))}
	case reflect.TypeFor[Retry]():
		waits := m.of(reflect.TypeFor[[]Duration]())
		waits.MaxItems = maxAttempts - 1
		return &schema{AnyOf: append(m.words(PresetStandard, PresetPeanuts), waits, m.of(reflect.TypeFor[RetryPlan]()))}
	case reflect.TypeFor[Actions]():
		return m.named(reflect.TypeFor[Action]())
	case reflect.TypeFor[Stats]():
		return m.named(reflect.TypeFor[Stat]())
	}
	m.failf("%s reads itself; schema_shapes.go does not tell what from", t)
	return &schema{}
}

// named is the schema of a mapping of names to what is read into a type.
func (m *schemaMaker) named(t reflect.Type) *schema {
	names := &schema{}
	aName(m, names)
	return &schema{Type: "object", PropertyNames: names, AdditionalProperties: m.of(t)}
}

// digits is the schema of a number, which may stand in quotes.
func (m *schemaMaker) digits(kind, pattern, otherwise string) *schema {
	s := &schema{}
	m.matching(pattern, otherwise)(s)
	s.Type = []string{kind, "string"}
	return s
}

// matching makes a schema one of text that matches a pattern, or holds a variable where one may stand.
func (m *schemaMaker) matching(pattern, otherwise string) func(*schema) {
	if m.variables {
		pattern += "|" + variablePattern
	}
	return func(s *schema) { s.Type, s.Pattern, s.ErrorMessage = "string", pattern, otherwise }
}

// words are the schemas of one of some words, and of a variable where one may stand.
func (m *schemaMaker) words(words ...any) []*schema {
	alternatives := []*schema{{Enum: words}}
	if m.variables {
		alternatives = append(alternatives, &schema{Type: "string", Pattern: variablePattern})
	}
	return alternatives
}

// headerNames is the schema of what the checker takes for the name of a header.
func headerNames() *schema {
	s := &schema{Pattern: headerToken, ErrorMessage: "is no header name", Not: &schema{}}
	var own []string
	for _, name := range ownHeaders() {
		own = append(own, anyCase(name))
	}
	s.Not.Pattern = "^(" + strings.Join(own, "|") + ")$"
	return s
}

// anyCase is a pattern for a word in capitals or not: JSON Schema's patterns have no switch for it.
func anyCase(word string) string {
	var out strings.Builder
	for _, r := range word {
		if upper, lower := unicode.ToUpper(r), unicode.ToLower(r); upper != lower {
			fmt.Fprintf(&out, "[%c%c]", upper, lower)
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

// further adds what keys say together.
func (m *schemaMaker) further(t reflect.Type, s *schema) {
	switch t {
	case reflect.TypeFor[Action]():
		for _, kind := range kinds() {
			s.OneOf = append(s.OneOf, &schema{Required: []string{kind}})
		}
	case reflect.TypeFor[Slack]():
		s.OneOf = []*schema{
			{Required: []string{"token", "channel"}, Properties: without("webhook_url")},
			{Required: []string{"webhook_url"}, Properties: without("token", "channel")},
		}
	case reflect.TypeFor[Step]():
		s.DependentSchemas = stepParts()
	}
}

// kinds are the keys that make an action one of a kind.
func kinds() []string {
	var kinds []string
	for field := range reflect.TypeFor[Action]().Fields() {
		if field.Type.Kind() != reflect.Pointer {
			continue
		}
		var a Action
		reflect.ValueOf(&a).Elem().FieldByIndex(field.Index).Set(reflect.New(field.Type.Elem()))
		if kind := a.Kind(); kind != "" {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// stepParts keeps a step from saying what no kind of action takes together.
func stepParts() schemaMembers {
	parts := (&Step{}).parts()
	var members schemaMembers
	for _, one := range parts {
		var others []string
		for _, other := range parts {
			together := slices.ContainsFunc(one.kinds, func(kind string) bool { return contains(other.kinds, kind) })
			if !together || one.key == "json" && other.key == "body" || one.key == "body" && other.key == "json" {
				others = append(others, other.key)
			}
		}
		if one.key == "upsert" {
			others = append(others, "at")
		}
		members = append(members, schemaMember{one.key, &schema{Properties: without(others...)}})
	}
	return members
}

// without refuses keys.
func without(keys ...string) schemaMembers {
	var members schemaMembers
	for _, key := range keys {
		members = append(members, schemaMember{key, false})
	}
	return members
}
