package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// RulesFile is a file of rules as it was read: variables and secrets stand in its text as ${NAME}.
type RulesFile struct{ Name, Text string }

// Files are the files that the rules were made from, in the order in which they were read.
func (r *Rules) Files() []RulesFile {
	files := make([]RulesFile, len(r.sources))
	for i, source := range r.sources {
		files[i] = RulesFile{Name: source.Name, Text: source.Text}
	}
	return files
}

// FilesDigest tells rules that say the same from others, whatever their variables and secrets stand for.
func (r *Rules) FilesDigest() string {
	digest := sha256.New()
	for _, source := range r.sources {
		fmt.Fprintf(digest, "%d\n%s", len(source.Text), source.Text)
	}
	return hex.EncodeToString(digest.Sum(nil))
}

// LoadFiles compiles rules as Load does, from files that were read before, whatever has become of them since. Variables and
// secrets are those of today.
func LoadFiles(files []RulesFile, o Options) (*Rules, rulefile.Problems) {
	sources := make([]*rulefile.Source, len(files))
	for i, file := range files {
		sources[i] = rulefile.NewSource(file.Name, file.Text)
	}
	file, problems := rulefile.LoadSources(sources, o.Options)
	return compile(file, problems, o.Generation)
}
