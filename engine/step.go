package engine

import (
	"encoding/json"
	"fmt"
	"html"

	"github.com/peanuts-router/peanuts-router/engine/condition"
)

// step is one compiled step of a rule.
type step struct {
	action  ActionName
	kind    Kind
	message message
}

// message is the compiled message of a step.
type message interface {
	// freeze renders the message for one event; absent are the {{ }} that printed as nothing.
	freeze(*condition.Scope) (frozen any, absent []string, err error)
	// fallback is what goes out when freeze could not render the message; nil when nothing can.
	fallback(rule RuleName, scope *condition.Scope, why error) any
}

// owe freezes the step's message. A message that cannot be rendered is replaced by a plain one for people, or is
// dead at once where a machine would read it (C21).
func (s *step) owe(rule RuleName, scope *condition.Scope) (Owed, []string) {
	owed := Owed{Rule: rule, Action: s.action, Kind: s.kind}
	frozen, absent, err := s.message.freeze(scope)
	if err != nil {
		frozen = s.message.fallback(rule, scope, err)
		if frozen == nil {
			owed.Dead = fmt.Sprintf("the message could not be rendered: %v", err)
			frozen = struct{}{}
		}
	}
	owed.Message, err = marshal(frozen)
	if err != nil && owed.Dead == "" {
		owed.Dead = fmt.Sprintf("the message could not be written as JSON: %v", err)
	}
	return owed, absent
}

// rendering renders templates one after another and keeps the first error and every absent value.
type rendering struct {
	scope  *condition.Scope
	absent []string
	err    error
}

func (r *rendering) text(t *condition.Template) string {
	if t == nil || r.err != nil {
		return ""
	}
	text, absent, err := t.Render(r.scope)
	r.absent, r.err = append(r.absent, absent...), err
	return text
}

func (r *rendering) texts(ts []*condition.Template) []string {
	var texts []string
	for _, t := range ts {
		texts = append(texts, r.text(t))
	}
	return texts
}

func (r *rendering) tree(t *tree) json.RawMessage {
	if t == nil || r.err != nil {
		return nil
	}
	return t.appendJSON(nil, r)
}

type slackStep struct {
	channel, text *condition.Template
	blocks        *tree
}

func (s *slackStep) freeze(scope *condition.Scope) (any, []string, error) {
	r := rendering{scope: scope}
	m := SlackMessage{Channel: r.text(s.channel), Text: r.text(s.text), Blocks: r.tree(s.blocks)}
	return m, r.absent, r.err
}

func (s *slackStep) fallback(rule RuleName, scope *condition.Scope, why error) any {
	r := rendering{scope: scope}
	m := SlackMessage{Channel: r.text(s.channel), Text: condition.EscapeSlack(fallbackText(rule, scope, why))}
	if r.err != nil {
		m.Channel = "" // the action's own
	}
	return m
}

type emailStep struct {
	to                  []*condition.Template
	subject, text, html *condition.Template
}

func (s *emailStep) freeze(scope *condition.Scope) (any, []string, error) {
	r := rendering{scope: scope}
	m := EmailMessage{To: r.texts(s.to), Subject: r.text(s.subject), Text: r.text(s.text), HTML: r.text(s.html)}
	return m, r.absent, r.err
}

func (s *emailStep) fallback(rule RuleName, scope *condition.Scope, why error) any {
	r := rendering{scope: scope}
	m := EmailMessage{To: r.texts(s.to), Subject: fmt.Sprintf("rule %s fired", rule), Text: fallbackText(rule, scope, why)}
	if s.html != nil && s.text == nil {
		m.HTML = html.EscapeString(m.Text)
	}
	if r.err != nil {
		m.To = nil // the action's own
	}
	return m
}

type httpStep struct {
	headers map[string]*condition.Template // by canonical name
	json    *tree
	body    *condition.Template
}

func (s *httpStep) freeze(scope *condition.Scope) (any, []string, error) {
	r := rendering{scope: scope}
	m := HTTPMessage{JSON: r.tree(s.json)}
	for name, value := range s.headers {
		if m.Headers == nil {
			m.Headers = make(map[string]string, len(s.headers))
		}
		m.Headers[name] = r.text(value)
	}
	if s.body != nil {
		body := r.text(s.body)
		m.Body = &body
	}
	return m, r.absent, r.err
}

// fallback is nil: a machine could not tell a plain text from its message.
func (s *httpStep) fallback(RuleName, *condition.Scope, error) any { return nil }

// fallbackText tells that a rule fired although its message failed: a broken template never swallows a notification.
func fallbackText(rule RuleName, scope *condition.Scope, why error) string {
	return fmt.Sprintf("rule %s fired for entry %s; its message failed: %v", rule, scope.EntryID(), why)
}
