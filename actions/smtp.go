package actions

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/peanuts-router/peanuts-router/engine"
)

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
	secured := &tls.Config{ServerName: e.settings.Host, RootCAs: e.config.RootCAs, MinVersion: tls.VersionTLS12}
	dial := dialer(e.config, divertTo)
	policy := gomail.NoTLS
	if security == engine.TLSStartTLS {
		policy = gomail.TLSMandatory
	}
	options := []gomail.Option{
		gomail.WithPort(e.settings.Port),
		gomail.WithTimeout(max(time.Until(deadline), time.Millisecond)),
		gomail.WithTLSConfig(secured),
		gomail.WithTLSPolicy(policy),
		gomail.WithoutNoop(),
		gomail.WithDialContextFunc(func(dialCtx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(dialCtx, network, address)
			if err != nil {
				return nil, err
			}
			conn = &brief{boundTo(ctx, conn), maxMailTalk}
			if security == engine.TLSImplicit {
				conn = tls.Client(conn, secured) // outermost, or else go-mail takes it for a connection in clear
			}
			return conn, nil
		}),
	}
	if e.settings.Username != "" && e.config.Divert == nil {
		options = append(options, gomail.WithOpportunisticSMTPAuth(mechanisms(security)...),
			gomail.WithUsername(e.settings.Username), gomail.WithPassword(e.settings.Password.Reveal()))
	}
	return gomail.NewClient(e.settings.Host, options...)
}

// mechanisms are the ways to log in, the best first. PLAIN and LOGIN refuse by themselves to tell a password in clear
// to any other machine than this one.
func mechanisms(security engine.TLSMode) []gomail.SMTPAuthType {
	anywhere := []gomail.SMTPAuthType{
		gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthCramMD5, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin,
	}
	if security == engine.TLSNone {
		return anywhere
	}
	return append([]gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256PLUS, gomail.SMTPAuthSCRAMSHA1PLUS}, anywhere...)
}

// maxMailTalk is how much a mail server may say in all, in bytes: go-mail would keep a reply without end.
const maxMailTalk = 256 << 10

var errLongTalk = errors.New("the mail server says too much")

// brief is a connection over which no more than so much is heard.
type brief struct {
	net.Conn
	left int // how many bytes may still be read
}

func (b *brief) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLongTalk
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// ofMail is what an attempt that did not deliver its mail came to. An error of go-mail's may hold what the server said
// and recipients, so that no reason is made of it.
func ofMail(err, ended error) engine.Outcome {
	if ended != nil {
		return ofError(ended)
	}
	var sending *gomail.SendError
	var protocol *textproto.Error
	switch {
	case errors.As(err, &sending) && sending.ErrorCode() != 0:
		return ofReply(sending.ErrorCode(), saidIn(sending), true)
	case errors.As(err, &sending):
		return ofError(err)
	case errors.As(err, &protocol):
		return ofReply(protocol.Code, protocol.Error(), false)
	case errors.Is(err, smtp.ErrUnencrypted), errors.Is(err, gomail.ErrNoSupportedAuthDiscovered), strings.Contains(err.Error(), "does not support SMTP AUTH"):
		outcome := retry("no login", "the server offers no way to log in that keeps the password safe; check tls and username")
		outcome.Refused = true
		return outcome
	case strings.Contains(err.Error(), "STARTTLS"):
		return retry("no STARTTLS", "the server does not offer STARTTLS, and mail is not sent in clear; check server and tls")
	}
	return ofError(err)
}

// saidIn is what the server said, without what go-mail puts around it.
func saidIn(err *gomail.SendError) string {
	said, _, _ := strings.Cut(err.Error(), ", affected ")
	return strings.TrimPrefix(said, err.Reason.String()+": ")
}

// enhancedCode finds the code that says more than the three digits before it (RFC 3463, section 2).
var enhancedCode = regexp.MustCompile(`^\d{3} "?([245]\.\d{1,3}\.\d{1,3})\b`)

// ofReply is what a reply of SMTP means (RFC 5321, section 4.2.1; RFC 4954, section 6). refusedMessage tells whether it
// answers the message rather than the connection, which may be let in another time.
func ofReply(code int, said string, refusedMessage bool) engine.Outcome {
	outcome := engine.Outcome{Verdict: engine.VerdictRetry, Status: strconv.Itoa(code), Answer: keep(said)}
	if enhanced := enhancedCode.FindStringSubmatch(said); enhanced != nil {
		outcome.Status += " " + enhanced[1]
	}
	switch {
	case code == 530 || code == 534 || code == 535 || code == 538:
		outcome.Refused = true
		outcome.Reason = fmt.Sprintf("the mail server refuses our credentials (%s); check username, password and tls", outcome.Status)
	case code/100 == 5 && refusedMessage:
		outcome.Verdict = engine.VerdictDead
		outcome.Reason = fmt.Sprintf("the mail server refuses the message or a recipient (%s); nobody got it", outcome.Status)
	default:
		outcome.Reason = fmt.Sprintf("the mail server cannot take the message now (%s)", outcome.Status)
	}
	return outcome
}
