package condition

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/expr-lang/expr/file"
)

// Error tells what is wrong with an expression or a template, and where.
type Error struct {
	Offset  int // in bytes of the source
	Length  int // of the faulty part in bytes; 0 when unknown
	Code    string
	Message string
	// Suggestion is what was probably meant; empty when nothing comes near.
	Suggestion string
}

func (e *Error) Error() string {
	if e.Suggestion != "" {
		return fmt.Sprintf("%s, did you mean %s?", e.Message, e.Suggestion)
	}
	return e.Message
}

// compileError words what expr says in the language of rules.
func compileError(source string, err error) error {
	var ours *Error
	if errors.As(err, &ours) {
		return ours
	}
	e := &Error{Code: "bad-expression", Message: inOurWords(err.Error())}
	var theirs *file.Error
	if !errors.As(err, &theirs) {
		if found, ok := strings.CutPrefix(e.Message, "expected boolean, but got "); ok {
			e.Length, e.Message = len(source), "a condition must be true or false, and this is "+found
		}
		return e
	}
	e.Offset = byteOffset(source, theirs.From)
	e.Message = inOurWords(theirs.Message)
	if name, ok := unknownName(theirs.Message); ok {
		nameError(e, source, name)
	}
	return e
}

// unknownName finds the name that expr does not know in what it says.
func unknownName(message string) (string, bool) {
	found := regexp.MustCompile(`^unknown (?:name|field) ([\pL_][\pL\pN_]*)|has no (?:field|method) ([\pL_][\pL\pN_]*)`).FindStringSubmatch(message)
	if found == nil {
		return "", false
	}
	return found[1] + found[2], true
}

// nameError tells the whole dotted name, where its faulty part stands, and what was probably meant.
func nameError(e *Error, source, name string) {
	at := strings.Index(source[e.Offset:], name)
	if at < 0 {
		at = strings.LastIndex(source, name) - e.Offset
	}
	start := e.Offset + at
	for start > 0 && isNamePart(source[start-1]) {
		start--
	}
	dotted := source[start : e.Offset+at+len(name)]
	e.Offset, e.Length = start, len(dotted)
	e.Code, e.Message = "unknown-name", "unknown name "+dotted
	called := strings.HasPrefix(source[start+len(dotted):], "(")
	e.Suggestion = nearest(dotted, called)
	if e.Suggestion == "" && !called && !strings.Contains(dotted, ".") {
		e.Suggestion = "entry.data." + dotted
	}
}

func isNamePart(b byte) bool {
	return b == '.' || b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// inOurWords replaces names of Go's types, and leaves out where expr says it happened: we tell that ourselves.
func inOurWords(message string) string {
	message, _, _ = strings.Cut(message, "\n")
	message = strings.NewReplacer(
		"map[string]interface {}", "object", "[]interface {}", "list", "[]any", "list", "interface {}", "value",
		"time.Time", "time", "time.Duration", "duration", "<nil>", "an absent value",
	).Replace(message)
	return regexp.MustCompile(`\b(string|bool|int|int64|float64|nil|unknown)\b`).ReplaceAllStringFunc(message, func(word string) string {
		switch word {
		case "string":
			return "text"
		case "bool":
			return "boolean"
		case "nil":
			return "an absent value"
		case "unknown":
			return "value"
		}
		return "number"
	})
}

// runError words why an expression could not be judged. What expr says may hold text of the event, so only what is
// known to hold none is passed on.
func runError(source string, err error) error {
	var theirs *file.Error
	if !errors.As(err, &theirs) {
		return errors.New("the expression could not be evaluated")
	}
	if theirs.Prev != nil && !isForeign(theirs.Prev) {
		return fmt.Errorf("%w (in %s)", theirs.Prev, excerpt(source, theirs.From))
	}
	return fmt.Errorf("%s (in %s)", safeMessage(theirs.Message), excerpt(source, theirs.From))
}

// isForeign tells whether an error comes from Go's run time or expr rather than from a function of ours.
func isForeign(err error) bool {
	var runtimeError interface{ RuntimeError() }
	var reflectError *reflect.ValueError
	return errors.As(err, &runtimeError) || errors.As(err, &reflectError)
}

// safeMessage keeps those messages of expr that name types only.
func safeMessage(message string) string {
	for _, known := range []struct{ pattern, says string }{
		{`memory budget exceeded`, "it builds more than its memory bound allows"},
		{`integer divide by zero`, "division by zero"},
		{`reflect: call of reflect.Value.Len`, "what should be a list is absent, or is none"},
		{`cannot call nil|nil pointer|invalid memory|reflect: call of`, "a method was called on an absent value"},
		{`invalid argument for len .*nil`, "len() of an absent value"},
		{`<nil>|nil`, "an operation met an absent value"},
		{`invalid operation|interface conversion|cannot|invalid argument|reflect`, "an operation met a value of the wrong type"},
	} {
		if regexp.MustCompile(known.pattern).MatchString(message) {
			return known.says
		}
	}
	return "the expression could not be evaluated"
}

// excerpt is the source, cut around a place when it is long.
func excerpt(source string, runes int) string {
	const around = 60
	source = strings.Join(strings.Fields(source), " ")
	all := []rune(source)
	if len(all) <= 2*around {
		return source
	}
	from, to := max(0, min(runes, len(all))-around), min(len(all), runes+around)
	return "…" + string(all[from:to]) + "…"
}

// nearest is the known path or function that differs least from a name; empty when none comes near.
func nearest(name string, called bool) string {
	best, fewest := "", (len(name)+3)/4
	for _, known := range knownNames(called) {
		if d := levenshtein.ComputeDistance(name, known); d < fewest || d == fewest && best == "" {
			best, fewest = known, d
		}
	}
	return best
}

func knownNames(functions bool) []string {
	if !functions {
		return []string{
			"event", "timestamp", "helper.id", "helper.name", "helper.command",
			"entry.id", "entry.created_at", "entry.data", "user.id", oldName,
		}
	}
	names := []string{"len", "lower", "upper", "trim", "any", "all", "none", "one", "filter", "map", "count", "sum", "abs", "round"}
	for _, f := range new(Dialect).all() {
		names = append(names, f.name)
	}
	return names
}
