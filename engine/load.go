package engine

import (
	"errors"
	"time"
	"unicode/utf8"

	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// Rules are compiled rules with the actions they name. They never change and are safe for concurrent use.
type Rules struct {
	generation int64
	rules      []*rule
	index      *index
	disabled   []*rule // those of them that are never judged
	actions    map[ActionName]Action
	order      []ActionName
	stats      []*stat
	monitor    Monitor
	zone       *time.Location
	mask       *mask
	digest     [32]byte
	sources    []*rulefile.Source
}

// Options say how rules are loaded.
type Options struct {
	rulefile.Options
	Generation int64 // the number these rules go by in logs and judgements
}

// Load reads and compiles a rules file or directory. With problems that are more than warnings there are no rules:
// they are all told, and nothing is accepted in part (C15).
func Load(path string, o Options) (*Rules, rulefile.Problems) {
	file, problems := rulefile.Load(path, o.Options)
	return compile(file, problems, o.Generation)
}

func compile(file *rulefile.File, problems rulefile.Problems, generation int64) (*Rules, rulefile.Problems) {
	c := newCompiler(file)
	r := &Rules{generation: generation, actions: map[ActionName]Action{}, digest: file.Digest, sources: file.Sources, zone: c.zone, monitor: monitorOf(file.Monitor)}
	for i := range file.Actions {
		action := c.action(&file.Actions[i])
		r.actions[action.Name] = action
		r.order = append(r.order, action.Name)
	}
	for i := range file.Rules {
		rule := c.rule(&file.Rules[i], r.actions)
		r.rules = append(r.rules, rule)
		if rule.disabled {
			r.disabled = append(r.disabled, rule)
		}
	}
	for i := range file.Stats {
		r.stats = append(r.stats, c.stat(&file.Stats[i]))
	}
	problems = append(problems, c.problems...)
	problems.Sort()
	if problems.Failed() {
		return nil, problems
	}
	r.index = newIndex(r.rules)
	r.mask = newMask(file.Secrets, r.actions)
	return r, problems
}

func zoneOf(file *rulefile.File) *time.Location {
	zone, err := time.LoadLocation(file.Timezone.Value)
	if err != nil {
		return time.UTC // and a problem that has been told
	}
	return zone
}

// Generation is the number these rules go by.
func (r *Rules) Generation() int64 { return r.generation }

// Len is how many rules there are.
func (r *Rules) Len() int { return len(r.rules) }

// SameAs tells whether the two were made from the same files, variables and secrets.
func (r *Rules) SameAs(other *Rules) bool { return r.digest == other.digest }

// Action is the action of that name, if there is one.
func (r *Rules) Action(name ActionName) (Action, bool) {
	action, ok := r.actions[name]
	return action, ok
}

// Actions are the names of all actions, in the order of the file.
func (r *Rules) Actions() []ActionName { return r.order }

// Names are the names of all rules, in the order of the file.
func (r *Rules) Names() []RuleName {
	names := make([]RuleName, len(r.rules))
	for i, rule := range r.rules {
		names[i] = rule.name
	}
	return names
}

// Mask hides known secret values in a text that may hold some.
func (r *Rules) Mask(text string) string { return r.mask.hide(text) }

// compiler turns a read file into rules and gathers what is wrong with it.
type compiler struct {
	file     *rulefile.File
	dialect  *condition.Dialect
	standing *condition.Dialect // of stats
	zone     *time.Location
	orders   map[ActionName]*condition.Expression // order_by of the actions that have one
	problems rulefile.Problems
}

func newCompiler(file *rulefile.File) *compiler {
	zone := zoneOf(file)
	return &compiler{
		file: file, zone: zone, orders: map[ActionName]*condition.Expression{},
		dialect: condition.New(condition.Config{Zone: zone}), standing: condition.New(condition.Config{Zone: zone, Standing: true}),
	}
}

// fault tells of an error in an expression or template, at its place in the file.
func (c *compiler) fault(text rulefile.Text, err error) {
	var e *condition.Error
	if !errors.As(err, &e) {
		e = &condition.Error{Code: "bad-expression", Message: err.Error()}
	}
	end := min(len(text.Value), e.Offset+e.Length)
	length := utf8.RuneCountInString(text.Value[min(e.Offset, end):end])
	p := text.Problem(e.Offset, length, e.Code, e.Message)
	p.Suggestion = e.Suggestion
	c.problems = append(c.problems, p)
}

// template compiles a template; nil when the file says nothing.
func (c *compiler) template(t rulefile.Template, sink condition.Sink) *condition.Template {
	if !t.IsSet() {
		return nil
	}
	compiled, err := c.dialect.Template(t.Value, sink)
	if err != nil {
		c.fault(t.Text, err)
		return nil
	}
	return compiled
}

func (c *compiler) templates(ts []rulefile.Template, sink condition.Sink) []*condition.Template {
	var compiled []*condition.Template
	for _, t := range ts {
		compiled = append(compiled, c.template(t, sink))
	}
	return compiled
}
