package engine

import "time"

// Shipment is what a sender gets to send: one attempt at one delivery.
type Shipment struct {
	Lease
	// N is the number of this attempt, from 1, through replays.
	N int
}

// Outcome is what one attempt came to, in terms that tell the courier what to do next.
type Outcome struct {
	Verdict Verdict
	// Status is the protocol's own short answer: "200 OK", "channel_not_found", "550 5.1.1". It holds no
	// secret and no text of the event.
	Status string
	// Reason tells a person what went wrong and what to do; empty when delivered. No secret, no text of the event.
	Reason string
	// Answer is the target's answer, cut to 4 KiB of valid UTF-8; empty when delivered.
	Answer string
	// RetryAfter is how long the target asked to be left alone; 0 when it did not (C12).
	RetryAfter time.Duration
	// Refused says that the credentials were refused: retried by plan, and said loudly (C11).
	Refused bool
	// Gone says that the target is gone for good (410): the action is flagged until its next success (C11).
	Gone bool
}

// Verdict says whether trying again can help.
type Verdict string

// The verdicts of an attempt.
const (
	VerdictDelivered Verdict = "delivered"
	VerdictRetry     Verdict = "retry"
	VerdictDead      Verdict = "dead"
)

// AnswerLimit is how many bytes of a target's answer are kept (C13).
const AnswerLimit = 4 << 10
