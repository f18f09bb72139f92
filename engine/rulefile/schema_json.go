package rulefile

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// schema is a JSON Schema, as far as ours goes.
type schema struct {
	Schema      string `json:"$schema,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`

	Type     any   `json:"type,omitempty"` // a name or a list of them
	Enum     []any `json:"enum,omitempty"`
	Examples []any `json:"examples,omitempty"`

	Minimum   *float64 `json:"minimum,omitempty"`
	Maximum   *float64 `json:"maximum,omitempty"`
	MinLength int      `json:"minLength,omitempty"`
	MaxLength int      `json:"maxLength,omitempty"`
	Pattern   string   `json:"pattern,omitempty"`

	// ErrorMessage is what editors say where type or pattern do not fit; validators pass over it.
	ErrorMessage string `json:"errorMessage,omitempty"`

	Properties           schemaMembers `json:"properties,omitempty"`
	Required             []string      `json:"required,omitempty"`
	PropertyNames        *schema       `json:"propertyNames,omitempty"`
	AdditionalProperties any           `json:"additionalProperties,omitempty"` // false or a schema
	DependentSchemas     schemaMembers `json:"dependentSchemas,omitempty"`

	Items         *schema `json:"items,omitempty"`
	MinItems      int     `json:"minItems,omitempty"`
	MinProperties int     `json:"minProperties,omitempty"`
	MaxItems      int     `json:"maxItems,omitempty"`
	UniqueItems   bool    `json:"uniqueItems,omitempty"`

	Not   *schema   `json:"not,omitempty"`
	AnyOf []*schema `json:"anyOf,omitempty"`
	OneOf []*schema `json:"oneOf,omitempty"`
}

// schemaMembers are schemas by name, in an order that says something.
type schemaMembers []schemaMember

type schemaMember struct {
	name  string
	value any // a schema or false
}

// MarshalJSON writes an object in the order of its members.
func (ms schemaMembers) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, member := range ms {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := marshalPlain(member.name)
		if err != nil {
			return nil, err
		}
		value, err := marshalPlain(member.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", member.name, err)
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

// marshalPlain writes JSON with <, > and & as they are, and a line end behind it.
func marshalPlain(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return out.Bytes(), err
}
