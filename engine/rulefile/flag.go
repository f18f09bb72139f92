package rulefile

import "gopkg.in/yaml.v3"

// Flag is true or false; nothing else that YAML would take for one.
type Flag struct {
	anchored
	Value bool
}

func (f *Flag) decode(w *walker, node *yaml.Node) {
	f.anchored = w.anchor(node)
	text, ok := "", true
	if node.Kind == yaml.ScalarNode {
		text, ok = w.scalar(node, false)
	}
	if ok && text != "true" && text != "false" {
		w.problem(node, "bad-value", "must be true or false")
	}
	f.Value = text == "true"
}
