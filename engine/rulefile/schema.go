package rulefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// Schema is the JSON Schema of a rules file, for editors. It is made of the types that files are read into and of the
// keys that schema_keys.go describes; an error tells where the two do not match.
//
// What Load takes without a problem the schema takes, too. It sees less than Load does: the language of conditions and
// messages, what names refer to, and YAML itself are not its own.
func Schema() ([]byte, error) {
	m := &schemaMaker{keys: schemaKeys(), used: map[string]bool{}}
	root := m.of(reflect.TypeFor[File]())
	root.Schema, root.Title = "https://json-schema.org/draft/2020-12/schema", "rules file"
	for name := range m.keys {
		if !m.used[name] {
			m.failf("schema_keys.go describes %s, which no type has", name)
		}
	}
	if err := errors.Join(m.problems...); err != nil {
		return nil, err
	}
	text, err := marshalPlain(root)
	if err != nil {
		return nil, fmt.Errorf("writing the schema: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return nil, fmt.Errorf("writing the schema: %w", err)
	}
	return out.Bytes(), nil
}

// schemaMaker walks our types as walker walks a file.
type schemaMaker struct {
	keys      map[string]schemaKey
	used      map[string]bool // keys that a type has
	variables bool            // below `actions`, where a scalar may hold ${NAME}
	problems  []error
}

func (m *schemaMaker) failf(format string, args ...any) {
	m.problems = append(m.problems, fmt.Errorf(format, args...))
}

// of is the schema of what is read into a type.
func (m *schemaMaker) of(t reflect.Type) *schema {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[decoder]()) {
		return m.ofDecoder(t)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return m.of(t.Elem())
	case reflect.Slice:
		return &schema{Type: "array", Items: m.of(t.Elem())}
	case reflect.Struct:
		return m.ofStruct(t)
	}
	m.failf("nothing is read into the type %s", t)
	return &schema{}
}

func (m *schemaMaker) ofStruct(t reflect.Type) *schema {
	s := &schema{Title: titleOf(t), Type: "object", AdditionalProperties: false}
	for field := range t.Fields() {
		name := field.Tag.Get("yaml")
		if name == "" || name == "-" {
			continue
		}
		key, property := m.ofField(t, field)
		s.Properties = append(s.Properties, schemaMember{name, property})
		if key.needed {
			s.Required = append(s.Required, name)
		}
	}
	m.further(t, s)
	return s
}

// ofField is the schema of a key's value, with its description.
func (m *schemaMaker) ofField(t reflect.Type, field reflect.StructField) (schemaKey, *schema) {
	if t == reflect.TypeFor[File]() {
		m.variables = field.Tag.Get("expand") != ""
	}
	name := t.Name() + "." + field.Tag.Get("yaml")
	key, described := m.keys[name]
	if m.used[name] = true; !described || key.says == "" {
		m.failf("schema_keys.go does not describe %s", name)
	}
	if strings.HasSuffix(key.says, ".") || strings.Contains(key.says, "\n") {
		m.failf("schema_keys.go: what %s says is one line without a full stop", name)
	}
	property := m.of(field.Type)
	if key.shape != nil {
		key.shape(m, property)
	}
	property.Description = key.says
	return key, property
}

// titleOf is what editors call a value of a type: its name in small letters, RetryPlan as "retry plan".
func titleOf(t reflect.Type) string {
	words := regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(t.Name(), "$1 $2")
	return strings.ToLower(words)
}
