package rulefile

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxSecretFile is how large a secret file may be, in bytes.
const maxSecretFile = 64 << 10

// expander puts values where ${NAME}, ${NAME:-default} and ${file:NAME} stand. $${ is a literal ${, and ${{ is a $ in
// front of a template.
type expander struct {
	lookup       func(name string) (string, bool)
	secretsDir   string
	unsetWarning bool // an unset variable is a warning, and stays as written
	secrets      []string
	digest       hash.Hash
}

func newExpander(o Options) *expander {
	e := &expander{lookup: o.LookupEnv, secretsDir: o.SecretsDir, unsetWarning: o.UnsetIsWarning, digest: sha256.New()}
	if e.lookup == nil {
		e.lookup = os.LookupEnv
	}
	return e
}

// expand expands a scalar. What stands in {{ }} is left alone.
func (e *expander) expand(w *walker, node *yaml.Node, template bool) (string, bool) {
	var out strings.Builder
	rest, good := node.Value, true
	for rest != "" {
		switch {
		case template && strings.HasPrefix(rest, "{{"):
			end := strings.Index(rest, "}}")
			if end < 0 {
				end = len(rest) - 2
			}
			out.WriteString(rest[:end+2])
			rest = rest[end+2:]
		case strings.HasPrefix(rest, "$${"):
			out.WriteString("${")
			rest = rest[len("$${"):]
		case strings.HasPrefix(rest, "${") && !strings.HasPrefix(rest, "${{"):
			end := strings.Index(rest, "}")
			if end < 0 {
				w.add(node, Problem{Code: "bad-variable", Message: "${ is never closed by }"})
				return "", false
			}
			value, ok := e.value(w, node, rest[2:end], rest[:end+1])
			good = good && ok
			if template {
				value = strings.ReplaceAll(value, "{{", `{{ "{{" }}`)
			}
			out.WriteString(value)
			rest = rest[end+1:]
		default:
			out.WriteByte(rest[0])
			rest = rest[1:]
		}
	}
	return out.String(), good
}

// value is what one variable stands for.
func (e *expander) value(w *walker, node *yaml.Node, inside, written string) (string, bool) {
	if file, isFile := strings.CutPrefix(inside, "file:"); isFile {
		return e.fromFile(w, node, file, written)
	}
	name, fallback, hasFallback := strings.Cut(inside, ":-")
	switch {
	case !isName(name):
		w.add(node, Problem{
			Code: "bad-variable", Message: fmt.Sprintf("%s is no variable", written),
			Hint: "write ${NAME}, ${NAME:-default} or ${file:NAME}; $${ is a literal ${",
		})
		return "", false
	case strings.HasPrefix(name, "PEANUTS_SECRET"), strings.HasPrefix(name, "PEANUTS_ROUTER_"):
		w.add(node, Problem{Code: "bad-variable", Message: name + " belongs to the router itself and is never put into an action"})
		return "", false
	}
	value, set := e.lookup(name)
	fmt.Fprintf(e.digest, "env %s %t %q\n", name, set, value)
	switch {
	case set && (value != "" || !hasFallback):
		e.remember(value)
		return value, true
	case hasFallback:
		return fallback, true
	}
	return e.missing(w, node, written, "the variable "+name+" is not set")
}

func (e *expander) fromFile(w *walker, node *yaml.Node, name, written string) (string, bool) {
	value, err := readSecret(e.secretsDir, name)
	fmt.Fprintf(e.digest, "file %s %t %q\n", name, err == nil, value)
	if err != nil {
		return e.missing(w, node, written, err.Error())
	}
	e.remember(value)
	return value, true
}

// missing is an error where something would be sent, else a warning, with the variable standing as written.
func (e *expander) missing(w *walker, node *yaml.Node, written, message string) (string, bool) {
	w.add(node, Problem{Code: "unset-variable", Message: message, Warning: e.unsetWarning})
	return written, true
}

func (e *expander) remember(value string) {
	if value != "" {
		e.secrets = append(e.secrets, value)
	}
}

func isName(name string) bool {
	for i, c := range name {
		if c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// readSecret reads a file below the secrets directory, and nothing outside it. A line end at its end is left off.
func readSecret(dir, name string) (string, error) {
	if dir == "" {
		return "", fmt.Errorf("there is no directory of secrets to read %q from (--secrets-dir)", name)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", errors.New("the directory of secrets cannot be opened (--secrets-dir)")
	}
	defer root.Close()
	info, err := root.Stat(name)
	if err != nil {
		return "", fmt.Errorf("the secret file %q cannot be read", name)
	}
	if !info.Mode().IsRegular() || info.Size() > maxSecretFile {
		return "", fmt.Errorf("the secret file %q is not a regular file of at most 64 KiB", name)
	}
	file, err := root.Open(name)
	if err != nil {
		return "", fmt.Errorf("the secret file %q cannot be read", name)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSecretFile))
	if err != nil {
		return "", fmt.Errorf("the secret file %q cannot be read", name)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"), nil
}
