package condition

import (
	"errors"
	"html"
	"net/url"
	"strings"
	"unicode"
)

// Sink is where a template's text goes: it decides how values are encoded. What the author of the template wrote
// stays as it is.
type Sink int

// The sinks.
const (
	Plain  Sink = iota // as it is
	Slack              // &, < and > become entities, so that a value cannot mention or link
	HTML               // escaped for text and attributes
	Header             // a header, subject or address: control characters are refused
	URL                // escaped by position; scheme, host and port take no value
	Column             // as it is, of a database: times that are worked out are in UTC
)

// EscapeSlack makes text safe within Slack's markup.
func EscapeSlack(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// encode makes a value fit for the sink; before is the text that stands in front of it.
func (s Sink) encode(value, before string) (string, error) {
	switch s {
	case Slack:
		return EscapeSlack(value), nil
	case HTML:
		return html.EscapeString(value), nil
	case Header:
		if strings.ContainsFunc(value, unicode.IsControl) || strings.ContainsAny(value, "\u2028\u2029") {
			return "", errors.New("a value with a line break or control character cannot stand in a header, subject or address")
		}
		return value, nil
	case URL:
		return escapeInURL(value, before), nil
	}
	return value, nil
}

// encodeWithin encodes every text within a list or an object.
func (s Sink) encodeWithin(value any) (any, error) {
	if text, ok := value.(string); ok {
		return s.encode(text, "")
	}
	if object, ok := value.(map[string]any); ok {
		encoded := make(map[string]any, len(object))
		for name, member := range object {
			within, err := s.encodeWithin(member)
			if err != nil {
				return nil, err
			}
			encoded[name] = within
		}
		return encoded, nil
	}
	list, ok := asList(value)
	if !ok {
		return value, nil
	}
	encoded := make([]any, len(list))
	for i, item := range list {
		within, err := s.encodeWithin(item)
		if err != nil {
			return nil, err
		}
		encoded[i] = within
	}
	return encoded, nil
}

// escapeInURL escapes for the query behind a question mark, else as a segment of the path (RFC 3986, section 3).
func escapeInURL(value, before string) string {
	if strings.Contains(before, "?") {
		return url.QueryEscape(value)
	}
	if value == "." || value == ".." { // would climb out of its segment
		return strings.ReplaceAll(value, ".", "%2E")
	}
	return url.PathEscape(value)
}

// hostIsFixed tells whether the text in front of a URL's first value ends behind its host.
func hostIsFixed(before string) bool {
	_, rest, found := strings.Cut(before, "://")
	return found && strings.ContainsAny(rest, "/?#")
}
