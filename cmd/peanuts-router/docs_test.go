package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// block is a fenced example of a page.
type block struct{ page, language, text string }

// examples are the fenced blocks of the README and of every page below docs.
func examples(t *testing.T) []block {
	t.Helper()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	fence := regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")
	var blocks []block
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range fence.FindAllStringSubmatch(string(text), -1) {
			blocks = append(blocks, block{page: filepath.Base(page), language: found[1], text: found[2]})
		}
	}
	return blocks
}

func TestEveryRulesFileInTheDocumentationLoads(t *testing.T) {
	loaded := 0
	for _, b := range examples(t) {
		if b.language != "yaml" {
			continue
		}
		file := filepath.Join(t.TempDir(), "rules.yaml")
		writeFile(t, file, b.text)
		if rules, problems := engine.Load(file, engine.Options{Options: rulefile.Options{UnsetIsWarning: true}}); rules == nil {
			t.Errorf("an example of %s does not load:\n%s\n%v", b.page, b.text, problems)
		}
		loaded++
	}
	if loaded < 3 {
		t.Errorf("found %d rules files in the documentation, want at least 3", loaded)
	}
}

func TestTheREADMEShowsTheExampleRulesWhole(t *testing.T) {
	want, err := os.ReadFile("../../rules.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range examples(t) {
		if b.page == "README.md" && b.language == "yaml" && b.text == string(want) {
			return
		}
	}
	t.Error("README.md does not show rules.example.yaml as it is")
}

// Every command of a console example runs, and prints each line that is shown below it.
func TestEverySessionInTheDocumentationIsTrue(t *testing.T) {
	ran := 0
	for _, b := range examples(t) {
		if b.language != "console" {
			continue
		}
		printed := ""
		for line := range strings.Lines(b.text) {
			line = strings.TrimRight(line, "\n")
			if shell, isCommand := strings.CutPrefix(line, "$ peanuts-router "); isCommand {
				printed = session(t, strings.Fields(shell))
				ran++
				continue
			}
			if !strings.Contains(printed, strings.TrimSpace(line)) {
				t.Errorf("%s shows %q, which is not in what is printed:\n%s", b.page, line, printed)
			}
		}
	}
	if ran < 4 {
		t.Errorf("ran %d commands of the documentation, want at least 4", ran)
	}
}

// session runs a command at the root of the repository.
func session(t *testing.T, args []string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), asRouter+"=1", "NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("peanuts-router %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Every link of the documentation to a file of the repository leads somewhere.
func TestEveryLinkOfTheDocumentationLeadsSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), found[1])); err != nil {
				t.Errorf("%s links to %s: %v", page, found[1], err)
			}
		}
	}
}
