package rulefile

import (
	"fmt"
	"net/mail"
	"net/textproto"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

func (c *checker) action(a *Action) {
	seen := map[string]Text{}
	for name, known := range c.actions {
		seen[name] = known.Name
	}
	c.name("action", a.Name, seen)
	if _, there := c.actions[a.Name.Value]; !there {
		c.actions[a.Name.Value] = a
	}
	kinds := 0
	for _, there := range []bool{a.Slack != nil, a.Email != nil, a.HTTP != nil, a.SQL != nil} {
		if there {
			kinds++
		}
	}
	if kinds != 1 {
		c.at(a.Name.anchored, "bad-action", "an action has exactly one of slack, email, http, sql")
	}
	c.common(a)
	switch {
	case a.Slack != nil:
		c.slack(a)
	case a.Email != nil:
		c.email(a)
	case a.HTTP != nil:
		c.http(a)
	case a.SQL != nil:
		c.sql(a)
	}
}

func (c *checker) common(a *Action) {
	if a.Timeout.Value > maxTimeout {
		c.at(a.Timeout.anchored, "bad-value", "timeout is at most 45s")
	}
	if a.Concurrency.IsSet() && !a.Concurrency.bad && (a.Concurrency.Value < 1 || a.Concurrency.Value > maxConcurrency) {
		c.at(a.Concurrency.anchored, "bad-value", fmt.Sprintf("concurrency is 1 to %d", maxConcurrency))
	}
	c.retry(a.Retry)
	c.breaker(a.Breaker)
	c.expression("order_by", a.OrderBy)
}

func (c *checker) breaker(b Breaker) {
	if b.Failures.IsSet() && !b.Failures.bad && (b.Failures.Value < 1 || b.Failures.Value > maxFailures) {
		c.at(b.Failures.anchored, "bad-value", fmt.Sprintf("failures is 1 to %d", maxFailures))
	}
	if b.Probe.Value > maxProbe {
		c.at(b.Probe.anchored, "bad-value", "probe is at most 1h")
	}
}

func (c *checker) retry(r Retry) {
	switch preset := r.Preset.Value; {
	case !r.Preset.IsSet():
	case preset != PresetStandard && preset != PresetPeanuts:
		c.at(r.anchored, "bad-value", fmt.Sprintf("retry is standard, peanuts, a list of waits, or a mapping; not %q", preset))
	}
	if len(r.Waits) >= maxAttempts {
		c.at(r.anchored, "bad-value", fmt.Sprintf("retry takes at most %d waits", maxAttempts-1))
	}
	for _, wait := range r.Waits {
		if wait.Value > maxWait {
			c.at(wait.anchored, "bad-value", "a wait is at most 168h (7 days)")
		}
	}
	if r.Plan != nil {
		c.plan(r)
	}
}

func (c *checker) plan(r Retry) {
	p := r.Plan
	c.required(r.anchored, p.Initial.anchored, "initial")
	c.required(r.anchored, p.Attempts.anchored, "attempts")
	for _, wait := range []Duration{p.Initial, p.MaxInterval} {
		if wait.Value > maxWait {
			c.at(wait.anchored, "bad-value", "a wait is at most 168h (7 days)")
		}
	}
	if p.Multiplier.IsSet() && !p.Multiplier.bad && (p.Multiplier.Value < 1 || p.Multiplier.Value > 100) {
		c.at(p.Multiplier.anchored, "bad-value", "multiplier is 1 to 100")
	}
	if p.Jitter.IsSet() && !p.Jitter.bad && (p.Jitter.Value < 0 || p.Jitter.Value > 1) {
		c.at(p.Jitter.anchored, "bad-value", "jitter is 0 to 1")
	}
	if p.Attempts.IsSet() && !p.Attempts.bad && (p.Attempts.Value < 1 || p.Attempts.Value > maxAttempts) {
		c.at(p.Attempts.anchored, "bad-value", fmt.Sprintf("attempts is 1 to %d", maxAttempts))
	}
}

func (c *checker) slack(a *Action) {
	s := a.Slack
	switch {
	case s.Token.IsSet() == s.WebhookURL.IsSet():
		c.at(a.Name.anchored, "bad-action", "slack needs either token and channel, or webhook_url")
	case s.Token.IsSet():
		c.required(a.Name.anchored, s.Channel.anchored, "channel")
	case s.Channel.IsSet():
		c.at(s.Channel.anchored, "bad-value", "channel does not go with webhook_url: a webhook posts to its own channel")
	}
	c.url(s.WebhookURL, "webhook_url")
	c.url(s.APIURL, "api_url")
}

// url checks that a value is an absolute URL whose host is written out. A variable that is not set may stand for it.
func (c *checker) url(value Text, key string) {
	fixed, _, templated := strings.Cut(value.Value, "{{")
	if !value.IsSet() || strings.HasPrefix(fixed, "${") {
		return
	}
	parsed, err := url.Parse(fixed)
	_, host, hasScheme := strings.Cut(fixed, "://")
	switch {
	case templated && hasScheme && !strings.ContainsAny(host, "/?#"):
		c.at(value.anchored, "bad-url", "the host of a URL takes no {{ }}")
	case err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "":
		c.at(value.anchored, "bad-url", key+" must be an absolute URL, http or https")
	case parsed.User != nil:
		c.at(value.anchored, "bad-url", key+" must hold no user or password; put them into a header")
	}
}

func (c *checker) email(a *Action) {
	e := a.Email
	c.required(a.Name.anchored, e.Server.anchored, "server")
	c.required(a.Name.anchored, e.From.anchored, "from")
	if len(e.To) == 0 {
		c.at(a.Name.anchored, "missing-key", "to is missing, or names nobody")
	}
	if e.Server.IsSet() && !strings.HasPrefix(e.Server.Value, "${") {
		if _, _, err := ParseServer(e.Server.Value); err != nil {
			c.at(e.Server.anchored, "bad-url", err.Error())
		}
	}
	if tls := e.TLS.Value; e.TLS.IsSet() && tls != "starttls" && tls != "none" && !strings.HasPrefix(tls, "${") {
		c.at(e.TLS.anchored, "bad-value", "tls is starttls or none; for implicit TLS write the server as smtps://")
	}
	c.address(e.From, true)
	c.addresses(e.To, true)
	c.addresses(e.CC, true)
}

// ParseServer reads smtp://host[:587] or smtps://host[:465]; implicit tells which.
func ParseServer(server string) (hostPort [2]string, implicit bool, err error) {
	parsed, err := url.Parse(server)
	if err != nil || parsed.Hostname() == "" || parsed.User != nil || strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" {
		return hostPort, false, fmt.Errorf("server must be smtp://host:587 or smtps://host:465")
	}
	port := parsed.Port()
	switch parsed.Scheme {
	case "smtp":
		if port == "" {
			port = "587"
		}
	case "smtps":
		implicit = true
		if port == "" {
			port = "465"
		}
	default:
		return hostPort, false, fmt.Errorf("server must be smtp://host:587 or smtps://host:465")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return hostPort, false, fmt.Errorf("the server's port must be 1 to 65535")
	}
	return [2]string{parsed.Hostname(), port}, implicit, nil
}

func (c *checker) addresses(list []Template, expanded bool) {
	for _, address := range list {
		c.address(address.Text, expanded)
	}
}

// address checks an e-mail address, unless a template makes it or, where variables are expanded, one that is not set.
func (c *checker) address(value Text, expanded bool) {
	if !value.IsSet() || strings.Contains(value.Value, "{{") || expanded && isVariable(value.Value) {
		return
	}
	if _, err := mail.ParseAddress(value.Value); err != nil {
		c.at(value.anchored, "bad-address", "this is no e-mail address such as ops@example.com or Ops <ops@example.com>")
	}
}

func (c *checker) http(a *Action) {
	h := a.HTTP
	c.required(a.Name.anchored, h.URL.anchored, "url")
	c.url(h.URL.Text, "url")
	if h.Method.IsSet() && !isVariable(h.Method.Value) && !regexp.MustCompile(methodWord).MatchString(h.Method.Value) {
		c.at(h.Method.anchored, "bad-value", "method is a word in capitals, such as POST or PUT")
	}
	c.headers(h.Headers)
	c.signing(h)
}

// What the methods and the headers of HTTP are called.
const (
	methodWord  = "^[A-Z]+$"
	headerToken = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" // RFC 9110, section 5.6.2
)

// ownHeaders are set by the router, or by HTTP itself.
func ownHeaders() []string {
	return []string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Trailer", "Te", "Idempotency-Key"}
}

// headers checks names, and keeps what the router and HTTP itself speak for.
func (c *checker) headers(list Headers) {
	token := regexp.MustCompile(headerToken)
	seen := map[string]bool{}
	for _, header := range list {
		name := textproto.CanonicalMIMEHeaderKey(header.Name.Value)
		if contains(ownHeaders(), name) {
			c.at(header.Name.anchored, "bad-header", name+" is set by the router itself")
		}
		switch {
		case !token.MatchString(header.Name.Value):
			c.at(header.Name.anchored, "bad-header", fmt.Sprintf("%q is no header name", header.Name.Value))
		case seen[name]:
			c.at(header.Name.anchored, "repeated-key", fmt.Sprintf("the header %s stands twice", name))
		}
		seen[name] = true
	}
}
