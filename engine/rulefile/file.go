package rulefile

// File is what the rules files say.
type File struct {
	Version  Count   `yaml:"version"`
	Timezone Text    `yaml:"timezone"`
	Actions  Actions `yaml:"actions" expand:"true"`
	Rules    []Rule  `yaml:"rules"`
	Stats    Stats   `yaml:"stats"`
	Monitor  Monitor `yaml:"monitor"`

	// Sources are the files as they were read.
	Sources []*Source `yaml:"-"`
	// Secrets are the values that ${NAME} and ${file:NAME} stood for.
	Secrets []string `yaml:"-"`
	// Digest changes when a file, a variable that is used, or a secret file changes.
	Digest [32]byte `yaml:"-"`
}

// Actions are the actions by name, in the order of the file.
type Actions []Action

// Action is a named destination; just one of its kinds is set.
type Action struct {
	Name          Text     `yaml:"-"`
	Slack         *Slack   `yaml:"slack"`
	Email         *Email   `yaml:"email"`
	HTTP          *HTTP    `yaml:"http"`
	SQL           *SQL     `yaml:"sql"`
	Timeout       Duration `yaml:"timeout"`
	Concurrency   Count    `yaml:"concurrency"`
	Retry         Retry    `yaml:"retry"`
	MaxRetryAfter Duration `yaml:"max_retry_after"`
	Rate          Rate     `yaml:"rate"`
	Breaker       Breaker  `yaml:"breaker"`
	OrderBy       Text     `yaml:"order_by"`
}

// Breaker says when an action whose target fails is left alone.
type Breaker struct {
	Failures Count    `yaml:"failures"`
	Probe    Duration `yaml:"probe"`
}

// Kind is what the action speaks; empty when it does not say.
func (a *Action) Kind() string {
	switch {
	case a.Slack != nil:
		return "slack"
	case a.Email != nil:
		return "email"
	case a.HTTP != nil:
		return "http"
	case a.SQL != nil:
		return "sql"
	}
	return ""
}

// Slack are the settings of a slack action.
type Slack struct {
	Token      Text     `yaml:"token"`
	Channel    Template `yaml:"channel"`
	WebhookURL Text     `yaml:"webhook_url"`
	APIURL     Text     `yaml:"api_url"`
}

// Email are the settings of an email action.
type Email struct {
	Server   Text       `yaml:"server"`
	Username Text       `yaml:"username"`
	Password Text       `yaml:"password"`
	TLS      Text       `yaml:"tls"`
	From     Text       `yaml:"from"`
	To       []Template `yaml:"to"`
	CC       []Template `yaml:"cc"`
}

// HTTP are the settings of an http action.
type HTTP struct {
	URL     Template `yaml:"url"`
	Method  Text     `yaml:"method"`
	Headers Headers  `yaml:"headers"`

	SigningSecret Text `yaml:"signing_secret"` // several, separated by blanks, while they are rotated
}

// Headers are HTTP headers by name, in the order of the file.
type Headers []Header

// Header is one of them.
type Header struct {
	Name  Text
	Value Template
}

// Rule is a rule.
type Rule struct {
	Name        Text   `yaml:"name"`
	Description Text   `yaml:"description"`
	Owner       Text   `yaml:"owner"`
	On          []Text `yaml:"on"`
	When        Text   `yaml:"when"`
	OncePer     Text   `yaml:"once_per"`
	Disabled    Flag   `yaml:"disabled"`
	Shadow      Flag   `yaml:"shadow"`
	Then        []Step `yaml:"then"`

	Where Anchor `yaml:"-"`
}

// Step is one action with its message.
type Step struct {
	Action  Text       `yaml:"action"`
	Text    Template   `yaml:"text"`
	Blocks  *Tree      `yaml:"blocks"`
	Channel Template   `yaml:"channel"`
	Subject Template   `yaml:"subject"`
	HTML    Template   `yaml:"html"`
	To      []Template `yaml:"to"`
	JSON    *Tree      `yaml:"json"`
	Body    Template   `yaml:"body"`
	Headers Headers    `yaml:"headers"`

	At       Text     `yaml:"at"`
	Upsert   Upsert   `yaml:"upsert"`
	OnDelete OnDelete `yaml:"on_delete"`

	Where Anchor `yaml:"-"`
}
