package rulefile

import (
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxName        = 100 // characters of a name
	maxConcurrency = 1000
	maxTimeout     = 45 * time.Second
	maxWait        = 7 * 24 * time.Hour
	maxAttempts    = 100
	maxFailures    = 1000
	maxProbe       = time.Hour
)

// checker finds what is wrong with values that were read well.
type checker struct {
	file     *File
	problems Problems
	actions  map[string]*Action
}

func check(f *File) Problems {
	c := &checker{file: f, actions: map[string]*Action{}}
	if f.Version.IsSet() && !f.Version.bad && f.Version.Value != 1 {
		c.at(f.Version.anchored, "bad-version", fmt.Sprintf("version %d is not known; this program reads version 1", f.Version.Value))
	}
	if f.Timezone.IsSet() {
		if _, err := time.LoadLocation(f.Timezone.Value); err != nil || f.Timezone.Value == "Local" {
			c.at(f.Timezone.anchored, "bad-timezone", fmt.Sprintf("unknown time zone %q; write one such as Europe/Berlin or UTC", f.Timezone.Value))
		}
	}
	for i := range f.Actions {
		c.action(&f.Actions[i])
	}
	c.stats()
	c.monitor()
	if len(f.Rules)+len(f.Stats) == 0 && f.Version.IsSet() {
		p := f.Problem(Place{File: f.Sources[0].Name, Line: 1, Column: 1}, "no-rules", "there are no rules")
		p.Warning = true
		c.problems = append(c.problems, p)
	}
	named := map[string]Text{}
	for i := range f.Rules {
		if f.Rules[i].Where.IsSet() { // else it is no rule, which has been told
			c.rule(&f.Rules[i], named)
		}
	}
	return c.problems
}

// at tells of a problem with a value.
func (c *checker) at(where anchored, code, message string) *Problem {
	w := walker{source: where.source}
	w.add(where.node, Problem{Code: code, Message: message})
	c.problems = append(c.problems, w.problems[0])
	return &c.problems[len(c.problems)-1]
}

// required tells of a key that is missing where it must stand.
func (c *checker) required(where anchored, value anchored, key string) {
	if !value.IsSet() && where.IsSet() {
		c.at(where, "missing-key", key+" is missing")
	}
}

// name checks a name that must be unique.
func (c *checker) name(what string, name Text, seen map[string]Text) {
	first, twice := seen[name.Value]
	switch {
	case name.Value == "":
		c.at(name.anchored, "bad-name", "a name must not be empty")
	case utf8.RuneCountInString(name.Value) > maxName:
		c.at(name.anchored, "bad-name", fmt.Sprintf("a name has at most %d characters", maxName))
	case containsControl(name.Value):
		c.at(name.anchored, "bad-name", "a name holds no control characters")
	case twice:
		c.at(name.anchored, "repeated-name", fmt.Sprintf("the %s %q is there already, at %s", what, name.Value, first.Place()))
	default:
		seen[name.Value] = name
	}
}

func containsControl(text string) bool {
	for _, r := range text {
		if unicode.IsControl(r) {
			return true
		}
	}
	return false
}

func (c *checker) rule(r *Rule, named map[string]Text) {
	c.required(r.Where.anchored, r.Name.anchored, "name")
	if r.Name.IsSet() {
		c.name("rule", r.Name, named)
	}
	c.required(r.Where.anchored, r.When.anchored, "when")
	c.expression("when", r.When)
	if len(r.Then) == 0 {
		c.at(r.Where.anchored, "missing-key", "then is missing, or names no step")
	}
	events := map[string]bool{}
	for _, event := range r.On {
		switch {
		case event.Value == "":
			c.at(event.anchored, "bad-value", "an event's name must not be empty")
		case events[event.Value]:
			c.at(event.anchored, "repeated-event", fmt.Sprintf("%s stands twice", event.Value)).Warning = true
		}
		events[event.Value] = true
	}
	c.once(r)
	for i := range r.Then {
		c.step(&r.Then[i])
	}
}

func (c *checker) step(s *Step) {
	c.required(s.Where.anchored, s.Action.anchored, "action")
	c.expression("at", s.At)
	if !s.Action.IsSet() {
		return
	}
	action, known := c.actions[s.Action.Value]
	if !known {
		p := c.at(s.Action.anchored, "unknown-action", fmt.Sprintf("unknown action %q", s.Action.Value))
		if near := nearest(s.Action.Value, c.names()); near != "" {
			p.Suggestion = fmt.Sprintf("%q", near)
		}
		return
	}
	c.says(s, action)
}

func (c *checker) names() []string {
	var names []string
	for _, action := range c.file.Actions {
		names = append(names, action.Name.Value)
	}
	return names
}

// says checks that a step says what its action's kind takes, and something at all.
func (c *checker) says(s *Step, action *Action) {
	kind := action.Kind()
	for _, part := range s.parts() {
		if part.there && kind != "" && !contains(part.kinds, kind) {
			c.at(part.at, "unknown-key", fmt.Sprintf("a step of kind %s takes no %s", kind, part.key))
		}
	}
	switch kind {
	case "slack":
		if !s.Text.IsSet() && s.Blocks == nil {
			c.at(s.Where.anchored, "missing-key", "a slack step needs text or blocks")
		}
		if s.Channel.IsSet() && action.Slack.WebhookURL.IsSet() {
			c.at(s.Channel.anchored, "bad-value", "channel does not go with webhook_url: a webhook posts to its own channel")
		}
	case "email":
		c.required(s.Where.anchored, s.Subject.anchored, "subject")
		if !s.Text.IsSet() && !s.HTML.IsSet() {
			c.at(s.Where.anchored, "missing-key", "an email step needs text or html")
		}
		c.addresses(s.To, false)
	case "http":
		if s.JSON != nil && s.Body.IsSet() {
			c.at(s.Body.anchored, "bad-value", "body and json do not go together")
		}
		c.headers(s.Headers)
	case "sql":
		c.upsert(s, action)
	}
}

// part is a key that a step may hold, with the kinds of action it goes with.
type part struct {
	key   string
	there bool
	at    anchored
	kinds []string
}

func (s *Step) parts() []part {
	text := func(key string, t Template, kinds ...string) part { return part{key, t.IsSet(), t.anchored, kinds} }
	at := s.Where.anchored
	return []part{
		text("text", s.Text, "slack", "email"), text("channel", s.Channel, "slack"), text("subject", s.Subject, "email"),
		text("html", s.HTML, "email"), text("body", s.Body, "http"),
		{"blocks", s.Blocks != nil, at, []string{"slack"}}, {"to", len(s.To) > 0, at, []string{"email"}},
		{"json", s.JSON != nil, at, []string{"http"}}, {"headers", len(s.Headers) > 0, at, []string{"http"}},
		{"upsert", s.Upsert.IsSet(), s.Upsert.anchored, []string{"sql"}}, {"on_delete", s.OnDelete.IsSet(), s.OnDelete.anchored, []string{"sql"}},
	}
}

func contains(list []string, word string) bool {
	for _, item := range list {
		if item == word {
			return true
		}
	}
	return false
}
