package engine

import (
	"encoding/json"
	"fmt"
	"html"

	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// step is one compiled step of a rule.
type step struct {
	action  ActionName
	kind    Kind
	message message
	at      *condition.Expression // nil: at once
	table   *Table                // what it writes; nil of a step that writes no table
	order   *condition.Expression // of its action: what goes one after the other; nil: nothing
}

// message is the compiled message of a step.
type message interface {
	// freeze renders the message for one event; absent are the {{ }} that printed as nothing.
	freeze(*judging) (frozen any, absent []string, err error)
	// fallback is what goes out when freeze could not render the message; nil when nothing can.
	fallback(rule RuleName, j *judging, why error) any
}

// owe is what the step owes once its rule has fired: one delivery, or none when its time is absent. The message is frozen;
// one that cannot be rendered is replaced by a plain one for people, or is dead at once where a machine would read it
// (C21). Its error says that the time cannot be told, which owes nothing, or the order, without which it is owed all the
// same: nothing is lost for that.
func (s *step) owe(rule *rule, n int, j *judging) (owed []Owed, absent []string, err error) {
	if s.sync() != nil && (!j.event.IsVersion() || j.event.Event == peanuts.EntryDeleted) {
		owed, err = s.remove(rule, n, j)
		return owed, nil, err
	}
	one, unordered := s.owed(rule, n, j)
	if s.at != nil {
		moment, there, err := s.at.Moment(j.Scope)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("at: %w", err)
		case !there:
			return nil, nil, nil
		}
		one.At = moment
	}
	frozen, absent, err := s.message.freeze(j)
	if err != nil {
		frozen = s.message.fallback(rule.name, j, err)
		if frozen == nil {
			one.Dead = fmt.Sprintf("the message could not be rendered: %v", err)
			frozen = struct{}{}
		}
	}
	if s.sync() != nil {
		one.Sync = SyncUpsert
	}
	return []Owed{one.with(frozen, j)}, absent, unordered
}

// owed is what the step owes, but for its message. Its error says that the order cannot be told: it is in none then.
func (s *step) owed(rule *rule, n int, j *judging) (owed Owed, err error) {
	owed = Owed{Rule: rule.name, Step: n, Action: s.action, Kind: s.kind, Shadow: rule.shadow}
	if s.order != nil {
		if owed.Order, _, err = s.order.Claim(j.Scope); err != nil {
			err = fmt.Errorf("order_by of %s: %w", s.action, err)
		}
	}
	return owed, err
}

// with completes a delivery with its message. What follows an entry is cancelled at once when the entry has moved on.
func (o Owed) with(message any, j *judging) Owed {
	var err error
	o.Message, err = marshal(message)
	if err != nil && o.Dead == "" {
		o.Dead = fmt.Sprintf("the message could not be written as JSON: %v", err)
	}
	if o.Follows() && j.known.Late {
		o.Late = tooLate
	}
	return o
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

func (s *slackStep) freeze(j *judging) (any, []string, error) {
	r := rendering{scope: j.Scope}
	m := SlackMessage{Channel: r.text(s.channel), Text: r.text(s.text), Blocks: r.tree(s.blocks)}
	return m, r.absent, r.err
}

func (s *slackStep) fallback(rule RuleName, j *judging, why error) any {
	r := rendering{scope: j.Scope}
	m := SlackMessage{Channel: r.text(s.channel), Text: condition.EscapeSlack(fallbackText(rule, j, why))}
	if r.err != nil {
		m.Channel = "" // the action's own
	}
	return m
}

type emailStep struct {
	to                  []*condition.Template
	subject, text, html *condition.Template
}

func (s *emailStep) freeze(j *judging) (any, []string, error) {
	r := rendering{scope: j.Scope}
	m := EmailMessage{To: r.texts(s.to), Subject: r.text(s.subject), Text: r.text(s.text), HTML: r.text(s.html)}
	return m, r.absent, r.err
}

func (s *emailStep) fallback(rule RuleName, j *judging, why error) any {
	r := rendering{scope: j.Scope}
	m := EmailMessage{To: r.texts(s.to), Subject: fmt.Sprintf("rule %s fired", rule), Text: fallbackText(rule, j, why)}
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

func (s *httpStep) freeze(j *judging) (any, []string, error) {
	r := rendering{scope: j.Scope}
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
func (s *httpStep) fallback(RuleName, *judging, error) any { return nil }

// fallbackText tells that a rule fired although its message failed: a broken template never swallows a notification.
func fallbackText(rule RuleName, j *judging, why error) string {
	about := "entry " + j.event.Entry.ID
	if j.event.Entry.ID == "" {
		about = j.event.Event
	}
	return fmt.Sprintf("rule %s fired for %s; its message failed: %v", rule, about, why)
}
