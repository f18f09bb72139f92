package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/peanuts-router/peanuts-router/"

// arrows is who may import whom, test files apart: the folders stand in the order an event meets them, neighbours do not
// know each other, and only cmd sees all.
var arrows = map[string][]string{
	"peanuts":                   {},
	"engine/condition":          {"peanuts"},
	"engine/rulefile":           {},
	"engine/lint":               {"peanuts", "engine/condition", "engine/rulefile"},
	"engine":                    {"peanuts", "engine/condition", "engine/rulefile"},
	"engine/rehearsal":          {"peanuts", "engine"},
	"engine/ruletest":           {"peanuts", "engine", "engine/rulefile", "engine/rehearsal"},
	"internal/clock":            {},
	"internal/clock/clocktest":  {}, // for tests, and builds for torture
	"server":                    {"peanuts", "engine", "server/page", "internal/fault"},
	"server/page":               {"engine"},
	"store":                     {"peanuts", "engine", "internal/fault"},
	"store/storetest":           {"peanuts", "engine", "store"}, // of one house: the suite speaks the store's words
	"dispatch":                  {"peanuts", "engine", "internal/fault"},
	"dispatch/monitor":          {"peanuts", "engine", "dispatch"},
	"actions":                   {"peanuts", "engine"},
	"actions/receiver":          {"peanuts", "engine"},
	"internal/fault":            {"internal/clock/clocktest"}, // of builds for torture: in all others it is nothing
	"internal/pgtest":           {},                           // for tests alone: no row may name it
	"internal/powerloss":        {"engine", "store"},          // judges what a disk may hold; the router is another process to it
	"internal/powerloss/traced": {"peanuts", "internal/powerloss"},
	"e2e":                       {}, // a module of its own: a browser looks at the program
	".":                         {},
	"cmd/peanuts-bench":         {"peanuts", "store"},                                                                                                    // the router is another process to it, whose backlog it makes, sums and all
	"cmd/peanuts-torture":       {"peanuts", "engine", "store", "actions/receiver", "internal/fault", "internal/powerloss", "internal/powerloss/traced"}, // it reads what the router left
	"cmd/peanuts-router":        {".", "peanuts", "internal/clock", "server", "engine", "engine/rulefile", "engine/condition", "engine/lint", "engine/rehearsal", "engine/ruletest", "store", "dispatch", "dispatch/monitor", "actions", "actions/receiver", "internal/fault"},
}

func TestImportsRunOnlyAlongTheArrows(t *testing.T) {
	found := importsByFolder(t, "../..")
	for folder, imports := range found {
		allowed, known := arrows[folder]
		if !known {
			t.Errorf("folder %s is in no row of arrows: where does it stand in the event's way?", folder)
		}
		for _, imported := range imports {
			if !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s, which no arrow allows", folder, imported)
			}
		}
	}
	for folder := range arrows {
		if _, ok := found[folder]; !ok {
			t.Errorf("arrows has a row for %s, where no Go file is", folder)
		}
	}
}

// importsByFolder reads which of our own folders each folder's code imports.
func importsByFolder(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && file != root {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		folder := path.Dir(filepath.ToSlash(relative))
		found[folder] = append(found[folder], []string{}...)
		for _, spec := range parsed.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if own, ours := strings.CutPrefix(imported+"/", module); ours {
				found[folder] = append(found[folder], path.Clean(own))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("reading imports below %s: %v", root, err)
	}
	return found
}
