package condition

import (
	"github.com/expr-lang/expr/ast"

	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// maxMessage is how long a rendered text may be, in bytes.
const maxMessage = 256 << 10

// Template is text with expressions in {{ }}.
type Template struct {
	dialect *Dialect
	sink    Sink
	parts   []part
}

// part is a piece of a template: text, or an expression.
type part struct {
	text    string
	program *program // nil for text
}

// Template compiles a template. Its errors are of type *Error.
func (d *Dialect) Template(source string, sink Sink) (*Template, error) {
	t := &Template{dialect: d, sink: sink}
	for at := 0; at < len(source); {
		open := strings.Index(source[at:], "{{")
		if open < 0 {
			t.parts = append(t.parts, part{text: source[at:]})
			break
		}
		if open > 0 {
			t.parts = append(t.parts, part{text: source[at : at+open]})
		}
		from := at + open + len("{{")
		length := closing(source[from:])
		if length < 0 {
			return nil, &Error{Offset: at + open, Length: 2, Code: "bad-template", Message: "{{ is never closed by }}"}
		}
		p, err := d.expressionAt(source, from, length)
		if err != nil {
			return nil, err
		}
		if sink == URL && !hostIsFixed(t.before()) {
			return nil, &Error{Offset: at + open, Length: length + 4, Code: "bad-template", Message: "the host of a URL takes no {{ }}"}
		}
		t.parts = append(t.parts, part{program: p})
		at = from + length + len("}}")
	}
	return t, nil
}

// before is the text in front of what comes next; values stand in it as nothing.
func (t *Template) before() string {
	var text strings.Builder
	for _, p := range t.parts {
		text.WriteString(p.text)
	}
	return text.String()
}

// expressionAt compiles the expression in {{ }}; its errors are placed in the template.
func (d *Dialect) expressionAt(source string, from, length int) (*program, error) {
	inside := source[from : from+length]
	if strings.TrimSpace(inside) == "" {
		return nil, &Error{Offset: from - 2, Length: length + 4, Code: "bad-template", Message: "{{ }} holds no expression"}
	}
	p, err := d.compile(inside, false)
	var e *Error
	if errors.As(err, &e) {
		e.Offset += from
	}
	return p, err
}

// closing is where the next }} begins that stands in no string literal and closes no brace of the expression; -1 when
// there is none.
func closing(text string) int {
	var quote byte
	depth := 0
	for at := 0; at < len(text); at++ {
		switch c := text[at]; {
		case quote != 0 && c == '\\' && quote != '`':
			at++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '{':
			depth++
		case c == '}' && depth > 0:
			depth--
		case strings.HasPrefix(text[at:], "}}"):
			return at
		}
	}
	return -1
}

// Fixed is the template's text when it holds no {{ }}.
func (t *Template) Fixed() (text string, fixed bool) {
	for _, p := range t.parts {
		if p.program != nil {
			return "", false
		}
	}
	return t.before(), true
}

// Render prints the template for an event. The expressions that printed as nothing are told, for they are often
// mistakes.
func (t *Template) Render(s *Scope) (text string, missing []string, err error) {
	var out strings.Builder
	for _, p := range t.parts {
		value := p.text
		if p.program != nil {
			printed, there, err := t.dialect.printed(s, p.program)
			if err != nil {
				return "", missing, err
			}
			if !there {
				missing = append(missing, strings.TrimSpace(p.program.source))
			}
			if value, err = t.sink.encode(printed, out.String()); err != nil {
				return "", missing, err
			}
		}
		if out.Len()+len(value) > maxMessage {
			return "", missing, fmt.Errorf("the message grew beyond its bound of %d bytes", maxMessage)
		}
		out.WriteString(value)
	}
	return out.String(), missing, nil
}

// printed is an expression's value as text; there is false when it is absent. A number that the event holds is
// printed as it was sent.
func (d *Dialect) printed(s *Scope, p *program) (text string, there bool, err error) {
	value, err := s.run(p)
	if err != nil || isNil(value) {
		return "", false, err
	}
	if _, isText := value.(string); p.path != nil && !isText {
		if _, isNumber := asNumber(value); isNumber {
			if sent, ok := s.sent(p.path); ok {
				return plain(strings.TrimSpace(string(sent))), true, nil
			}
		}
	}
	text, err = d.print(value)
	return text, true, err
}

// Leaf is a scalar of a JSON tree. One that is exactly one {{ }} keeps the type of its value.
type Leaf struct{ template *Template }

// Leaf compiles a scalar of a JSON tree. Its errors are of type *Error.
func (d *Dialect) Leaf(source string, sink Sink) (*Leaf, error) {
	t, err := d.Template(source, sink)
	if err != nil {
		return nil, err
	}
	return &Leaf{template: t}, nil
}

// UsesNow tells whether the leaf's value differs with the time.
func (l *Leaf) UsesNow() bool {
	uses := false
	for _, p := range l.template.parts {
		if p.program == nil {
			continue
		}
		root := p.program.code.Node()
		ast.Walk(&root, visit(func(node *ast.Node) {
			name, ok := (*node).(*ast.IdentifierNode)
			uses = uses || ok && (name.Value == "now" || name.Value == "days_until")
		}))
	}
	return uses
}

// Render writes the leaf as JSON; an absent value is null. What the event holds is written as it was sent, so a
// number keeps its digits.
func (l *Leaf) Render(s *Scope) (value json.RawMessage, missing []string, err error) {
	if len(l.template.parts) != 1 || l.template.parts[0].program == nil {
		text, missing, err := l.template.Render(s)
		if err != nil {
			return nil, missing, err
		}
		value, err := asJSON(text)
		return value, missing, err
	}
	p := l.template.parts[0].program
	found, err := s.run(p)
	switch {
	case err != nil:
		return nil, nil, err
	case isNil(found):
		return json.RawMessage("null"), []string{strings.TrimSpace(p.source)}, nil
	}
	value, err = l.json(s, p, found)
	return value, nil, err
}

func (l *Leaf) json(s *Scope, p *program, found any) (json.RawMessage, error) {
	if text, ok := found.(string); ok {
		encoded, err := l.template.sink.encode(text, "")
		if err != nil {
			return nil, err
		}
		return asJSON(encoded)
	}
	if moment, ok := found.(time.Time); ok && l.template.sink == Column && p.path == nil {
		return asJSON(moment.UTC().Format(time.RFC3339Nano))
	}
	_, isNumber := asNumber(found)
	if p.path != nil && (isNumber || l.template.sink == Plain || l.template.sink == Column) {
		if sent, ok := s.sent(p.path); ok {
			return sent, nil
		}
	}
	encoded, err := l.template.sink.encodeWithin(found)
	if err != nil {
		return nil, err
	}
	return l.template.dialect.jsonValue(encoded)
}
