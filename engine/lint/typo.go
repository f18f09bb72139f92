package lint

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/agnivade/levenshtein"

	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// use is a place where a name stands: a part of an expression, or a whole text.
type use struct {
	in   rulefile.Text
	part *condition.Outline // nil: the whole text
}

// typos finds names of helpers and events that look like another of the file, or a known one, written wrongly.
func (c *linter) typos() {
	helpers, events := map[string][]use{}, map[string][]use{}
	for i := range c.rules {
		r := &c.rules[i]
		gather(helpers, r.When, r.when, "helper.command")
		gather(events, r.When, r.when, "event")
		for _, event := range r.On {
			events[event.Value] = append(events[event.Value], use{in: event})
		}
	}
	for _, s := range c.stats {
		gather(helpers, s.When, s.when, "helper.command")
	}
	c.misspelt(helpers, nil, HelperTypo, "helper")
	c.misspelt(events, append(rulefile.RouterEvents(), peanuts.EntryCreated, peanuts.EntryUpdated, peanuts.EntryDeleted), EventTypo, "event")
}

// gather notes the texts that a path is compared with.
func gather(uses map[string][]use, in rulefile.Text, o *condition.Outline, path string) {
	o.Each(func(part *condition.Outline) {
		for _, text := range comparedTexts(part, path) {
			uses[text] = append(uses[text], use{in: in, part: part})
		}
	})
}

// misspelt finds, among names, those that stand once and look like one that stands more often, or is known.
func (c *linter) misspelt(uses map[string][]use, known []string, code, what string) {
	names := slices.SortedFunc(maps.Keys(uses), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(uses[b]), len(uses[a])), strings.Compare(a, b))
	})
	for _, name := range names {
		if slices.Contains(known, name) {
			continue
		}
		near := slices.IndexFunc(known, func(other string) bool { return looksLike(name, other) })
		meant := ""
		switch {
		case near >= 0:
			meant = known[near]
		case len(uses[name]) == 1:
			near = slices.IndexFunc(names, func(other string) bool { return len(uses[other]) > 1 && looksLike(name, other) })
			if near < 0 {
				continue
			}
			meant = names[near]
		default:
			continue
		}
		for _, found := range uses[name] {
			c.tellTypo(found, name, meant, code, what)
		}
	}
}

func (c *linter) tellTypo(found use, name, meant, code, what string) {
	message := fmt.Sprintf("the %s %s looks like %s written wrongly", what, name, meant)
	if found.part == nil {
		c.tellWhole(found.in, code, message, "")
		return
	}
	c.tellOf(found.in, nameIn(found.part, name), code, message, "")
}

// nameIn is the literal of a comparison that holds a name; the comparison itself when it cannot be told.
func nameIn(part *condition.Outline, name string) *condition.Outline {
	for _, quote := range []string{`"`, `'`, "`"} {
		if at := strings.Index(part.Text, quote+name+quote); at >= 0 {
			return &condition.Outline{Text: quote + name + quote, Offset: part.Offset + at}
		}
	}
	return part
}

// looksLike tells whether a name is likely another written wrongly: of four letters at least, and one or two of them
// wrong. Names that only differ in digits, or in a word of one or two letters, are names of their own: /team-a, /team-b.
func looksLike(name, other string) bool {
	if len(name) < 4 || len(other) < 4 || name == other {
		return false
	}
	distance := levenshtein.ComputeDistance(name, other)
	if distance > 2 || distance == 2 && min(len(name), len(other)) < 8 && !sameLetters(name, other) {
		return false
	}
	left, right := words(name), words(other)
	if len(left) != len(right) {
		return true
	}
	for i := range left {
		if left[i] != right[i] && (len(left[i]) < 3 || len(right[i]) < 3 || withoutDigits(left[i]) == withoutDigits(right[i])) {
			return false
		}
	}
	return true
}

// sameLetters tells whether two names are made of the same letters: two were exchanged.
func sameLetters(a, b string) bool {
	left, right := []byte(a), []byte(b)
	slices.Sort(left)
	slices.Sort(right)
	return slices.Equal(left, right)
}

func words(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func withoutDigits(word string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, word)
}
