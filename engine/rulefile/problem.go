package rulefile

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Problem is something wrong in a rules file, and where.
type Problem struct {
	Place      Place
	Length     int // of the faulty part in characters; 0 means 1
	Code       string
	Message    string
	Suggestion string // what was probably meant; empty when nothing comes near
	Hint       string // what to do; empty when the message says it
	Warning    bool   // the file can be used all the same
	source     *Source
}

// String is the problem in one line: rules.yaml:12:7: unknown key "whne", did you mean "when"? [unknown-key]
func (p Problem) String() string {
	var out strings.Builder
	out.WriteString(p.Place.String())
	out.WriteString(": ")
	if p.Warning {
		out.WriteString("warning: ")
	}
	out.WriteString(p.Message)
	if p.Suggestion != "" {
		fmt.Fprintf(&out, ", did you mean %s?", p.Suggestion)
	}
	if p.Hint != "" {
		fmt.Fprintf(&out, ": %s", p.Hint)
	}
	fmt.Fprintf(&out, " [%s]", p.Code)
	return out.String()
}

// Problems are all that is wrong with some rules files, in the order of their places.
type Problems []Problem

// Error is every problem, a line each.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Failed tells whether one of them is more than a warning.
func (ps Problems) Failed() bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return !p.Warning })
}

// Errors are those that are more than warnings.
func (ps Problems) Errors() Problems {
	return slices.DeleteFunc(slices.Clone(ps), func(p Problem) bool { return p.Warning })
}

// Sort orders the problems by place.
func (ps Problems) Sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Place.File, b.Place.File), cmp.Compare(a.Place.Line, b.Place.Line),
			cmp.Compare(a.Place.Column, b.Place.Column), strings.Compare(a.Message, b.Message))
	})
}

// Report writes every problem with its source line and a caret below the fault.
func (ps Problems) Report(w io.Writer) error {
	for _, p := range ps {
		if _, err := fmt.Fprintln(w, p.String()); err != nil {
			return err
		}
		if p.source == nil || p.Place.Line == 0 {
			continue
		}
		if _, err := io.WriteString(w, p.excerpt()); err != nil {
			return err
		}
	}
	return nil
}

const excerptWidth = 160 // how many characters of a source line are shown

func (p Problem) excerpt() string {
	line := []rune(strings.ReplaceAll(p.source.shown(p.Place.Line), "\t", " "))
	for i, r := range line {
		if !unicode.IsPrint(r) {
			line[i] = '\uFFFD'
		}
	}
	column := min(p.Place.Column-1, len(line))
	if from := column - excerptWidth/2; len(line) > excerptWidth && from > 0 {
		line, column = line[from:], column-from
	}
	line = line[:min(len(line), excerptWidth)]
	carets := strings.Repeat("^", max(1, min(p.Length, len(line)-column)))
	gutter := fmt.Sprintf("%5d", p.Place.Line)
	return fmt.Sprintf("%s | %s\n%s | %s%s\n", gutter, string(line), strings.Repeat(" ", utf8.RuneCountInString(gutter)),
		strings.Repeat(" ", column), carets)
}

// Summary counts the problems: "2 errors, 1 warning".
func (ps Problems) Summary() string {
	failed := len(ps.Errors())
	var parts []string
	for _, part := range []struct {
		n    int
		noun string
	}{{failed, "error"}, {len(ps) - failed, "warning"}} {
		switch part.n {
		case 0:
		case 1:
			parts = append(parts, "1 "+part.noun)
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", part.n, part.noun))
		}
	}
	if len(parts) == 0 {
		return "no problems"
	}
	return strings.Join(parts, ", ")
}
