package storetest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/store"
)

func (s suite) listsPayloads(t *testing.T) {
	const events = 13
	db, now := s.new(t), later()
	var want []string // the newest first
	for i := range events {
		a := event(t, i, now, "ledger")
		accept(t, db, a)
		want = append([]string{string(a.Event.Raw)}, want...)
	}
	for _, limit := range []int{1, 5, events, 1000} {
		var got []string
		for p := page(limit); ; {
			some, next, err := db.Payloads(t.Context(), p)
			if err != nil || len(some) > limit {
				t.Fatalf("Payloads(%+v) = %d, %v", p, len(some), err)
			}
			for _, body := range some {
				got = append(got, string(body))
			}
			if p.Cursor = next; next == "" {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("payloads by %d:\n%s", limit, diff)
		}
	}
	if _, _, err := db.Payloads(t.Context(), store.Page{Cursor: "!"}); !errors.Is(err, store.ErrBadCursor) {
		t.Errorf("Payloads() with the cursor ! = %v; want ErrBadCursor", err)
	}
}
