package actions

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/peanuts-router/peanuts-router/engine"
)

// emailSender hands mail to an SMTP server, over a connection for each message.
type emailSender struct {
	settings *engine.EmailSettings
	config   Config
}

func newEmail(settings *engine.EmailSettings, config Config) *emailSender {
	return &emailSender{settings: settings, config: config}
}

func (e *emailSender) Close() {}

func (e *emailSender) Send(ctx context.Context, s engine.Shipment) engine.Outcome {
	message, err := e.compose(s)
	if err != nil {
		return dead("not sendable", err.Error())
	}
	client, err := e.client(ctx)
	if err != nil {
		return dead("not sendable", "the settings of the mail server cannot be used: "+err.Error())
	}
	return ofMail(client.DialAndSendWithContext(ctx, message), ctx.Err())
}

// compose builds the mail. Its errors hold no text of the event.
func (e *emailSender) compose(s engine.Shipment) (*gomail.Msg, error) {
	var m engine.EmailMessage
	if err := json.Unmarshal(s.Message, &m); err != nil {
		return nil, errors.New("the stored message cannot be read")
	}
	to, cc, err := e.recipients(s, m)
	if err != nil {
		return nil, err
	}
	if hasControl(m.Subject) {
		return nil, errors.New("the subject holds a line break or another control character")
	}
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if message.From(e.settings.From) != nil {
		return nil, errors.New("from is no e-mail address")
	}
	if message.To(to...) != nil || message.Cc(cc...) != nil {
		return nil, errors.New("a recipient is no e-mail address")
	}
	message.Subject(m.Subject)
	message.SetDateWithValue(e.config.Now())
	message.SetMessageIDWithValue(s.ID.Key() + "@" + domainOf(e.settings.From))
	message.SetUserAgent(e.config.UserAgent)
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834, section 5
	message.SetGenHeader("X-Peanuts-Event", string(s.Event))
	switch {
	case m.HTML == "":
		message.SetBodyString(gomail.TypeTextPlain, m.Text)
	case m.Text == "":
		message.SetBodyString(gomail.TypeTextHTML, m.HTML)
	default:
		message.SetBodyString(gomail.TypeTextPlain, m.Text)
		message.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return message, nil
}

// recipients are the message's own, or else the action's; and the action's further ones.
func (e *emailSender) recipients(s engine.Shipment, m engine.EmailMessage) (to, cc []string, err error) {
	settings := rendering{shipment: s, now: e.config.Now()}
	render := func(from []engine.Dynamic) (list []string) {
		for _, setting := range from {
			address, renderError := settings.render(setting)
			if renderError != nil && err == nil {
				err = fmt.Errorf("rendering a recipient: %w", renderError)
			}
			list = append(list, address)
		}
		return list
	}
	to = m.To
	if len(to) == 0 {
		to = render(e.settings.To)
	}
	cc = render(e.settings.CC)
	for _, address := range append(append([]string{}, to...), cc...) {
		if _, parseError := mail.ParseAddress(address); (parseError != nil || hasControl(address)) && err == nil {
			err = errors.New("a recipient is no e-mail address")
		}
	}
	return to, cc, err
}

// client makes a client whose connection ends with ctx: go-mail minds its deadline only until it is connected.
func (e *emailSender) client(ctx context.Context) (*gomail.Client, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(engine.MaxTimeout)
	}
	divertTo, security := "", e.settings.TLS
	if e.config.Divert != nil {
		divertTo, security = e.config.Divert.SMTP, engine.TLSNone
	}
	dial := dialer(divertTo)
	secured := &tls.Config{ServerName: e.settings.Host, RootCAs: e.config.RootCAs, MinVersion: tls.VersionTLS12}
	options := []gomail.Option{
		gomail.WithPort(e.settings.Port),
		gomail.WithTimeout(max(time.Until(deadline), time.Millisecond)),
		gomail.WithTLSConfig(secured),
		gomail.WithoutNoop(),
		gomail.WithDialContextFunc(func(dialCtx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(dialCtx, network, address)
			if err != nil {
				return nil, err
			}
			if security == engine.TLSImplicit {
				conn = tls.Client(conn, secured)
			}
			return boundTo(ctx, conn), nil
		}),
	}
	if security == engine.TLSStartTLS {
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	} else {
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if e.settings.Username != "" && e.config.Divert == nil {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(e.settings.Username), gomail.WithPassword(e.settings.Password.Reveal()))
	}
	return gomail.NewClient(e.settings.Host, options...)
}

// bound is a connection that is closed when its context ends.
type bound struct {
	net.Conn
	release func() bool
}

func boundTo(ctx context.Context, conn net.Conn) net.Conn {
	return bound{Conn: conn, release: context.AfterFunc(ctx, func() { conn.Close() })}
}

func (b bound) Close() error {
	b.release()
	return b.Conn.Close()
}

// ofMail is what an attempt to send mail came to.
func ofMail(err, ended error) engine.Outcome {
	if err == nil {
		return engine.Outcome{Verdict: engine.VerdictDelivered, Status: "250 OK"}
	}
	if ended != nil {
		return ofError(ended)
	}
	var sending *gomail.SendError
	var protocol *textproto.Error
	switch {
	case errors.As(err, &protocol):
		return ofReply(protocol.Code, protocol.Msg, errors.As(err, &sending))
	case errors.As(err, &sending) && sending.ErrorCode() != 0:
		return ofReply(sending.ErrorCode(), "", true)
	case strings.Contains(err.Error(), "STARTTLS"):
		return retry("no STARTTLS", "the server does not offer STARTTLS, and mail is not sent in clear; check server and tls")
	}
	return ofError(err)
}

// ofReply is what a reply code of SMTP means (RFC 5321, section 4.2.1; RFC 4954, section 6). refusedMessage tells whether
// it answers the message rather than the connection.
func ofReply(code int, text string, refusedMessage bool) engine.Outcome {
	outcome := engine.Outcome{Verdict: engine.VerdictRetry, Status: itoa(code), Answer: keep(text)}
	switch {
	case code == 530 || code == 534 || code == 535 || code == 538:
		outcome.Refused = true
		outcome.Reason = fmt.Sprintf("the mail server refuses our credentials (%d); check username and password", code)
	case code/100 == 5 && refusedMessage:
		outcome.Verdict = engine.VerdictDead
		outcome.Reason = fmt.Sprintf("the mail server refuses the message or a recipient (%d)", code)
	default:
		outcome.Reason = fmt.Sprintf("the mail server cannot take the message now (%d)", code)
	}
	return outcome
}

// domainOf is the domain of an address, which a Message-ID ends with.
func domainOf(from string) string {
	if address, err := mail.ParseAddress(from); err == nil {
		if _, domain, ok := strings.Cut(address.Address, "@"); ok {
			return domain
		}
	}
	return "localhost"
}

func hasControl(text string) bool {
	return strings.ContainsFunc(text, unicode.IsControl) || strings.ContainsAny(text, "\u2028\u2029")
}
