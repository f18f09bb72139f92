package ruletest

import "github.com/peanuts-router/peanuts-router/engine/rulefile"

// file is what a test file says.
type file struct {
	Rules rulefile.Text `yaml:"rules"`
	Tests []test        `yaml:"tests"`
}

// test is one test: its own occasion, or Events.
type test struct {
	Name    rulefile.Text    `yaml:"name"`
	At      rulefile.Text    `yaml:"at"`
	Payload rulefile.Text    `yaml:"payload"`
	Event   *rulefile.Tree   `yaml:"event"`
	Set     rulefile.Members `yaml:"set"`
	Unset   []rulefile.Text  `yaml:"unset"`
	Events  []occasion       `yaml:"events"`
	Expect  *[]expectation   `yaml:"expect"`

	Where rulefile.Anchor `yaml:"-"`
}

// occasion is an event that arrives, or, with neither Payload nor Event, a moment that time has reached.
type occasion struct {
	At      rulefile.Text    `yaml:"at"`
	Payload rulefile.Text    `yaml:"payload"`
	Event   *rulefile.Tree   `yaml:"event"`
	Set     rulefile.Members `yaml:"set"`
	Unset   []rulefile.Text  `yaml:"unset"`
	Expect  *[]expectation   `yaml:"expect"`

	Where rulefile.Anchor `yaml:"-"`
}

// own is the occasion of a test without Events.
func (t *test) own() occasion {
	return occasion{At: t.At, Payload: t.Payload, Event: t.Event, Set: t.Set, Unset: t.Unset, Where: t.Where}
}

// expectation is a finding as it is to be.
type expectation struct {
	Rule     rulefile.Text  `yaml:"rule"`
	Action   rulefile.Text  `yaml:"action"`
	At       rulefile.Text  `yaml:"at"`
	Shadow   rulefile.Flag  `yaml:"shadow"`
	Channel  *rulefile.Tree `yaml:"channel"`
	To       *rulefile.Tree `yaml:"to"`
	Subject  *rulefile.Tree `yaml:"subject"`
	Text     *rulefile.Tree `yaml:"text"`
	HTML     *rulefile.Tree `yaml:"html"`
	Blocks   *rulefile.Tree `yaml:"blocks"`
	Headers  *rulefile.Tree `yaml:"headers"`
	JSON     *rulefile.Tree `yaml:"json"`
	Body     *rulefile.Tree `yaml:"body"`
	Upsert   *rulefile.Tree `yaml:"upsert"`
	Delete   *rulefile.Tree `yaml:"delete"`
	Mark     *rulefile.Tree `yaml:"mark"`
	Dead     *rulefile.Tree `yaml:"dead"`
	Error    *rulefile.Tree `yaml:"error"`
	Mismatch *rulefile.Tree `yaml:"mismatch"`

	Where rulefile.Anchor `yaml:"-"`
}

// said is a field of an expectation that the file speaks of.
type said struct {
	field string
	tree  *rulefile.Tree
}

// fields are what the expectation says of a finding's content, in the order in which they are shown.
func (e *expectation) fields() []said {
	all := []said{
		{"channel", e.Channel}, {"to", e.To}, {"subject", e.Subject}, {"text", e.Text}, {"html", e.HTML}, {"blocks", e.Blocks},
		{"headers", e.Headers}, {"json", e.JSON}, {"body", e.Body}, {"upsert", e.Upsert}, {"delete", e.Delete}, {"mark", e.Mark},
		{"dead", e.Dead}, {"error", e.Error}, {"mismatch", e.Mismatch},
	}
	there := all[:0]
	for _, one := range all {
		if one.tree != nil {
			there = append(there, one)
		}
	}
	return there
}
