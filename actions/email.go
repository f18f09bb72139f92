package actions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"strings"
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
	err = client.DialAndSendWithContext(ctx, message)
	if message.IsDelivered() {
		// What goes wrong on the way out of the connection does not take the mail back.
		return engine.Outcome{Verdict: engine.VerdictDelivered, Status: "250 OK"}
	}
	return ofMail(err, ctx.Err())
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
	if len(to)+len(cc) == 0 {
		return nil, nil, errors.New("there is no recipient")
	}
	for _, address := range append(append([]string{}, to...), cc...) {
		if _, parseError := mail.ParseAddress(address); (parseError != nil || hasControl(address)) && err == nil {
			err = errors.New("a recipient is no e-mail address")
		}
	}
	return to, cc, err
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
