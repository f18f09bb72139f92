// Package receiver stands in for the targets of actions, in this process and over real sockets: Slack's API and
// incoming webhooks, an SMTP server, and any HTTP endpoint. The demo, the sandbox and tests use it.
//
// Terms:
//
//   - A call is one message as a target would have got it: a Slack post, a mail, an HTTP request.
//   - An answer is what the caller is told; without one the call succeeds.
//
// The package promises that it listens on loopback only, that each call is reported once it has arrived whole, and that
// it keeps nothing.
package receiver
