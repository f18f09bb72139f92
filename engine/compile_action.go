package engine

import (
	"net/http"
	"net/textproto"
	"strconv"
	"time"

	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

func (c *compiler) action(from *rulefile.Action) Action {
	a := Action{
		Name: ActionName(from.Name.Value), Kind: Kind(from.Kind()),
		Timeout: DefaultTimeout, Concurrency: DefaultConcurrency, MaxRetryAfter: DefaultMaxRetryAfter,
		Retry: retryPlan(from.Retry), Rate: Rate{N: from.Rate.N, Per: from.Rate.Per}, Breaker: breaker(from.Breaker),
	}
	if order := c.expression(from.OrderBy); order != nil {
		c.orders[a.Name] = order
	}
	if from.Timeout.IsSet() {
		a.Timeout = from.Timeout.Value
	}
	if from.Concurrency.IsSet() {
		a.Concurrency = from.Concurrency.Value
	}
	if from.MaxRetryAfter.IsSet() {
		a.MaxRetryAfter = from.MaxRetryAfter.Value
	}
	switch a.Kind {
	case KindSlack:
		a.Settings = c.slack(from.Slack)
	case KindEmail:
		a.Settings = c.email(from.Email)
	case KindHTTP:
		a.Settings = c.http(from.HTTP)
	case KindSQL:
		a.Settings = &SQLSettings{
			Database: NewSecret(from.SQL.Database.Value), Table: from.SQL.Table.Value, Key: from.SQL.Key.Value, Version: from.SQL.Version.Value,
		}
	}
	return a
}

// breaker is the breaker that a file says, or the one of an action that names none.
func breaker(from rulefile.Breaker) Breaker {
	b := DefaultBreaker()
	if from.Failures.IsSet() {
		b.Failures = from.Failures.Value
	}
	if from.Probe.IsSet() {
		b.Probe = from.Probe.Value
	}
	return b
}

func (c *compiler) slack(from *rulefile.Slack) *SlackSettings {
	s := &SlackSettings{Token: NewSecret(from.Token.Value), WebhookURL: NewSecret(from.WebhookURL.Value), APIURL: from.APIURL.Value}
	if from.Channel.IsSet() {
		s.Channel = c.dynamic(from.Channel, condition.Plain)
	}
	if s.APIURL != "" && s.APIURL[len(s.APIURL)-1] != '/' {
		s.APIURL += "/"
	}
	return s
}

func (c *compiler) email(from *rulefile.Email) *EmailSettings {
	e := &EmailSettings{
		Username: from.Username.Value, Password: NewSecret(from.Password.Value), From: from.From.Value,
		To: c.dynamics(from.To, condition.Header), CC: c.dynamics(from.CC, condition.Header), TLS: TLSStartTLS,
	}
	hostPort, implicit, err := rulefile.ParseServer(from.Server.Value)
	if err == nil {
		e.Host = hostPort[0]
		e.Port, _ = strconv.Atoi(hostPort[1])
	}
	switch {
	case implicit:
		e.TLS = TLSImplicit
	case from.TLS.Value == "none":
		e.TLS = TLSNone
	}
	return e
}

func (c *compiler) http(from *rulefile.HTTP) *HTTPSettings {
	h := &HTTPSettings{URL: c.dynamic(from.URL, condition.URL), Method: http.MethodPost, Headers: map[string]Dynamic{}}
	h.SigningSecrets = signingSecrets(from.SigningSecret)
	if from.Method.IsSet() {
		h.Method = from.Method.Value
	}
	for _, header := range from.Headers {
		h.Headers[textproto.CanonicalMIMEHeaderKey(header.Name.Value)] = c.dynamic(header.Value, condition.Header)
	}
	return h
}

// dynamic compiles a setting that may hold templates.
func (c *compiler) dynamic(from rulefile.Template, sink condition.Sink) Dynamic {
	template := c.template(from, sink)
	if template == nil {
		return Fixed("")
	}
	if text, fixed := template.Fixed(); fixed {
		return Fixed(text)
	}
	return templated{template}
}

func (c *compiler) dynamics(from []rulefile.Template, sink condition.Sink) []Dynamic {
	var settings []Dynamic
	for _, setting := range from {
		settings = append(settings, c.dynamic(setting, sink))
	}
	return settings
}

// templated is a Dynamic with templates.
type templated struct{ template *condition.Template }

func (t templated) Render(e *peanuts.Event, now time.Time) (string, error) {
	text, _, err := t.template.Render(condition.NewScope(e, now, nil))
	return text, err
}

// retryPlan is the plan that a file says, or the standard one.
func retryPlan(from rulefile.Retry) RetryPlan {
	switch {
	case from.Preset.Value == rulefile.PresetPeanuts:
		return RetryPeanuts()
	case from.Plan != nil:
		return exponential(from.Plan)
	case !from.IsSet() || from.Preset.IsSet():
		return RetryStandard()
	}
	plan := RetryPlan{Waits: []time.Duration{}}
	for _, wait := range from.Waits {
		plan.Waits = append(plan.Waits, wait.Value)
	}
	return plan
}

func exponential(from *rulefile.RetryPlan) RetryPlan {
	plan := RetryPlan{
		Initial: from.Initial.Value, Multiplier: 2, MaxInterval: from.MaxInterval.Value,
		Attempts: from.Attempts.Value, Jitter: from.Jitter.Value,
	}
	if from.Multiplier.IsSet() {
		plan.Multiplier = from.Multiplier.Value
	}
	if plan.MaxInterval == 0 {
		plan.MaxInterval = maxRetryInterval
	}
	return plan
}

// maxRetryInterval bounds the waits of an exponential plan that names no max_interval.
const maxRetryInterval = 10 * time.Hour
