package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func targetsFor(t *testing.T, h *history) *targets {
	t.Helper()
	started, err := startTargets(h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := started.close(); err != nil {
			t.Error(err)
		}
	})
	return started
}

// call makes an attempt at a delivery, and tells the status of the answer; 0 where none came.
func (t *targets) call(action, key, body string) int {
	client := http.Client{Timeout: 10 * slowness, Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequest(http.MethodPost, "http://"+t.http+"/"+action, strings.NewReader(body))
	if err != nil {
		return 0
	}
	request.Header.Set("Idempotency-Key", key)
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// A target answers the attempts at a delivery as its event says, and notes each.
func TestTargetsFollowThePlanOfTheEvent(t *testing.T) {
	h := historyIn(t)
	targets := targetsFor(t, h)
	for p, want := range map[plan][]int{
		planOK: {200, 200}, planFail1: {503, 200}, planFail2: {503, 503, 200}, planFail4: {503, 503, 503, 503, 200},
		planFailing: {500, 500}, planRefused: {400}, planGone: {410}, planLimited: {429, 200}, planSilent: {0, 200},
		planReset: {0, 200}, planSlow: {200}, planKill: {200},
	} {
		var got []int
		for range want {
			got = append(got, targets.call(actionLedger, "key of "+string(p), fmt.Sprintf(`{"n":1,"plan":%q}`, p)))
		}
		if !slices.Equal(got, want) {
			t.Errorf("the plan %s is answered %v, want %v", p, got, want)
		}
	}
	targets.heal()
	if got := targets.call(actionLedger, "key", `{"n":1,"plan":"failing"}`); got != 200 {
		t.Errorf("a target that is healed answers %d, want 200 to everything", got)
	}
}

// What a target has said is noted as it was said: a yes that was cut off is none.
func TestReceiptsTellWhatWasSaid(t *testing.T) {
	h := historyIn(t)
	targets := targetsFor(t, h)
	for range 2 {
		targets.call(actionLedger, "k", `{"n":7,"plan":"reset"}`)
	}
	told := make(chan struct{})
	targets.watch(told)
	targets.call(actionLedger, "other", `{"n":8,"plan":"kill"}`)
	select {
	case <-told:
	case <-time.After(time.Minute):
		t.Error("nobody was told of the answer at which a router may be killed")
	}
	e := &evidence{receipts: awaitReceipts(h, 3)}
	got := e.byStep()[ofStep{7, actionLedger}]
	if len(got) != 2 || got[0].said() || !got[1].said() || got[1].Attempt != 2 || got[1].Key != "k" {
		t.Errorf("receipts = %+v, want one that is cut off and one yes, under the key k", got)
	}
}

// all are the receipts so far.
func (h *history) all() []receipt {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.receipts)
}
