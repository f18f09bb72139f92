package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// How many rows the sheet has of each letter: what the guide asks for, and its pitfalls.
var sheetRows = map[string]int{"R": 110, "P": 40}

// The sheet of requirements names each of them once, with tests that are there or a reason why there is none.
func TestTheSheetOfRequirementsIsWholeAndNamesTestsThatAreThere(t *testing.T) {
	text, err := os.ReadFile("../../docs/requirements.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range newSheet("../..").problems(string(text)) {
		t.Errorf("docs/requirements.md: %s", problem)
	}
}

// Broken in any way, the sheet is told of.
func TestAFaultySheetOfRequirementsIsToldOf(t *testing.T) {
	bytes, err := os.ReadFile("../../docs/requirements.md")
	if err != nil {
		t.Fatal(err)
	}
	sound := string(bytes)
	const mock = "| R106 | A command sends it, signed, to a running server | `testdata/scripts/mock.txtar` |\n"
	const tunnel = "`server TestAProxyInFrontChangesNothing`"
	const promise = "store TestSQLiteKeepsThePromises/a reminder is sent once"
	sheet := newSheet("../..")
	for name, c := range map[string]struct{ old, fresh, want string }{
		"a row is missing":       {mock, "", "there is no row R106"},
		"a row stands twice":     {mock, mock + mock, "R106 stands twice"},
		"a number that is none":  {"| R106 |", "| R111 |", "there is no R111 to hold"},
		"no such test":           {tunnel, "`server TestAProxy`", "R14: there is no test TestAProxy in server"},
		"no such folder":         {tunnel, strings.Replace(tunnel, "server", "serve", 1), "R14: there is no test TestAProxyInFrontChangesNothing in serve"},
		"no such part of a test": {promise, promise + " or twice", "P28: no part of TestSQLiteKeepsThePromises in store begins with"},
		"no such script":         {mock, strings.Replace(mock, "mock", "mocks", 1), "R106: there is no testdata/scripts/mocks.txtar"},
		"no test, no reason":     {mock, strings.Replace(mock, "`testdata/scripts/mock.txtar`", "", 1), "R106 names neither a test nor a reason"},
		"a reason that is none":  {"not yet: neither a service unit nor a container image", "later: a unit", `R101: "later: a unit"`},
		"what is no test":        {tunnel, "`server testAProxy`", "R14: `server testAProxy` is neither a test nor a script"},
		"a cell too many":        {mock, strings.Replace(mock, "sends", "|", 1), "this is no row of the sheet: | R106 |"},
		"a row out of any":       {"| R1 |", "| |", "a row stands before the first number"},
	} {
		if !strings.Contains(sound, c.old) {
			t.Errorf("%s: the sheet does not hold %q, so that it cannot be broken there", name, c.old)
			continue
		}
		problems := sheet.problems(strings.Replace(sound, c.old, c.fresh, 1))
		if !slices.ContainsFunc(problems, func(told string) bool { return strings.Contains(told, c.want) }) {
			t.Errorf("%s: told is %q, want %q", name, problems, c.want)
		}
	}
}

// sheet reads a sheet of requirements beside the code below root.
type sheet struct {
	root    string
	folders map[string]*testFolder
}

// testFolder is what a folder offers to name.
type testFolder struct {
	tests map[string]bool
	texts []string // that stand in its code and below, among them the names of parts of tests
}

// held is what a row says of one requirement, over all the lines that it takes.
type held struct {
	tests  []string
	reason string
}

func newSheet(root string) *sheet { return &sheet{root: root, folders: map[string]*testFolder{}} }

var (
	sheetLine = regexp.MustCompile(`^\| *([RP]\d+)? *\|[^|]*\|([^|]*)\|$`)
	quoted    = regexp.MustCompile("`([^`]*)`")
	testName  = regexp.MustCompile(`^([\w./-]+) ((?:Test|Fuzz|Example)\w*)(?:/(.+))?$`)
	scripted  = regexp.MustCompile(`^testdata/scripts/[\w-]+\.txtar$`)
)

// problems are all that is wrong with a sheet.
func (s *sheet) problems(text string) (problems []string) {
	rows := map[string]*held{}
	number := ""
	for written := range strings.Lines(text) {
		written = strings.TrimRight(written, "\n")
		line := sheetLine.FindStringSubmatch(written)
		switch {
		case !strings.HasPrefix(written, "|") || strings.HasPrefix(written, "|--"):
			continue
		case line == nil:
			problems = append(problems, "this is no row of the sheet: "+written)
			continue
		case strings.HasSuffix(written, " by |"): // the head of a table
			number = ""
			continue
		case line[1] != "" && rows[line[1]] != nil:
			problems = append(problems, line[1]+" stands twice")
			continue
		case line[1] != "":
			number = line[1]
			rows[number] = &held{}
		case number == "":
			problems = append(problems, "a row stands before the first number: "+written)
			continue
		}
		rows[number].add(line[2])
	}
	for letter, n := range sheetRows {
		for i := range n {
			name := letter + strconv.Itoa(i+1)
			if rows[name] == nil {
				problems = append(problems, "there is no row "+name)
				continue
			}
			problems = append(problems, s.check(name, *rows[name])...)
			delete(rows, name)
		}
	}
	for name := range rows {
		problems = append(problems, "there is no "+name+" to hold")
	}
	return problems
}

func (h *held) add(cell string) {
	for _, found := range quoted.FindAllStringSubmatch(cell, -1) {
		h.tests = append(h.tests, found[1])
	}
	h.reason += strings.Trim(quoted.ReplaceAllString(cell, ""), " ,")
}

func (s *sheet) check(name string, h held) (problems []string) {
	switch reasoned := strings.HasPrefix(h.reason, "not yet: ") || strings.HasPrefix(h.reason, "out of scope: "); {
	case h.reason != "" && !reasoned:
		problems = append(problems, fmt.Sprintf(`%s: %q begins with neither "not yet: " nor "out of scope: "`, name, h.reason))
	case h.reason == "" && len(h.tests) == 0:
		problems = append(problems, name+" names neither a test nor a reason")
	}
	for _, test := range h.tests {
		if problem := s.find(test); problem != "" {
			problems = append(problems, name+": "+problem)
		}
	}
	return problems
}

// find tells what is wrong with a named test; nothing when it is there.
func (s *sheet) find(test string) string {
	if scripted.MatchString(test) {
		if _, err := os.Stat(filepath.Join(s.root, test)); err != nil {
			return "there is no " + test
		}
		return ""
	}
	parts := testName.FindStringSubmatch(test)
	if parts == nil {
		return "`" + test + "` is neither a test nor a script"
	}
	folder, function, part := s.folder(parts[1]), parts[2], parts[3]
	switch {
	case !folder.tests[function]:
		return fmt.Sprintf("there is no test %s in %s", function, parts[1])
	case !slices.ContainsFunc(folder.texts, func(text string) bool { return strings.HasPrefix(text, part) }):
		return fmt.Sprintf("no part of %s in %s begins with %q", function, parts[1], part)
	}
	return ""
}

// folder reads the code of a folder; there is none in one that is not there.
func (s *sheet) folder(name string) *testFolder {
	if read, ok := s.folders[name]; ok {
		return read
	}
	f := &testFolder{tests: map[string]bool{}, texts: []string{""}}
	s.folders[name] = f
	top := filepath.Join(s.root, name)
	_ = filepath.WalkDir(top, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		f.read(file, filepath.Dir(path) == top && strings.HasSuffix(path, "_test.go"))
		return nil
	})
	return f
}

// read takes the texts of a file and, where they count, its tests.
func (f *testFolder) read(file *ast.File, tests bool) {
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.FuncDecl:
			if tests && n.Recv == nil {
				f.tests[n.Name.Name] = true
			}
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				f.texts = append(f.texts, text)
			}
		}
		return true
	})
}
