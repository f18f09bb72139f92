package actions

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// Config is what senders share.
type Config struct {
	UserAgent string           // who is calling; empty means "peanuts-router"
	Now       func() time.Time // nil means time.Now
	RootCAs   *x509.CertPool   // nil means those of the machine
	Divert    *Diversion       // nil sends to the real targets

	// Dial connects to targets that are no database; nil looks names up and connects as the machine does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Diversion leads every connection to receivers, in clear, whatever the settings say.
type Diversion struct {
	HTTP string // host:port that takes what is meant for HTTP and Slack
	SMTP string // host:port that takes mail
	SQL  string // SQLite file that takes the rows meant for any database
}

// Sender sends messages of one action. It is safe for concurrent use.
type Sender interface {
	// Send makes one attempt and returns by ctx's deadline.
	Send(ctx context.Context, s engine.Shipment) engine.Outcome
	// Close lets go of idle connections; attempts under way go on.
	Close()
}

// New makes the sender of an action.
func New(action engine.Action, config Config) (Sender, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.UserAgent == "" {
		config.UserAgent = "peanuts-router"
	}
	switch settings := action.Settings.(type) {
	case *engine.SlackSettings:
		return newSlack(settings, action, config), nil
	case *engine.EmailSettings:
		return newEmail(settings, config), nil
	case *engine.HTTPSettings:
		return newHTTP(settings, action, config), nil
	case *engine.SQLSettings:
		sender, err := newSQL(settings, action, config)
		if err != nil {
			return nil, fmt.Errorf("making a sender for %s: %w", action.Name, err)
		}
		return sender, nil
	}
	return nil, fmt.Errorf("making a sender for %s: no kind of action", action.Name)
}

// rendering renders the settings of an action from one stored event, which is parsed when a template first asks.
type rendering struct {
	shipment engine.Shipment
	now      time.Time
	event    *peanuts.Event
}

func (r *rendering) render(setting engine.Dynamic) (string, error) {
	if fixed, ok := setting.(engine.Fixed); ok {
		return string(fixed), nil
	}
	if setting == nil {
		return "", nil
	}
	if r.event == nil {
		event, err := peanuts.Parse(r.shipment.Body)
		if err != nil {
			return "", fmt.Errorf("reading the stored event: %w", err)
		}
		r.event = event
	}
	return setting.Render(r.event, r.now)
}

// dead is an outcome that no further attempt can change.
func dead(status, reason string) engine.Outcome {
	return engine.Outcome{Verdict: engine.VerdictDead, Status: status, Reason: reason}
}

// retry is an outcome that another attempt may change.
func retry(status, reason string) engine.Outcome {
	return engine.Outcome{Verdict: engine.VerdictRetry, Status: status, Reason: reason}
}

// bound is a connection that is closed when a context ends.
type bound struct {
	net.Conn
	release func() bool
}

func boundTo(ctx context.Context, conn net.Conn) net.Conn {
	return &bound{Conn: conn, release: context.AfterFunc(ctx, func() { conn.Close() })}
}

func (b *bound) Close() error {
	b.release()
	return b.Conn.Close()
}

// dialer connects to the real address, or to the diversion's. Its bound is for connections that a pool goes on making
// after the attempt that asked for them.
func dialer(config Config, divertTo string) func(ctx context.Context, network, address string) (net.Conn, error) {
	dial := config.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: engine.MaxTimeout}).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if divertTo != "" {
			address = divertTo
		}
		return dial(ctx, network, address)
	}
}
