package rulefile

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Options say how rules files are read.
type Options struct {
	LookupEnv      func(name string) (string, bool) // nil means os.LookupEnv
	SecretsDir     string                           // where ${file:NAME} is read; empty means nowhere
	UnsetIsWarning bool                             // for where nothing is sent: an unset variable stays as written
}

// Load reads a rules file, or all *.yaml of a directory but *_test.yaml, in lexical order, as one. With problems that
// are more than warnings the file must not be used; it is returned all the same, for further checks.
func Load(path string, o Options) (*File, Problems) {
	sources, problems := readSources(path)
	return loadSources(sources, problems, o)
}

// LoadSources is Load for files that were read before, whatever has become of them since.
func LoadSources(sources []*Source, o Options) (*File, Problems) {
	return loadSources(sources, nil, o)
}

func loadSources(sources []*Source, problems Problems, o Options) (*File, Problems) {
	f := &File{Sources: sources}
	expander := newExpander(o)
	for _, source := range sources {
		fmt.Fprintf(expander.digest, "source %s %d\n%s", source.Name, len(source.Text), source.Text)
		w := &walker{source: source, expander: expander}
		w.read(f)
		problems = append(problems, w.problems...)
	}
	if len(sources) > 0 {
		problems = append(problems, check(f)...)
	}
	f.hideSecrets()
	f.Secrets = expander.secrets
	copy(f.Digest[:], expander.digest.Sum(nil))
	problems.Sort()
	return f, problems
}

// Problem places a problem in the file that holds it.
func (f *File) Problem(p Place, code, message string) Problem {
	problem := Problem{Place: p, Code: code, Message: message}
	for _, source := range f.Sources {
		if source.Name == p.File {
			problem.source = source
		}
	}
	return problem
}

// read adds what one source says to the file.
func (w *walker) read(f *File) {
	root := w.document("a rules file")
	if root == nil {
		return
	}
	part := File{}
	w.decodeInto(&part, root)
	f.merge(w, part)
}

// document parses the one document of the source; nil when there is none, which has been told. what names such a file.
func (w *walker) document(what string) *yaml.Node {
	decoder := yaml.NewDecoder(strings.NewReader(w.source.Text))
	var document, further yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		w.problems = append(w.problems, fileProblem(w.source.Name, "unreadable", "is empty")...)
		return nil
	case err != nil:
		w.syntax(err)
		return nil
	}
	if err := decoder.Decode(&further); err == nil {
		w.add(&further, Problem{Code: "several-documents", Message: what + " is one YAML document; this begins another"})
		return nil
	} else if !errors.Is(err, io.EOF) {
		w.syntax(err)
		return nil
	}
	return document.Content[0]
}

// merge adds another part of the rules; version, timezone and monitor must not be said twice.
func (f *File) merge(w *walker, part File) {
	if part.Version.IsSet() {
		if f.Version.IsSet() && f.Version.Value != part.Version.Value {
			w.add(part.Version.node, Problem{Code: "repeated-key", Message: fmt.Sprintf("another version than in %s", f.Version.Place())})
		}
		f.Version = part.Version
	} else {
		w.problems = append(w.problems, Problem{
			Place: Place{File: w.source.Name, Line: 1, Column: 1}, Code: "no-version", Message: "the file does not say version: 1", source: w.source,
		})
	}
	if part.Timezone.IsSet() {
		if f.Timezone.IsSet() && f.Timezone.Value != part.Timezone.Value {
			w.add(part.Timezone.node, Problem{Code: "repeated-key", Message: fmt.Sprintf("another timezone than in %s", f.Timezone.Place())})
		}
		f.Timezone = part.Timezone
	}
	if part.Monitor.Where.IsSet() {
		if f.Monitor.Where.IsSet() {
			w.add(part.Monitor.Where.node, Problem{Code: "repeated-key", Message: fmt.Sprintf("monitor stands in %s already", f.Monitor.Where.Place())})
		}
		f.Monitor = part.Monitor
	}
	f.Actions = append(f.Actions, part.Actions...)
	f.Rules = append(f.Rules, part.Rules...)
	f.Stats = append(f.Stats, part.Stats...)
}

// syntax words an error of the YAML parser, which tells a line at most.
func (w *walker) syntax(err error) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if found := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(message); found != nil {
		line, _ = strconv.Atoi(found[1])
		message = strings.TrimPrefix(message, found[0])
	}
	if strings.Contains(message, "did not find expected") {
		line = w.quotedInPart(line)
	}
	text := w.source.Line(line)
	if strings.TrimSpace(text) == "" && line > 1 {
		line--
		text = w.source.Line(line)
	}
	node := &yaml.Node{Line: line, Column: 1 + len(text) - len(strings.TrimLeft(text, " \t"))}
	w.add(node, Problem{
		Code: "yaml-syntax", Message: message, Hint: syntaxHint(message, text),
		Length: len([]rune(strings.TrimSpace(text))),
	})
}

// quotedInPart is the first line, from the one that the parser names on, whose value goes on behind its closing quote: the
// parser names where the mapping around it begins. Without such a line it is the one given.
func (w *walker) quotedInPart(line int) int {
	partly := regexp.MustCompile(`:\s+("(?:[^"\\]|\\.)*"|'[^']*')\s*[^\s#,\]}]`)
	for n := line; n <= len(w.source.lines); n++ {
		if partly.MatchString(w.source.Line(n)) {
			return n
		}
	}
	return line
}

// syntaxHint tells what is mostly behind a message of the YAML parser.
func syntaxHint(message, line string) string {
	const quote = "quote the value or use a block scalar (|)"
	switch {
	case strings.Contains(message, "mapping values are not allowed"):
		return "YAML takes \": \" for the end of a key; " + quote
	case strings.Contains(message, "found character that cannot start any token") && strings.Contains(line, "\t"):
		return "YAML is indented with blanks, not with tabs"
	case strings.Contains(message, "did not find expected"), strings.Contains(message, "unknown anchor"),
		strings.Contains(message, "cannot start any token"), strings.Contains(message, "could not find expected"):
		return "a value that begins with a quote, bracket or one of &*%@`?- must be quoted whole; " + quote
	}
	return ""
}
