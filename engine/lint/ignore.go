package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

const ignoreMark = "lint:ignore"

// ignore is a comment that hides findings of one code in some lines.
type ignore struct {
	comment  rulefile.Comment
	code     string
	from, to int
	used     bool
}

// ignored leaves out what comments hide, and adds what is wrong with these comments.
func ignored(file *rulefile.File, problems rulefile.Problems, seen *Seen) rulefile.Problems {
	ignores, findings := ignoresIn(file)
	byLine := map[line][]*ignore{}
	for _, i := range ignores {
		for n := i.from; n <= i.to; n++ {
			at := line{i.comment.Place.File, n}
			byLine[at] = append(byLine[at], i)
		}
	}
	kept := slices.DeleteFunc(problems, func(p rulefile.Problem) bool {
		hidden := false
		for _, i := range byLine[line{p.Place.File, p.Place.Line}] {
			if i.code == p.Code {
				i.used, hidden = true, true
			}
		}
		return hidden
	})
	for _, i := range ignores {
		if !i.used && seen.tells(i.code) {
			findings = append(findings, warning(i.comment, IgnoreUnused, fmt.Sprintf("there is no %s here to be ignored", i.code), "leave the comment out"))
		}
	}
	return append(kept, findings...)
}

// line is a line of a file.
type line struct {
	file string
	n    int
}

// tells tells whether findings of a code could be made at all with what was seen.
func (s *Seen) tells(code string) bool {
	switch code {
	case AbsentSamples, FailsSamples:
		return len(s.samples) > 0
	case UnknownField, TextNumber:
		return len(s.helpers) > 0
	}
	return true
}

// ignoresIn reads the ignores of a file, and tells of those that cannot be followed, or do not say why.
func ignoresIn(file *rulefile.File) (ignores []*ignore, findings rulefile.Problems) {
	rules := map[line]int{} // the last line of a rule by its first
	for _, rule := range file.Rules {
		first, last := rule.Where.Lines()
		rules[line{rule.Where.Place().File, first}] = last
	}
	for _, source := range file.Sources {
		if !strings.Contains(source.Text, ignoreMark) {
			continue
		}
		for _, comment := range source.Comments() {
			i, wrong := readIgnore(comment)
			findings = append(findings, wrong...)
			if i == nil {
				continue
			}
			if comment.From != comment.Place.Line {
				i.to = max(i.to, rules[line{comment.Place.File, comment.From}])
			}
			ignores = append(ignores, i)
		}
	}
	return ignores, findings
}

// readIgnore reads a comment; the ignore is nil when it is another one, or cannot be followed.
func readIgnore(comment rulefile.Comment) (*ignore, rulefile.Problems) {
	words := strings.Fields(comment.Text)
	switch {
	case len(words) == 0 || words[0] != ignoreMark:
		return nil, nil
	case len(words) == 1 || !slices.Contains(Codes(), words[1]):
		return nil, rulefile.Problems{unknownCode(comment, words[1:])}
	}
	i := &ignore{comment: comment, code: words[1], from: comment.From, to: comment.To}
	if len(words) > 2 {
		return i, nil
	}
	return i, rulefile.Problems{
		warning(comment, IgnoreReason, "the comment does not say why", "write # "+ignoreMark+" "+words[1]+" and the reason"),
	}
}

func unknownCode(comment rulefile.Comment, words []string) rulefile.Problem {
	if len(words) == 0 {
		return warning(comment, IgnoreUnknown, "the comment names no code", "write # "+ignoreMark+" CODE and the reason")
	}
	p := warning(comment, IgnoreUnknown, fmt.Sprintf("unknown code %q", words[0]), "")
	best := len(words[0])/3 + 1
	for _, code := range Codes() {
		if d := levenshtein.ComputeDistance(words[0], code); d < best {
			p.Suggestion, best = code, d
		}
	}
	return p
}

func warning(comment rulefile.Comment, code, message, hint string) rulefile.Problem {
	p := comment.Problem(code, message)
	p.Warning, p.Hint = true, hint
	return p
}
