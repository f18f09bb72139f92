// Package peanuts is the contract with Peanuts, a tracker that pushes webhooks: what an event looks like, how it
// is signed, and a client to receive and send such events.
//
// Terms: a helper (such as /expenses) is what people log with; an entry is what they logged; an event says that an
// entry was created, updated or deleted.
//
// The package promises:
//
//   - Verify looks at the bytes as received and compares decoded digests in constant time (C2, C3).
//   - Parse is strict where leniency would lose something: no repeated names, no trailing bytes, no invalid UTF-8, no
//     number that cannot be held, no nesting beyond MaxDepth (C4); whole numbers keep every digit (C6).
//   - An Event keeps the bytes it was parsed from, and the text of every number as it was sent.
//
// It stands on the standard library and a JSON parser, and knows nothing of the router.
package peanuts
