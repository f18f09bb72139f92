package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sheet is a page that says for each of some numbered rows which tests hold it. Its tables have the number, what is held,
// and the tests; in those with figures a fourth column tells what was measured. Tables with another head are none of it.
type sheet struct {
	path    string
	rows    map[string]int // how many it has of each letter, from 1
	figures bool
}

// held is what a page says of one row, over all the lines that it takes.
type held struct {
	tests          []string
	reason, figure string
}

var (
	sheetNumber = regexp.MustCompile(`^[A-Z]\d+$`)
	quoted      = regexp.MustCompile("`([^`]*)`")
)

// text is the page as it stands.
func (s sheet) text(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../" + s.path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// hold tells whatever is wrong with the page.
func (s sheet) hold(t *testing.T) {
	t.Helper()
	for _, problem := range s.problems(s.text(t), newNamed("../..")) {
		t.Errorf("%s: %s", s.path, problem)
	}
}

// breakage puts a fresh text in the place of an old one, of which something is to be told.
type breakage struct{ old, fresh, want string }

// tells holds that each breakage of the page is told.
func (s sheet) tells(t *testing.T, breakages map[string]breakage) {
	t.Helper()
	sound, there := s.text(t), newNamed("../..")
	for name, b := range breakages {
		if !strings.Contains(sound, b.old) {
			t.Errorf("%s: %s does not hold %q, so that it cannot be broken there", name, s.path, b.old)
			continue
		}
		problems := s.problems(strings.Replace(sound, b.old, b.fresh, 1), there)
		if !slices.ContainsFunc(problems, func(told string) bool { return strings.Contains(told, b.want) }) {
			t.Errorf("%s: told is %q, want %q", name, problems, b.want)
		}
	}
}

// problems are all that is wrong with a text of the page.
func (s sheet) problems(text string, there *named) (problems []string) {
	rows, problems := s.read(text)
	for letter, n := range s.rows {
		for i := range n {
			name := letter + strconv.Itoa(i+1)
			if rows[name] == nil {
				problems = append(problems, "there is no row "+name)
				continue
			}
			problems = append(problems, s.check(name, *rows[name], there)...)
			delete(rows, name)
		}
	}
	for name := range rows {
		problems = append(problems, "there is no "+name+" to hold")
	}
	return problems
}

// read gathers the rows of all tables of the sheet.
func (s sheet) read(text string) (rows map[string]*held, problems []string) {
	rows = map[string]*held{}
	number, inTable, passed := "", false, false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		begins := !inTable
		inTable = strings.HasPrefix(line, "|")
		switch {
		case !inTable || strings.HasPrefix(line, "|--"):
			continue
		case begins: // the head of a table
			number, passed = "", !strings.HasSuffix(line, s.head())
			continue
		case passed:
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		switch name := strings.TrimSpace(cells[0]); {
		case len(cells) != s.columns() || (name != "" && !sheetNumber.MatchString(name)):
			problems = append(problems, "this is no row of the sheet: "+line)
			continue
		case name != "" && rows[name] != nil:
			problems = append(problems, name+" stands twice")
			continue
		case name != "":
			number = name
			rows[number] = &held{}
		case number == "":
			problems = append(problems, "a row stands before the first number: "+line)
			continue
		}
		rows[number].add(cells[2:])
	}
	return rows, problems
}

// head is how the head of a table of the sheet ends.
func (s sheet) head() string {
	if s.figures {
		return " held by | figure |"
	}
	return " by |"
}

func (s sheet) columns() int {
	if s.figures {
		return 4
	}
	return 3
}

// add takes the cells behind the second of one more line of a row.
func (h *held) add(cells []string) {
	for _, found := range quoted.FindAllStringSubmatch(cells[0], -1) {
		h.tests = append(h.tests, found[1])
	}
	h.reason += strings.Trim(quoted.ReplaceAllString(cells[0], ""), " ,")
	if len(cells) > 1 {
		h.figure += strings.TrimSpace(cells[1])
	}
}

func (s sheet) check(name string, h held, there *named) (problems []string) {
	switch reasoned := strings.HasPrefix(h.reason, "not yet: ") || strings.HasPrefix(h.reason, "out of scope: "); {
	case h.reason != "" && !reasoned:
		problems = append(problems, fmt.Sprintf(`%s: %q begins with neither "not yet: " nor "out of scope: "`, name, h.reason))
	case h.reason == "" && len(h.tests) == 0:
		problems = append(problems, name+" names neither a test nor a reason")
	case h.reason == "" && s.figures && h.figure == "":
		problems = append(problems, name+" has no figure")
	}
	for _, test := range h.tests {
		if problem := there.find(test); problem != "" {
			problems = append(problems, name+": "+problem)
		}
	}
	return problems
}
