package ruletest

import (
	"fmt"
	"strings"
)

// difference shows, field by field, where a finding differs from what is wanted.
func (w want) difference(f finding) []string {
	var lines []string
	if !w.at.IsZero() && !w.at.Equal(f.at) {
		lines = append(lines, "at", "  - "+timeText(w.at.In(f.at.Location())), "  + "+timeText(f.at))
	}
	for _, field := range w.fields {
		got, there := f.fields[field.field]
		switch {
		case field.met(got, there):
		case !there:
			lines = append(lines, field.field, "  - "+oneLine(field.value), "  + nothing")
		default:
			lines = append(lines, field.difference(got)...)
		}
	}
	for _, outcome := range []string{"dead", "error"} {
		if got, is := f.fields[outcome]; is && !w.asks(outcome) {
			lines = append(lines, fmt.Sprintf("%s: %v", outcome, got))
		}
	}
	return lines
}

func (w wanted) difference(got any) []string {
	name := w.field
	if w.part {
		name += " does not contain"
		lines := []string{name}
		pieces, many := w.value.([]any)
		if !many {
			pieces = []any{w.value}
		}
		for _, piece := range pieces {
			if !contains(got, piece) {
				lines = append(lines, "  - "+oneLine(piece))
			}
		}
		for _, line := range plainLines(got) {
			lines = append(lines, "    "+line)
		}
		return lines
	}
	return append([]string{name}, lineDiff(plainLines(w.value), plainLines(got))...)
}

func oneLine(value any) string { return strings.Join(plainLines(value), "⏎") }

// plainLines are the lines of a text, the members of an object, or a value on one line.
func plainLines(value any) []string {
	switch v := value.(type) {
	case string:
		lines := strings.Split(v, "\n")
		if last := len(lines) - 1; last > 0 && lines[last] == "" {
			lines = lines[:last]
			lines[last-1] += "⏎"
		}
		return lines
	case map[string]any:
		return strings.Split(indented(v, ""), "\n")
	}
	return []string{writeJSON(value)}
}

// lineDiff shows two lists of lines as one: "-" of a line that was wanted, "+" of one that came, both by their longest
// common rows.
func lineDiff(want, got []string) []string {
	common := make([][]int, len(want)+1) // of the rows from there on
	for i := range common {
		common[i] = make([]int, len(got)+1)
	}
	for i := len(want) - 1; i >= 0; i-- {
		for j := len(got) - 1; j >= 0; j-- {
			if common[i][j] = max(common[i+1][j], common[i][j+1]); want[i] == got[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	var lines []string
	for i, j := 0, 0; i < len(want) || j < len(got); {
		switch {
		case i < len(want) && j < len(got) && want[i] == got[j]:
			lines = append(lines, "    "+want[i])
			i, j = i+1, j+1
		case j == len(got) || i < len(want) && common[i+1][j] >= common[i][j+1]:
			lines = append(lines, "  - "+want[i])
			i++
		default:
			lines = append(lines, "  + "+got[j])
			j++
		}
	}
	return lines
}
