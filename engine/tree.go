package engine

import (
	"encoding/json"

	"github.com/peanuts-router/peanuts-router/engine/condition"
)

// tree is a compiled YAML tree, as stands under json: and blocks:. Just one of its fields is set.
type tree struct {
	literal json.RawMessage // a scalar without {{ }}
	leaf    *condition.Leaf // a scalar with some
	list    []*tree         // a sequence; not nil, if empty
	members []member        // a mapping, in the order of the file
}

type member struct {
	name  json.RawMessage
	value *tree
}

// appendJSON renders the tree as JSON. Values get there by an encoder only, so none can break out of its place (C19).
func (t *tree) appendJSON(to []byte, r *rendering) []byte {
	switch {
	case t.literal != nil:
		return append(to, t.literal...)
	case t.leaf != nil:
		return t.appendLeaf(to, r)
	case t.list != nil:
		to = append(to, '[')
		for i, item := range t.list {
			if i > 0 {
				to = append(to, ',')
			}
			to = item.appendJSON(to, r)
		}
		return append(to, ']')
	}
	to = append(to, '{')
	for i, m := range t.members {
		if i > 0 {
			to = append(to, ',')
		}
		to = append(append(to, m.name...), ':')
		to = m.value.appendJSON(to, r)
	}
	return append(to, '}')
}

func (t *tree) appendLeaf(to []byte, r *rendering) []byte {
	if r.err != nil {
		return to
	}
	value, absent, err := t.leaf.Render(r.scope)
	r.absent, r.err = append(r.absent, absent...), err
	return append(to, value...)
}

// usesNow tells whether what the tree renders differs with the time.
func (t *tree) usesNow() bool {
	if t.leaf != nil && t.leaf.UsesNow() {
		return true
	}
	for _, item := range t.list {
		if item.usesNow() {
			return true
		}
	}
	for _, m := range t.members {
		if m.value.usesNow() {
			return true
		}
	}
	return false
}
