package rehearsal

import (
	"strconv"

	"github.com/peanuts-router/peanuts-router/engine"
)

// claims are the values that events hold for rules that fire once for each. A claim is released once all that it stands
// for was cancelled.
type claims map[engine.Claim]holding

// holding is a claim that is held.
type holding struct {
	event  int32 // the number of the event that holds it
	stands int32 // how many of the deliveries that it brought by that rule were not cancelled
}

// holder names the event that holds a claim.
func (c claims) holder(claim engine.Claim) engine.EventID {
	held, is := c[claim]
	if !is {
		return ""
	}
	return engine.EventID(strconv.Itoa(int(held.event)))
}

// take makes the claims of an event for what it owes. What was cancelled at once claims nothing.
func (c claims) take(o *Outcome) {
	for i := range o.Judgement.Claims {
		claim := &o.Judgement.Claims[i]
		stands := int32(0)
		for _, d := range o.Owed {
			if d.Rule == claim.Rule && d.State != engine.Cancelled {
				d.claim = claim
				stands++
			}
		}
		if stands > 0 {
			c[*claim] = holding{event: int32(o.Event), stands: stands}
		}
	}
}

// release takes a delivery that was cancelled from what its claim stands for.
func (c claims) release(d *Delivery) {
	if d.claim == nil {
		return
	}
	held := c[*d.claim]
	held.stands--
	if held.stands == 0 {
		delete(c, *d.claim)
		return
	}
	c[*d.claim] = held
}

// Number is the number in its row of an event that a judgement of the rehearsal names; -1 for none.
func Number(event engine.EventID) int {
	n, err := strconv.Atoi(string(event))
	if err != nil {
		return -1
	}
	return n
}
