package rulefile

import (
	"gopkg.in/yaml.v3"
)

// SQL are the settings of an sql action.
type SQL struct {
	Database Text `yaml:"database"`
	Table    Text `yaml:"table"`
	Key      Text `yaml:"key"`
	Version  Text `yaml:"version"`
}

// Upsert are the columns of a row by name, in the order of the file.
type Upsert struct {
	anchored
	Columns []Column
	bad     bool // what was wrong has been told
}

// Column is one of them. Its value keeps its type.
type Column struct {
	Name  Text
	Value *Tree
}

func (u *Upsert) decode(w *walker, node *yaml.Node) {
	u.anchored = w.anchor(node)
	if node.Kind != yaml.MappingNode || w.bracesUnquoted(node) {
		w.problem(node, "bad-value", "must be a mapping of columns to values")
		u.bad = true
		return
	}
	w.members(node, func(key, value *yaml.Node) {
		column := Column{Name: Text{anchored: w.anchor(key), Value: key.Value}, Value: &Tree{}}
		w.within(key.Value, func() { w.decodeInto(column.Value, value) })
		u.Columns = append(u.Columns, column)
	})
}

// OnDelete is what becomes of a row whose entry is deleted, or wanted no more: OnDeleteRow, OnDeleteKeep, or a mark.
type OnDelete struct {
	anchored
	Word Text
	Mark *Mark
}

// Mark names the column that gets the time.
type Mark struct {
	Mark Text `yaml:"mark"`
}

// The words of OnDelete.
const (
	OnDeleteRow  = "delete"
	OnDeleteKeep = "keep"
)

func (o *OnDelete) decode(w *walker, node *yaml.Node) {
	o.anchored = w.anchor(node)
	if node.Kind == yaml.MappingNode {
		w.decodeInto(&o.Mark, node)
		return
	}
	w.decodeInto(&o.Word, node)
}
