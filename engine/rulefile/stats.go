package rulefile

import (
	"reflect"

	"gopkg.in/yaml.v3"
)

// Stats are the stats by name, in the order of the file.
type Stats []Stat

// Stat is a running total over entries.
type Stat struct {
	Name    Text `yaml:"-"`
	When    Text `yaml:"when"`
	Exclude Text `yaml:"exclude"`
	Value   Text `yaml:"value"`
	GroupBy Text `yaml:"group_by"`
	Unit    Text `yaml:"unit"`
}

func (s *Stats) decode(w *walker, node *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		w.problem(node, "bad-value", "must be a mapping of names to stats")
		return
	}
	w.members(node, func(key, value *yaml.Node) {
		stat := Stat{Name: Text{anchored: w.anchor(key), Value: key.Value}}
		w.within(key.Value, func() { w.decodeValue(reflect.ValueOf(&stat).Elem(), value) })
		*s = append(*s, stat)
	})
}
