package rulefile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// errNoTree is of what is not YAML, or not one document: there is nothing that a schema could look at.
var errNoTree = errors.New("no tree")

// treeOf is what an editor holds against a schema: a document of YAML 1.2, which has no merge keys.
func treeOf(text string) (any, error) {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	var document, further yaml.Node
	if err := decoder.Decode(&document); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoTree, err)
	}
	if err := decoder.Decode(&further); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: several documents", errNoTree)
	}
	return treeBuilder{}.tree(document.Content[0])
}

// treeBuilder holds what was built of each node, so that nothing grows through aliases.
type treeBuilder map[*yaml.Node]any

func (b treeBuilder) tree(node *yaml.Node) (any, error) {
	if built, ok := b[node]; ok {
		return built, nil
	}
	built, err := b.build(node)
	b[node] = built
	return built, err
}

func (b treeBuilder) build(node *yaml.Node) (any, error) {
	switch {
	case node.Style&yaml.TaggedStyle != 0:
		return nil, fmt.Errorf("%w: nobody knows the tag %s", errNoTree, node.Tag)
	case node.Kind == yaml.AliasNode:
		return b.tree(node.Alias)
	case node.Kind == yaml.SequenceNode:
		return b.list(node)
	case node.Kind == yaml.MappingNode:
		return b.mapping(node)
	}
	return scalarOf(node), nil
}

func (b treeBuilder) list(node *yaml.Node) (any, error) {
	list := []any{}
	for _, item := range node.Content {
		tree, err := b.tree(item)
		if err != nil {
			return nil, err
		}
		list = append(list, tree)
	}
	return list, nil
}

func (b treeBuilder) mapping(node *yaml.Node) (any, error) {
	mapping := map[string]any{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i].Value // empty where the key is a mapping or a list
		if _, twice := mapping[key]; twice {
			return nil, fmt.Errorf("%w: the key %q stands twice", errNoTree, key)
		}
		tree, err := b.tree(node.Content[i+1])
		if err != nil {
			return nil, err
		}
		mapping[key] = tree
	}
	return mapping, nil
}

var coreNumber = regexp.MustCompile(`^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$`)

// scalarOf is a scalar by the core schema of YAML 1.2, other bases, infinity and NaN left out.
func scalarOf(node *yaml.Node) any {
	switch value := node.Value; {
	case node.Style&^yaml.FlowStyle != 0:
		return value
	case value == "" || value == "~" || value == "null":
		return nil
	case value == "true" || value == "false":
		return value == "true"
	case coreNumber.MatchString(value):
		return json.Number(value)
	default:
		return value
	}
}
