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
)

// named tells whether the tests that a page names are there, in the code below root.
type named struct {
	root    string
	folders map[string]*testFolder
}

func newNamed(root string) *named { return &named{root: root, folders: map[string]*testFolder{}} }

// testFolder is what a folder offers to name.
type testFolder struct {
	tests map[string]bool
	texts []string // that stand in its code and below, among them the names of parts of tests
}

var (
	testName = regexp.MustCompile(`^([\w./-]+) ((?:Test|Fuzz|Example|Benchmark)\w*)(?:/(.+))?$`)
	scripted = regexp.MustCompile(`^testdata/scripts/[\w-]+\.txtar$`)
)

// find tells what is wrong with a named test; nothing when it is there.
func (n *named) find(test string) string {
	if scripted.MatchString(test) {
		if _, err := os.Stat(filepath.Join(n.root, test)); err != nil {
			return "there is no " + test
		}
		return ""
	}
	parts := testName.FindStringSubmatch(test)
	if parts == nil {
		return "`" + test + "` is neither a test nor a script"
	}
	folder, function, part := n.folder(parts[1]), parts[2], parts[3]
	switch {
	case !folder.tests[function]:
		return fmt.Sprintf("there is no test %s in %s", function, parts[1])
	case !slices.ContainsFunc(folder.texts, func(text string) bool { return strings.HasPrefix(text, part) }):
		return fmt.Sprintf("no part of %s in %s begins with %q", function, parts[1], part)
	}
	return ""
}

// folder reads the code of a folder; there is none in one that is not there.
func (n *named) folder(name string) *testFolder {
	if read, ok := n.folders[name]; ok {
		return read
	}
	f := &testFolder{tests: map[string]bool{}, texts: []string{""}}
	n.folders[name] = f
	top := filepath.Join(n.root, name)
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
