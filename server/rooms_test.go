package server

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// hands is a Courier that writes down what it is asked.
type hands struct {
	mu   sync.Mutex
	free map[engine.ActionName]int
	told []string
}

func (h *hands) Reserve(action engine.ActionName) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.free[action] == 0 {
		return false
	}
	h.free[action]--
	return true
}

func (h *hands) Hand(l engine.Lease) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, fmt.Sprintf("hand %s %s", l.Action, l.ID[len(l.ID)-2:]))
}

func (h *hands) Wake(action engine.ActionName) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, "wake "+string(action))
}

func (h *hands) Release(action engine.ActionName) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.free[action]++
	h.told = append(h.told, "release "+string(action))
}

func owing(*peanuts.Event, time.Time) engine.Judgement {
	owed := []engine.Owed{{Action: "slack"}, {Action: "ledger", Dead: "unrenderable"}, {Action: "mail"}, {Action: "slack"}}
	for i := range owed {
		owed[i].Message = []byte(`{}`)
	}
	return engine.Judgement{Owed: owed}
}

func TestOnlyDeliveriesWithAFreeHandAreLeasedAndHandedOver(t *testing.T) { // R10
	h := &hands{free: map[engine.ActionName]int{"slack": 1, "ledger": 1, "mail": 1}}
	d := openDoor(t, func(c *Config) { c.Judge, c.Courier = judgeFunc(owing), h })
	d.post(t, "/webhook", []byte(flight))
	var leased []bool
	for _, o := range d.store.stored()[0].Judgement.Owed {
		leased = append(leased, o.Leased)
	}
	// The second is dead already, for the fourth no hand is free.
	if diff := cmp.Diff([]bool{true, false, true, false}, leased); diff != "" {
		t.Errorf("leased (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"hand slack -1", "hand mail -3", "wake slack"}, h.told); diff != "" {
		t.Errorf("what the courier was told (-want +got):\n%s", diff)
	}
	a := d.store.stored()[0]
	if got := a.LeaseUntil.Sub(a.ReceivedAt); got.Truncate(time.Millisecond) != LeaseTime {
		t.Errorf("leases run for %v, want %v", got, LeaseTime)
	}
}

func TestHandsAreGivenBackWhenNothingIsOwed(t *testing.T) {
	h := &hands{free: map[engine.ActionName]int{"slack": 2}}
	d := openDoor(t, func(c *Config) { c.Judge, c.Courier = judgeFunc(owing), h })
	free := func(after string, want int) {
		t.Helper()
		h.mu.Lock()
		defer h.mu.Unlock()
		if got := h.free["slack"]; got != want {
			t.Errorf("after %s %d hands for slack are free, want %d", after, got, want)
		}
	}
	d.store.fail(errDisk)
	d.post(t, "/webhook", []byte(flight))
	free("a failed commit", 2)
	d.store.fail(nil)
	d.post(t, "/webhook", []byte(flight))
	free("an event", 0)
	h.Release("slack")
	h.Release("slack")
	d.post(t, "/webhook", []byte(flight))
	free("a duplicate", 2)
	d.store.before = func(context.Context) { panic("store") }
	d.post(t, "/webhook", []byte(`{"event":"other"}`))
	free("a panic", 2)
}

func TestARoomWithoutLeaseIsGivenBack(t *testing.T) {
	h := &hands{free: map[engine.ActionName]int{"slack": 1, "mail": 1}}
	room := rooms{courier: h}
	room.keep([]engine.Owed{{Action: "slack"}, {Action: "mail"}}, time.Now())
	room.hand([]engine.Lease{{Delivery: engine.Delivery{ID: "e-2", Action: "mail"}}})
	if diff := cmp.Diff([]string{"release slack", "hand mail -2"}, h.told); diff != "" {
		t.Errorf("what the courier was told (-want +got):\n%s", diff)
	}
}
