package condition

import (
	"strings"

	"github.com/expr-lang/expr/ast"
)

// extent is where a node stands in the source, in bytes. What expr tells of it leaves out the brackets around it.
func extent(source string, node ast.Node) (from, to int) {
	first, last := startOf(node), 0
	ast.Walk(&node, visit(func(child *ast.Node) { last = max(last, (*child).Location().To) }))
	from, to = byteOffset(source, first), byteOffset(source, last)
	open, closed, to := brackets(source, from, to)
	if open > 0 {
		return from, to
	}
	return openedBefore(source, from, closed), to
}

// brackets counts those that are closed in a piece of the source but opened before it, and moves its end behind those
// that are opened in it and closed later.
func brackets(source string, from, to int) (open, closed, end int) {
	for at := from; at < len(source) && (at < to || open > 0); at++ {
		switch c := source[at]; c {
		case '"', '\'', '`':
			at = endOfText(source, at)
		case '(', '[', '{':
			open++
		case ')', ']', '}':
			if open == 0 {
				closed++
			} else {
				open--
			}
		}
		to = max(to, min(at+1, len(source)))
	}
	return open, closed, to
}

// endOfText is where the quote stands that ends the text literal beginning at a quote.
func endOfText(source string, at int) int {
	quote := source[at]
	for at++; at < len(source) && source[at] != quote; at++ {
		if source[at] == '\\' && quote != '`' {
			at++
		}
	}
	return at
}

// openedBefore goes back over as many opening brackets, where nothing but blanks stands between.
func openedBefore(source string, from, brackets int) int {
	for at := from - 1; at >= 0 && brackets > 0; at-- {
		switch source[at] {
		case '(', '[', '{':
			from, brackets = at, brackets-1
		case ' ', '\t', '\n', '\r':
		default:
			return from
		}
	}
	return from
}

// Hole is a {{ }} of a template.
type Hole struct {
	Source     string   // the expression
	Expression *Outline // its Offset counts from the start of the template
	Offset     int      // where the braces open, in bytes of the template
	Length     int      // from there to behind the closing braces
}

// Holes takes a template apart that compiles.
func (d *Dialect) Holes(template string) []Hole {
	var holes []Hole
	for at := 0; at < len(template); {
		open := strings.Index(template[at:], "{{")
		if open < 0 {
			break
		}
		from := at + open + len("{{")
		length := closing(template[from:])
		if length < 0 {
			break
		}
		hole := Hole{Source: template[from : from+length], Offset: at + open, Length: length + len("{{}}")}
		if hole.Expression = d.Outline(hole.Source); hole.Expression != nil {
			hole.Expression.Each(func(part *Outline) { part.Offset += from })
			holes = append(holes, hole)
		}
		at = from + length + len("}}")
	}
	return holes
}
