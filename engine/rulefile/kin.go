package rulefile

import "gopkg.in/yaml.v3"

// Read reads a YAML file of another kind than rules, by the same laws: into is a pointer to a struct of this package's
// types, and of lists and structs of them, under the names of their yaml tags; what names such a file in a sentence. A
// struct's field Where, an Anchor, gets its place. Nothing is expanded. What was read is to be used without problems only.
func Read(path, what string, into any) Problems {
	text, problem := readFile(path, maxSize)
	if problem != "" {
		return fileProblem(path, "unreadable", problem)
	}
	w := &walker{source: NewSource(path, text)}
	if root := w.document(what); root != nil {
		w.decodeInto(into, root)
	}
	w.problems.Sort()
	return w.problems
}

// Fault tells of something wrong with what stands there.
func (a anchored) Fault(code, message string) Problem {
	w := walker{source: a.source}
	w.add(a.node, Problem{Code: code, Message: message})
	return w.problems[0]
}

// Meant is the known word that differs least from another, quoted, as a Problem's Suggestion; empty when none comes near.
func Meant(word string, known []string) string {
	near := nearest(word, known)
	if near == "" {
		return ""
	}
	return `"` + near + `"`
}

// Members are the members of a mapping whose names are free, in the order of the file.
type Members struct {
	anchored
	List []Member
}

// Member is one of them. Its value keeps its type.
type Member struct {
	Name  Text
	Value *Tree
}

func (m *Members) decode(w *walker, node *yaml.Node) {
	m.anchored = w.anchor(node)
	if node.Kind != yaml.MappingNode || w.bracesUnquoted(node) {
		w.problem(node, "bad-value", "must be a mapping")
		return
	}
	w.members(node, func(key, value *yaml.Node) {
		member := Member{Name: Text{anchored: w.anchor(key), Value: key.Value}, Value: &Tree{}}
		w.within(key.Value, func() { w.decodeInto(member.Value, value) })
		m.List = append(m.List, member)
	})
}
