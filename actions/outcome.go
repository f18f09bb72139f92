package actions

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// ofStatus is what an HTTP status means (C11).
func ofStatus(seen *exchange) engine.Outcome {
	status, text := seen.status, seen.statusText()
	outcome := engine.Outcome{Verdict: engine.VerdictDead, Status: text, Answer: seen.kept()}
	switch {
	case status/100 == 2:
		return engine.Outcome{Verdict: engine.VerdictDelivered, Status: text}
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		outcome.Verdict, outcome.Refused, outcome.RetryAfter = engine.VerdictRetry, true, seen.retryAfter
		outcome.Reason = text + ": the target refuses our credentials; check the token of this action"
	case mayPass(status):
		outcome.Verdict, outcome.Reason, outcome.RetryAfter = engine.VerdictRetry, text, seen.retryAfter
	case status == http.StatusGone:
		outcome.Gone = true
		outcome.Reason = text + ": the target says that it is gone for good; take the action out of the rules or change its URL"
	case status/100 == 3:
		outcome.Reason = text + ": redirects are not followed; write the final URL into the rules"
	default:
		outcome.Reason = text + ": the target refuses this message"
	}
	return outcome
}

// mayPass tells a refusal that another attempt may not meet. A status outside of HTTP's classes is one, too: only a
// short list is final.
func mayPass(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status/100 != 3 && status/100 != 4
}

// longestWait stands for every longer one that a target asks for; the courier has a bound of its own.
const longestWait = 1 << 30 * time.Second

// retryAfter is how long a target asks to be left alone (RFC 9110, section 10.2.3); 0 when it does not, or not readably.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(longestWait/time.Second) {
			return longestWait
		}
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// ofError is what a failure on the way to a target means: trying again can help. It names no URL, for a URL may be a
// secret, and not what was sent.
func ofError(err error) engine.Outcome {
	status, reason := inWords(err)
	return retry(status, reason)
}

// inWords tells a network error in words, without the parts that may hold a secret.
func inWords(err error) (status, reason string) {
	var (
		theirs   *url.Error
		dns      *net.DNSError
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		verify   *tls.CertificateVerificationError
		record   tls.RecordHeaderError
		number   syscall.Errno
		op       *net.OpError
	)
	if errors.As(err, &theirs) {
		err = theirs.Err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout", "the target did not answer in time"
	case errors.Is(err, context.Canceled):
		return "cancelled", "the attempt was cut short"
	case errors.As(err, &dns):
		return "name not found", "the target's name could not be looked up: " + dns.Err
	case errors.As(err, &unknown):
		return "certificate", "the target's certificate is signed by an unknown authority"
	case errors.As(err, &hostname):
		return "certificate", "the target's certificate is for another name"
	case errors.As(err, &invalid):
		return "certificate", "the target's certificate is not valid: " + invalid.Error()
	case errors.As(err, &verify):
		return "certificate", "the target's certificate could not be verified"
	case errors.As(err, &op) && op.Op == "remote error": // so crypto/tls tells an alert
		return "TLS", "the target refuses our TLS: " + op.Err.Error()
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "not TLS", "the target does not speak TLS there"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused", "the target refuses connections"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset", "the target cut the connection"
	case errors.As(err, &op) && op.Timeout():
		return "timeout", "the target did not answer in time"
	case errors.As(err, &number):
		return "network", "the network failed: " + number.Error()
	}
	return "no answer", "the target broke off, or answered something that is no answer"
}
