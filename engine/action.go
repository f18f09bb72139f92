package engine

import (
	"time"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// Action is a named, configured destination. It is looked up by its name at each attempt, so an edit reaches
// what is already owed (C14).
type Action struct {
	Name          ActionName
	Kind          Kind
	Timeout       time.Duration // of a whole attempt, from looking up the address to the last byte; at most 45 s
	Concurrency   int           // attempts under way at once
	Rate          Rate          // at which attempts begin
	Retry         RetryPlan
	Breaker       Breaker
	MaxRetryAfter time.Duration // the longest wait a target may ask for (C12)
	Settings      Settings      // *SlackSettings, *EmailSettings, *HTTPSettings or *SQLSettings, as Kind says
}

// What an action has when its file is silent.
const (
	DefaultTimeout       = 10 * time.Second
	MaxTimeout           = 45 * time.Second
	DefaultConcurrency   = 8
	DefaultMaxRetryAfter = time.Hour
)

// Rate is how many attempts begin in a length of time; the zero value bounds none.
type Rate struct {
	N   int
	Per time.Duration
}

// Breaker says when an action whose target fails is left alone. The zero value never leaves it alone.
type Breaker struct {
	Failures int           // retryable ones in a row
	Probe    time.Duration // between the deliveries that are let through to see whether the target is back
}

// DefaultBreaker is that of an action that names none.
func DefaultBreaker() Breaker { return Breaker{Failures: 10, Probe: 30 * time.Second} }

// Settings are those of one kind of action.
type Settings interface{ kind() Kind }

// SlackSettings reach a Slack channel, by bot token or by incoming webhook.
type SlackSettings struct {
	Token      Secret  // a bot token; or
	WebhookURL Secret  // an incoming webhook, whose URL is a secret
	Channel    Dynamic // with Token
	APIURL     string  // of a stand-in for https://slack.com/api/; ends in a slash; empty means Slack
}

// EmailSettings reach people through an SMTP server.
type EmailSettings struct {
	Host     string
	Port     int
	TLS      TLSMode
	Username string
	Password Secret
	From     string // an RFC 5322 address
	To, CC   []Dynamic
}

// TLSMode is how a connection to an SMTP server is protected.
type TLSMode string

// The TLS modes.
const (
	TLSStartTLS TLSMode = "starttls" // required; a server without it is refused
	TLSImplicit TLSMode = "implicit" // smtps://
	TLSNone     TLSMode = "none"
)

// HTTPSettings reach an HTTP endpoint.
type HTTPSettings struct {
	URL     Dynamic // its host part holds no template
	Method  string
	Headers map[string]Dynamic // by canonical name
	// SigningSecrets each sign every request (Standard Webhooks): whsec_ and base64, or plain text.
	SigningSecrets []Secret
}

// SQLSettings reach a table of a database.
type SQLSettings struct {
	Database Secret // sqlite:FILE or postgres://..., which may hold a password
	Table    string // as in the file: expenses, or reporting.expenses with a schema of PostgreSQL
	Key      string // the column that names the row of an entry
	Version  string // the column that holds the version of the entry which the row shows
}

// The databases that SQLSettings.Database begins with.
const (
	SchemeSQLite     = "sqlite:"
	SchemePostgres   = "postgres://"
	SchemePostgreSQL = "postgresql://"
)

func (*SlackSettings) kind() Kind { return KindSlack }
func (*EmailSettings) kind() Kind { return KindEmail }
func (*HTTPSettings) kind() Kind  { return KindHTTP }
func (*SQLSettings) kind() Kind   { return KindSQL }

// Dynamic is a setting of an action that may hold templates. It is rendered from the stored event at each
// attempt, encoded for the place it stands in: escaped in a URL, refused with CR or LF in a header.
type Dynamic interface {
	Render(e *peanuts.Event, now time.Time) (string, error)
}

// Fixed is a Dynamic without templates.
type Fixed string

// Render returns the text itself.
func (f Fixed) Render(*peanuts.Event, time.Time) (string, error) { return string(f), nil }

// RetryPlan says how often a delivery is tried and how long is waited in between.
type RetryPlan struct {
	// Waits are the waits between attempts, one fewer than there are attempts. They serve as they stand, but for Jitter.
	Waits []time.Duration
	// Initial, Multiplier, MaxInterval and Attempts make an exponential plan; they serve when Waits is nil.
	Initial     time.Duration
	Multiplier  float64
	MaxInterval time.Duration
	Attempts    int
	// Jitter is the part by which a wait may fall short or over: 0.2 is +-20 %.
	Jitter float64
}

// RetryStandard is the plan of an action that names none: 10 attempts over a day.
func RetryStandard() RetryPlan {
	const s, m, h = time.Second, time.Minute, time.Hour
	return RetryPlan{Waits: []time.Duration{5 * s, 30 * s, 2 * m, 10 * m, 30 * m, 2 * h, 5 * h, 10 * h, 10 * h}, Jitter: 0.2}
}

// RetryPeanuts is the plan of the Peanuts guide: 3 attempts, waits of 2 s and 4 s.
func RetryPeanuts() RetryPlan {
	return RetryPlan{Waits: []time.Duration{2 * time.Second, 4 * time.Second}}
}

// Limit is how many attempts the plan allows in all.
func (p RetryPlan) Limit() int {
	if p.Waits != nil {
		return len(p.Waits) + 1
	}
	return p.Attempts
}
