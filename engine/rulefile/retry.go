package rulefile

import (
	"gopkg.in/yaml.v3"
)

// Retry is a retry plan: a preset, a list of waits, or an exponential plan.
type Retry struct {
	anchored
	Preset Text
	Waits  []Duration
	Plan   *RetryPlan
}

// RetryPlan is an exponential plan.
type RetryPlan struct {
	Initial     Duration `yaml:"initial"`
	Multiplier  Number   `yaml:"multiplier"`
	MaxInterval Duration `yaml:"max_interval"`
	Attempts    Count    `yaml:"attempts"`
	Jitter      Number   `yaml:"jitter"`
}

// The presets of a retry plan.
const (
	PresetStandard = "standard"
	PresetPeanuts  = "peanuts"
)

func (r *Retry) decode(w *walker, node *yaml.Node) {
	r.anchored = w.anchor(node)
	switch node.Kind {
	case yaml.SequenceNode:
		w.decodeInto(&r.Waits, node)
	case yaml.MappingNode:
		w.decodeInto(&r.Plan, node)
	default:
		w.decodeInto(&r.Preset, node)
	}
}
