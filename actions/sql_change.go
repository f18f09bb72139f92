package actions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/peanuts-router/peanuts-router/engine"
)

// sqlNames are the names of a table and of its columns that the router cares for, and what can be a name at all.
type sqlNames struct {
	table   []string // with its schema before it, where there is one
	key     string
	version string
	longest int                      // bytes of a name; 0 means without end
	fold    func(name string) string // names of one column fold to the same
}

// usable tells what is wrong with a name. Everything else can be one, as names are quoted.
func (n *sqlNames) usable(name string) error {
	switch {
	case name == "":
		return errors.New("a table or column has an empty name")
	case strings.ContainsRune(name, 0) || !utf8.ValidString(name):
		return fmt.Errorf("%q cannot be the name of a table or column: it holds U+0000 or is no UTF-8", name)
	case n.longest > 0 && len(name) > n.longest:
		return fmt.Errorf("%q cannot be the name of a table or column: it is longer than %d bytes", name, n.longest)
	}
	return nil
}

// check tells what is wrong with the names of the settings.
func (n *sqlNames) check() error {
	var wrong []error
	for _, name := range append([]string{n.key, n.version}, n.table...) {
		wrong = append(wrong, n.usable(name))
	}
	if n.fold(n.key) == n.fold(n.version) {
		wrong = append(wrong, fmt.Errorf("key and version are both the column %q", n.key))
	}
	return errors.Join(wrong...)
}

// sqlChange is what a message asks for: the columns, each once, the version last.
type sqlChange struct {
	columns []engine.SQLColumn
	remove  bool
	mark    string // the column that is marked instead of removing the row
	done    string // the status when a row was touched
}

// lenient is how stored messages are read: what somebody sent is in them.
var lenient = []jsonv2.Options{jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)}

// newChange reads a stored message and checks all of it that needs no database.
func (n *sqlNames) newChange(message []byte) (*sqlChange, error) {
	var m engine.SQLMessage
	if err := jsonv2.Unmarshal(message, &m, lenient...); err != nil || m.Version == "" || (m.Remove == nil) == (m.Columns == nil) {
		return nil, errors.New("the stored message cannot be read")
	}
	c := &sqlChange{done: "upserted", columns: m.Columns}
	if m.Remove != nil {
		c.done, c.remove, c.mark = "removed", true, m.Remove.Mark
		c.columns = []engine.SQLColumn{{Name: n.key, Value: m.Remove.Key}}
		if c.mark != "" {
			c.done = "marked"
			c.columns = append(c.columns, textColumn(c.mark, m.Remove.At.UTC().Format(time.RFC3339)))
		}
	}
	c.columns = append(c.columns, textColumn(n.version, m.Version))
	return c, n.checkColumns(c.columns)
}

// appendShape appends what a statement depends on: everything but the values. No name holds U+0000.
func (c *sqlChange) appendShape(shape []byte) []byte {
	shape = strconv.AppendBool(shape, c.remove)
	shape = append(append(shape, 0), c.mark...)
	for _, column := range c.columns {
		shape = strconv.AppendBool(append(shape, 0), column.Volatile)
		shape = append(append(shape, 0), column.Name...)
	}
	return shape
}

func textColumn(name, text string) engine.SQLColumn {
	value, _ := json.Marshal(text) // text is always JSON
	return engine.SQLColumn{Name: name, Value: value}
}

// checkColumns checks names and values, and writes the values as every database can read them.
func (n *sqlNames) checkColumns(columns []engine.SQLColumn) error {
	seen := map[string]bool{}
	for i, column := range columns {
		if err := n.usable(column.Name); err != nil {
			return err
		}
		if seen[n.fold(column.Name)] {
			if n.fold(column.Name) == n.fold(n.version) {
				return fmt.Errorf("the column %q is filled by the router itself; take it out of the upsert", n.version)
			}
			return fmt.Errorf("the column %q is written twice", column.Name)
		}
		seen[n.fold(column.Name)] = true
		value, err := clean(column.Value)
		if err != nil {
			return fmt.Errorf("the column %q: %w", column.Name, err)
		}
		columns[i].Value = value
		if n.fold(column.Name) == n.fold(n.key) && string(value) == "null" {
			return fmt.Errorf("the key column %q has no value, so there is no telling which row is meant", column.Name)
		}
	}
	if !seen[n.fold(n.key)] {
		return fmt.Errorf("the key column %q is not among the columns", n.key)
	}
	return nil
}

// clean writes a JSON value with its numbers as they are and its texts in plain UTF-8: an unpaired surrogate reads as
// U+FFFD, for PostgreSQL refuses it. Neither database holds U+0000 in a text.
func clean(value json.RawMessage) (json.RawMessage, error) {
	if isPlain(value) {
		return value, nil
	}
	in := jsontext.NewDecoder(bytes.NewReader(value), lenient...)
	var out bytes.Buffer
	to := jsontext.NewEncoder(&out, lenient...)
	for {
		token, err := in.ReadToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && token.Kind() == '"' && strings.ContainsRune(token.String(), 0) {
			return nil, errors.New("its text holds U+0000, which a database cannot hold")
		}
		if err == nil {
			err = to.WriteToken(token)
		}
		if err != nil {
			return nil, errors.New("its value cannot be read")
		}
	}
	if out.Len() == 0 {
		return json.RawMessage("null"), nil
	}
	return bytes.TrimSpace(out.Bytes()), nil
}

// isPlain tells whether a JSON value is clean as it stands: a number, a word, or a text of ASCII without escapes.
func isPlain(value json.RawMessage) bool {
	if len(value) == 0 || strings.IndexByte("{[ ", value[0]) >= 0 || value[len(value)-1] == ' ' {
		return false
	}
	for _, c := range value {
		if c < ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return true
}
