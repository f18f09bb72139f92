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
	kept := slices.DeleteFunc(problems, func(p rulefile.Problem) bool {
		hidden := false
		for _, i := range ignores {
			if i.hides(p) {
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

func (i *ignore) hides(p rulefile.Problem) bool {
	return p.Code == i.code && p.Place.File == i.comment.Place.File && p.Place.Line >= i.from && p.Place.Line <= i.to
}

// ignoresIn reads the ignores of a file, and tells of those that cannot be followed, or do not say why.
func ignoresIn(file *rulefile.File) (ignores []*ignore, findings rulefile.Problems) {
	for _, source := range file.Sources {
		if !strings.Contains(source.Text, ignoreMark) {
			continue
		}
		for _, comment := range source.Comments() {
			words := strings.Fields(comment.Text)
			if len(words) == 0 || words[0] != ignoreMark {
				continue
			}
			if len(words) < 2 || !slices.Contains(Codes(), words[1]) {
				findings = append(findings, unknownCode(comment, words[1:]))
				continue
			}
			from, to := linesOf(file, comment)
			ignores = append(ignores, &ignore{comment: comment, code: words[1], from: from, to: to})
			if len(words) == 2 {
				findings = append(findings, warning(comment, IgnoreReason, "the comment does not say why", "write # "+ignoreMark+" "+words[1]+" and the reason"))
			}
		}
	}
	return ignores, findings
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

// linesOf are the lines that a comment speaks of: a whole rule when it stands above one.
func linesOf(file *rulefile.File, comment rulefile.Comment) (from, to int) {
	from, to = comment.From, comment.To
	if comment.From == comment.Place.Line {
		return from, to
	}
	for _, rule := range file.Rules {
		if first, last := rule.Where.Lines(); rule.Where.Place().File == comment.Place.File && first == from {
			to = max(to, last)
		}
	}
	return from, to
}
