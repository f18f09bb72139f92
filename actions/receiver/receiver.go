package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/peanuts-router/peanuts-router/engine"
)

// Call is one message as it arrived. Which fields are set depends on its kind.
type Call struct {
	Kind engine.Kind
	Key  string // what the message goes by through attempts (C10)

	Channel string // slack; empty for an incoming webhook
	Text    string // slack and email
	Blocks  string // slack, as JSON

	From    string // email
	To      []string
	Subject string
	HTML    string

	Method string // http
	URL    string // as the caller meant it
	Header http.Header
	Body   string
}

// Answer is what a caller is told. The zero value lets the call succeed.
type Answer struct {
	Status int // of HTTP, or an SMTP reply code after the message
	Header http.Header
	Body   string
}

// Config makes a Receiver.
type Config struct {
	OnCall func(Call)        // called for each call, before it is answered; nil calls nothing
	Answer func(Call) Answer // nil lets every call succeed
}

// Receiver listens on two free ports of the loopback interface.
type Receiver struct {
	Config
	HTTP string // host:port for HTTP and Slack
	SMTP string // host:port for mail
	web  *http.Server
	mail *smtp.Server

	stop   func() error // closes the listener for mail, which the server does not where it is closed before it serves
	served sync.WaitGroup
}

// Start makes a Receiver that listens until Close.
func Start(config Config) (*Receiver, error) {
	r := &Receiver{Config: config}
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for HTTP calls: %w", err)
	}
	mail, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listening for mail: %w", err), web.Close())
	}
	r.HTTP, r.SMTP = web.Addr().String(), mail.Addr().String()
	r.web = &http.Server{Handler: http.HandlerFunc(r.serveHTTP), ReadHeaderTimeout: 10 * time.Second}
	r.mail = smtp.NewServer(mailbox{r})
	r.mail.Domain = "localhost"
	r.mail.ErrorLog = quiet{}
	r.mail.ReadTimeout, r.mail.WriteTimeout = time.Minute, time.Minute
	r.stop = mail.Close
	r.served.Go(func() { r.web.Serve(web) })   // ends with Close
	r.served.Go(func() { r.mail.Serve(mail) }) // ends with Close
	return r, nil
}

// Close stops listening and cuts what is under way.
func (r *Receiver) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = r.web.Shutdown(ctx)
	err := errors.Join(r.web.Close(), r.mail.Close())
	_ = r.stop()
	r.served.Wait()
	return err
}

// caught reports a call and decides its answer.
func (r *Receiver) caught(call Call) Answer {
	if r.OnCall != nil {
		r.OnCall(call)
	}
	if r.Answer == nil {
		return Answer{}
	}
	return r.Answer(call)
}

// quiet keeps the SMTP server's chatter to itself.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// maxBody is how much of a call is read, in bytes.
const maxBody = 4 << 20

func readAll(from io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxBody))
	return string(text), err
}
