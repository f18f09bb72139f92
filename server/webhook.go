package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/internal/fault"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// webhook takes one event from the wire into the store, in the order of C20.
type webhook struct {
	verifier *peanuts.Verifier
	judge    Judge
	store    Store
	courier  Courier
	log      *slog.Logger
	clock    func() time.Time
	metrics  *metrics
	limits   limits

	held       budget // bytes of bodies
	committing budget // events
	forgeries  throttle
	outages    throttle
}

// reply is what became of a request: a receipt, or a problem.
type reply struct {
	outcome outcome
	receipt engine.Receipt
	problem problem
}

func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := h.clock()
	answer := reply{outcome: failed} // what a panic leaves
	defer func() { h.metrics.answered(answer.outcome, h.clock().Sub(began)) }()
	if len(r.TransferEncoding) > 0 || !r.ProtoAtLeast(1, 1) {
		// Whatever a proxy in front took for the end of this request, nothing after ours is read as another one.
		w.Header().Set("Connection", "close")
	}
	answer = h.take(w, r, began)
	if answer.problem.Status != 0 {
		answer.problem.ServeHTTP(w, r)
		return
	}
	writeJSON(w, http.StatusOK, "application/json", processed{true, answer.receipt.ID, answer.receipt.Duplicate})
}

// processed is the answer that Peanuts waits for.
type processed struct {
	Processed bool           `json:"processed"`
	ID        engine.EventID `json:"id"`
	Duplicate bool           `json:"duplicate"`
}

func (h *webhook) take(w http.ResponseWriter, r *http.Request, began time.Time) reply {
	if refused, ok := checkHead(r); !ok {
		return refused
	}
	body, drawn, err := readBody(w, r, &h.held)
	defer h.held.give(drawn)
	if h.clock().Sub(began) > h.limits.answer/16 {
		// The time for the answer begins now, however slowly the body came.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(h.limits.answer))
	}
	if err != nil {
		return unread(err)
	}
	if h.verifier != nil && h.verifier.Verify(r.Header, body) != nil {
		return h.forged(r)
	}
	event, err := peanuts.Parse(body)
	if err != nil {
		return h.refused(body, err)
	}
	return h.accept(r.Context(), event)
}

// unread answers for a body that did not arrive.
func unread(err error) reply {
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return bodyTooLarge()
	case errors.Is(err, errCrowded):
		return crowded()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return reply{outcome: unreadable, problem: newProblem(http.StatusRequestTimeout, "body too slow", "")}
	default:
		return reply{outcome: unreadable, problem: newProblem(http.StatusBadRequest, "body incomplete", "")}
	}
}

// forged answers every fault of a signature with the same words, and tells no more of it than from where.
func (h *webhook) forged(r *http.Request) reply {
	if count, ok := h.forgeries.one(h.clock()); ok {
		h.log.Warn("signature refused", "remote", r.RemoteAddr, "count", count)
	}
	return reply{outcome: badSignature, problem: newProblem(http.StatusUnauthorized, "invalid signature", "")}
}

// refused answers and logs a body that was signed, yet is no event: size, digest and place, never its text.
func (h *webhook) refused(body []byte, err error) reply {
	p := newProblem(http.StatusBadRequest, "invalid body", "")
	digest := sha256.Sum256(body)
	line := []any{"bytes", len(body), "sha256", hex.EncodeToString(digest[:])}
	var place *peanuts.ParseError
	if errors.As(err, &place) {
		p.Detail = place.Error()
		p.Errors = []Fault{{Offset: place.Offset, Pointer: place.Pointer, Detail: place.Problem}}
		line = append(line, "offset", place.Offset, "pointer", cut(place.Pointer))
	}
	h.log.Warn("body refused", line...)
	return reply{outcome: badBody, problem: p}
}

// accept judges an event, commits it, and hands over what can be sent at once.
func (h *webhook) accept(ctx context.Context, event *peanuts.Event) reply {
	if !h.committing.take(1) {
		return crowded()
	}
	defer h.committing.give(1)
	id, err := uuid.NewV7()
	if err != nil {
		return h.unavailable(err)
	}
	came := h.clock()
	now := came.Truncate(time.Millisecond) // as it is stored, so that it can be judged once more
	var judgement engine.Judgement
	room := rooms{courier: h.courier}
	defer room.release()
	// Peanuts hanging up takes nothing back: it would only leave in doubt what was stored.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.limits.commit)
	defer cancel()
	receipt, err := h.store.Accept(ctx, &engine.Acceptance{
		ID: engine.EventID(id.String()), ReceivedAt: now, Event: event, LeaseUntil: came.Add(fault.Span(fault.Lease, LeaseTime)), // by a reading: the clock may jump
		Judge: func(known engine.Known) engine.Judgement {
			judgement = h.judge.Judge(event, now, known)
			room.keep(judgement.Owed, now)
			return judgement
		},
	})
	if err != nil {
		return h.unavailable(err)
	}
	fault.Reach(fault.BeforeAnswer)
	room.hand(receipt.Leases)
	if refused, since, ok := h.outages.end(h.clock()); ok {
		h.log.Warn("events are stored again", "refused", refused, "since", since)
	}
	h.tell(receipt, event, judgement, h.clock().Sub(came))
	if receipt.Duplicate {
		return reply{outcome: duplicate, receipt: receipt}
	}
	room.wake(judgement.Owed, now)
	h.metrics.judged(judgement)
	return reply{outcome: accepted, receipt: receipt}
}

// unavailable answers for a store that could not commit (C17).
func (h *webhook) unavailable(err error) reply {
	if count, ok := h.outages.one(h.clock()); ok {
		h.log.Error("event not stored", "err", err, "count", count)
	}
	return later(5*time.Second, "the event could not be stored; send it again")
}

func crowded() reply { return later(time.Second, "too many events are under way; send it again") }

func later(after time.Duration, detail string) reply {
	p := newProblem(http.StatusServiceUnavailable, "unavailable", detail)
	p.retryAfter = after
	return reply{outcome: unavailable, problem: p}
}
