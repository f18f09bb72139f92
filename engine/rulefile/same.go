package rulefile

import (
	"slices"

	"gopkg.in/yaml.v3"
)

// SameAs tells whether two rules say the same under every key but those named, whatever their order and spelling.
func (r *Rule) SameAs(other *Rule, but ...string) bool {
	return r.Where.IsSet() && other.Where.IsSet() && sameMembers(r.Where.node, other.Where.node, but)
}

// Lines are the first and the last line of the mapping.
func (a Anchor) Lines() (first, last int) {
	if a.node == nil {
		return 0, 0
	}
	return a.node.Line, lastLine(a.source, a.node)
}

// lastLine is the last line of a node, as far as YAML tells: of what stands on several lines, block scalars and quoted
// texts are followed to their end.
func lastLine(source *Source, node *yaml.Node) int {
	last := node.Line
	if node.Kind == yaml.ScalarNode {
		last = max(last, extentOf(source, node).to.line)
	}
	for _, child := range node.Content {
		last = max(last, lastLine(source, child))
	}
	return last
}

func same(a, b *yaml.Node) bool {
	a, b = resolved(a), resolved(b)
	if a.Kind != b.Kind || a.ShortTag() != b.ShortTag() {
		return false
	}
	switch a.Kind {
	case yaml.MappingNode:
		return sameMembers(a, b, nil)
	case yaml.SequenceNode:
		return slices.EqualFunc(a.Content, b.Content, same)
	}
	return a.Value == b.Value
}

func sameMembers(a, b *yaml.Node, but []string) bool {
	left, right := membersOf(a, but), membersOf(b, but)
	if len(left) != len(right) {
		return false
	}
	for key, value := range left {
		if other, there := right[key]; !there || !same(value, other) {
			return false
		}
	}
	return true
}

// membersOf are the values of a mapping by key, but for some.
func membersOf(node *yaml.Node, but []string) map[string]*yaml.Node {
	members := map[string]*yaml.Node{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if key := node.Content[i].Value; !slices.Contains(but, key) {
			members[key] = node.Content[i+1]
		}
	}
	return members
}

// resolved follows an alias.
func resolved(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}
