// Package server is the door: the public listener that takes webhooks, and the admin listener that tells how the router
// is and has its rules read again.
//
// Terms: an event is accepted when it is stored with all that follows from it; an outcome is what became of one
// request, and a label of the metrics.
//
// The package promises:
//
//   - 200 is said only after the store has committed the event (C1); whatever else happens is not a 2xx (C17).
//   - Method, content type, size, signature and body are looked at in this order (C20). Nothing of a body is parsed, kept
//     or logged before its signature held, and the bytes held for strangers are bounded.
//   - An answer or a log line never holds a secret, a digest that was expected, or the text of a body.
//   - The admin listener binds loopback only, answers to loopback names only, and takes no writes from other origins.
//
// What it needs is declared here and handed in: rules in force (Judge), memory (Store), free hands (Courier).
package server
