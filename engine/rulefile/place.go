package rulefile

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Place is where something stands. Lines and columns count from 1; columns are characters.
type Place struct {
	File         string
	Line, Column int
}

// String prints the place as editors read it: file:line:column.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Source is one file as it was read.
type Source struct {
	Name    string
	Text    string
	lines   []string
	secrets []string // that are written into it
}

// Line is the text of a line, counted from 1, without its end; empty when there is none.
func (s *Source) Line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return s.lines[n-1]
}

// NewSource is a file of that name and text.
func NewSource(name, text string) *Source {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSuffix(line, "\r")
	}
	return &Source{Name: name, Text: text, lines: lines}
}

func (s *Source) place(node *yaml.Node) Place {
	if s == nil || node == nil {
		return Place{}
	}
	return Place{File: s.Name, Line: max(1, node.Line), Column: max(1, node.Column)}
}

// placeIn is the place of a byte within a scalar's value. Where YAML folds or unescapes it cannot be told exactly,
// and is the place of the scalar.
func (s *Source) placeIn(node *yaml.Node, offset int) Place {
	start := s.place(node)
	if s == nil || node == nil || offset < 0 || offset > len(node.Value) {
		return start
	}
	if node.Style&yaml.LiteralStyle != 0 {
		return s.placeInLiteral(node, offset, start)
	}
	column := node.Column - 1
	if node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		column++
	}
	line := []rune(s.Line(node.Line))
	if column > len(line) || !strings.HasPrefix(string(line[column:]), node.Value) {
		return start
	}
	start.Column = column + 1 + utf8.RuneCountInString(node.Value[:offset])
	return start
}

func (s *Source) placeInLiteral(node *yaml.Node, offset int, start Place) Place {
	before := node.Value[:offset]
	line := strings.Count(before, "\n")
	column := offset - (strings.LastIndexByte(before, '\n') + 1)
	values := strings.Split(node.Value, "\n")
	written := s.Line(node.Line + 1 + line)
	indent := utf8.RuneCountInString(written) - utf8.RuneCountInString(values[line])
	if indent < 0 || !strings.HasSuffix(written, values[line]) {
		return start
	}
	return Place{
		File: s.Name, Line: node.Line + 1 + line,
		Column: indent + 1 + utf8.RuneCountInString(values[line][:column]),
	}
}
