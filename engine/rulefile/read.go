package rulefile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"
)

// maxSize is how large the rules files may be together, in bytes.
const maxSize = 16 << 20

// readSources reads a rules file, or those of a directory.
func readSources(path string) ([]*Source, Problems) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fileProblem(path, "unreadable", "cannot be read: "+reason(err))
	}
	names := []string{path}
	var problems Problems
	if info.IsDir() {
		if names, problems = rulesIn(path); problems.Failed() {
			return nil, problems
		}
	}
	var sources []*Source
	left := int64(maxSize)
	for _, name := range names {
		text, problem := readFile(name, left)
		if problem != "" {
			problems = append(problems, fileProblem(name, "unreadable", problem)...)
			continue
		}
		left -= int64(len(text))
		sources = append(sources, NewSource(name, text))
	}
	return sources, problems
}

// rulesIn lists the rules files of a directory, in lexical order.
func rulesIn(dir string) ([]string, Problems) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fileProblem(dir, "unreadable", "cannot be read: "+reason(err))
	}
	var names []string
	var problems Problems
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case strings.HasPrefix(name, "."), strings.HasSuffix(name, "_test.yaml"):
		case strings.HasSuffix(name, ".yaml"):
			names = append(names, filepath.Join(dir, name))
		case strings.HasSuffix(name, ".yml"):
			p := fileProblem(filepath.Join(dir, name), "ignored-file", "is not read: rules files end in .yaml")
			p[0].Warning = true
			problems = append(problems, p...)
		}
	}
	if len(names) == 0 {
		return nil, append(problems, fileProblem(dir, "no-rules", "holds no file that ends in .yaml")...)
	}
	slices.Sort(names)
	return names, problems
}

// readFile reads a regular file of at most limit bytes; problem says why not. It never waits for a pipe.
func readFile(name string, limit int64) (text, problem string) {
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", "cannot be read: " + reason(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", "cannot be read: " + reason(err)
	}
	if !info.Mode().IsRegular() {
		return "", "is not a regular file"
	}
	raw, err := io.ReadAll(io.LimitReader(file, limit+1))
	switch {
	case err != nil:
		return "", "cannot be read: " + reason(err)
	case int64(len(raw)) > limit:
		return "", "is too large: rules files hold 16 MiB at most, together"
	case !utf8.Valid(raw):
		return "", "is not UTF-8"
	case slices.Contains(raw, 0):
		return "", "holds a NUL character"
	case strings.TrimSpace(string(raw)) == "":
		return "", "is empty"
	}
	return string(raw), ""
}

func fileProblem(name, code, message string) Problems {
	return Problems{{Place: Place{File: name}, Code: code, Message: message}}
}

// reason leaves out the path, which is told already.
func reason(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return fmt.Sprint(path.Err)
	}
	return err.Error()
}
