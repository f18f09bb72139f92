package receiver

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/peanuts-router/peanuts-router/engine"
)

// mailbox takes mail for everybody.
type mailbox struct{ *Receiver }

func (m mailbox) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &session{receiver: m.Receiver}, nil
}

// session is one connection.
type session struct {
	receiver *Receiver
	call     Call
}

func (s *session) Reset()        { s.call = Call{} }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.call = Call{Kind: engine.KindEmail, From: from}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.call.To = append(s.call.To, to)
	return nil
}

func (s *session) Data(from io.Reader) error {
	text, err := readAll(from)
	if err != nil {
		return err
	}
	message, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		return &smtp.SMTPError{Code: 554, Message: "not a mail"}
	}
	s.call.Subject = decoded(message.Header.Get("Subject"))
	id, _, _ := strings.Cut(strings.Trim(message.Header.Get("Message-Id"), "<>"), "@")
	s.call.Key = id
	s.read(message.Header.Get("Content-Type"), message.Header.Get("Content-Transfer-Encoding"), message.Body)
	if answer := s.receiver.caught(s.call); answer.Status != 0 && answer.Status/100 != 2 {
		return &smtp.SMTPError{Code: answer.Status, Message: answer.Body}
	}
	return nil
}

// read keeps the text and HTML of a part, and of the parts within it.
func (s *session) read(contentType, encoding string, body io.Reader) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		media = "text/plain"
	}
	if strings.HasPrefix(media, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			part, err := parts.NextRawPart()
			if err != nil {
				return
			}
			s.read(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part)
		}
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, _ := readAll(body) // what came is shown
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if media == "text/html" {
		s.call.HTML = text
	} else {
		s.call.Text = text
	}
}

// decoded is a header with its encoded words (RFC 2047) read.
func decoded(header string) string {
	text, err := new(mime.WordDecoder).DecodeHeader(header)
	if err != nil {
		return header
	}
	return text
}
