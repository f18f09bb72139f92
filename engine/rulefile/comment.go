package rulefile

import (
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Comment is a YAML comment.
type Comment struct {
	Place Place  // of its #
	Text  string // behind the #, without blanks around it
	// From and To are the lines it speaks of: its own, or, where it stands alone, the next that says anything; with the
	// rest of a text that begins there.
	From, To int
	source   *Source
}

// Problem tells of something wrong with the comment.
func (c Comment) Problem(code, message string) Problem {
	return Problem{
		Place: c.Place, Length: utf8.RuneCountInString(strings.TrimRight(c.source.Line(c.Place.Line), " \t")) - c.Place.Column + 1,
		Code: code, Message: message, source: c.source,
	}
}

// Comments are the comments of a file that YAML can read, in their order. What looks like one within a text is none.
func (s *Source) Comments() []Comment {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(s.Text), &document); err != nil {
		return nil
	}
	texts := texts{}
	texts.add(s, &document)
	var comments []Comment
	alone := map[int]bool{} // lines that hold nothing but a comment
	for n := range s.lines {
		line := []rune(s.Line(n + 1))
		at := commentIn(line, n+1, texts)
		if at < 0 {
			continue
		}
		alone[n+1] = strings.TrimSpace(string(line[:at])) == ""
		comments = append(comments, Comment{
			Place: Place{File: s.Name, Line: n + 1, Column: at + 1}, Text: strings.TrimSpace(string(line[at+1:])), source: s,
		})
	}
	for i := range comments {
		comments[i].From, comments[i].To = s.spokenOf(comments[i].Place.Line, alone, texts)
	}
	return comments
}

// spokenOf are the lines that a comment in a line speaks of.
func (s *Source) spokenOf(line int, alone map[int]bool, texts texts) (from, to int) {
	for alone[line] || line < len(s.lines) && strings.TrimSpace(s.Line(line)) == "" {
		line++
	}
	to = line
	for _, t := range texts[line] {
		if t.head == line {
			to = max(to, t.to.line)
		}
	}
	return line, to
}

// commentIn is where a comment begins in a line, counted from 0; -1 when there is none. A # begins one at the start of a
// line or behind a blank, outside of quoted texts and block scalars.
func commentIn(line []rune, n int, texts texts) int {
	for at, r := range line {
		if r != '#' || at > 0 && line[at-1] != ' ' && line[at-1] != '\t' {
			continue
		}
		within := false
		for _, t := range texts[n] {
			within = within || t.holds(position{n, at + 1})
		}
		if !within {
			return at
		}
	}
	return -1
}

// position is a line and a column, both counted from 1.
type position struct{ line, column int }

func (p position) before(q position) bool {
	return p.line < q.line || p.line == q.line && p.column < q.column
}

// textExtent is where a quoted text or a block scalar stands, its ends included.
type textExtent struct {
	head     int // the line that it begins in
	from, to position
}

func (t textExtent) holds(p position) bool { return !p.before(t.from) && !t.to.before(p) }

// texts are the quoted texts and block scalars of a file by every line that they stand in.
type texts map[int][]textExtent

func (in texts) add(s *Source, node *yaml.Node) {
	if node.Kind == yaml.ScalarNode && node.Style&(yaml.LiteralStyle|yaml.FoldedStyle|yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		t := extentOf(s, node)
		for line := t.head; line <= t.to.line; line++ {
			in[line] = append(in[line], t)
		}
	}
	for _, child := range node.Content {
		in.add(s, child)
	}
}

func extentOf(s *Source, node *yaml.Node) textExtent {
	start := position{node.Line, node.Column}
	switch {
	case node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		// What stands behind the | is no part of the text.
		return textExtent{head: node.Line, from: position{node.Line + 1, 1}, to: s.endOfBlock(node)}
	case node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		return textExtent{head: node.Line, from: start, to: s.endOfQuoted(node)}
	}
	return textExtent{head: node.Line, from: start, to: start}
}

// endOfBlock is the end of a block scalar: its lines are indented as the first that is not blank.
func (s *Source) endOfBlock(node *yaml.Node) position {
	end, indent := node.Line, -1
	for n := node.Line + 1; n <= len(s.lines) && strings.TrimSpace(node.Value) != ""; n++ {
		line := s.Line(n)
		text := strings.TrimLeft(line, " ")
		switch {
		case strings.TrimSpace(text) == "":
			continue
		case indent < 0:
			indent = len(line) - len(text)
		case len(line)-len(text) < indent:
			return position{end, len(s.Line(end)) + 1}
		}
		end = n
	}
	return position{end, len(s.Line(end)) + 1}
}

// endOfQuoted is where the closing quote stands.
func (s *Source) endOfQuoted(node *yaml.Node) position {
	quote := '\''
	if node.Style&yaml.DoubleQuotedStyle != 0 {
		quote = '"'
	}
	at, opened := node.Column-1, false // an anchor may stand in front of the opening quote
	for n := node.Line; n <= len(s.lines); n++ {
		line := []rune(s.Line(n))
		for ; at < len(line); at++ {
			switch {
			case !opened:
				opened = line[at] == quote
			case quote == '"' && line[at] == '\\', quote == '\'' && line[at] == quote && at+1 < len(line) && line[at+1] == quote:
				at++
			case line[at] == quote:
				return position{n, at + 1}
			}
		}
		at = 0
	}
	return position{len(s.lines), 1}
}
