package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// A claim is stored with what it stands for, or neither is, whenever the process is killed (C1).
func TestAClaimAndItsDeliveryAreKilledTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "router.db")
	claimed := 0
	for range 4 {
		claiming := start(t, "claim", path)
		for range 100 {
			claiming.line(t)
		}
		claiming.kill(t)
		for what, query := range map[string]string{
			"claims without a delivery": `SELECT count(*) FROM claims c WHERE NOT EXISTS (SELECT 1 FROM events e JOIN deliveries d ON d.event = e.seq AND d.rule = c.rule WHERE e.id = c.event)`,
			"deliveries without a claim": `SELECT count(*) FROM deliveries d JOIN events e ON e.seq = d.event
				WHERE NOT EXISTS (SELECT 1 FROM claims c WHERE c.event = e.id AND c.rule = d.rule AND c.value = e.entry_id)`,
		} {
			var n int
			if err := raw(t, path).QueryRowContext(t.Context(), query).Scan(&n); err != nil || n != 0 {
				t.Errorf("after a kill there are %d %s, %v; want none", n, what, err)
			}
		}
		before := claimed
		if err := raw(t, path).QueryRowContext(t.Context(), `SELECT count(*) FROM claims`).Scan(&claimed); err != nil || claimed <= before {
			t.Errorf("%d values are claimed, %v; want more than the %d before", claimed, err, before)
		}
	}
	intact(t, path)
}

// claimInStore accepts events until it is killed, each value in several at once, and prints the value of each that was
// acknowledged.
func claimInStore(path string) error {
	s, err := store.Open(context.Background(), store.Config{Path: path})
	if err != nil {
		return err
	}
	failed := make(chan error)
	for worker := range 8 {
		go func() {
			for n := 0; ; n++ {
				value := fmt.Sprint(os.Getpid(), "-", n/2)
				if err := acceptOnce(s, value, fmt.Sprint(value, " ", worker, " ", n)); err != nil {
					failed <- err
				}
				_, _ = os.Stdout.WriteString(value + "\n")
			}
		}()
	}
	return <-failed
}

// acceptOnce accepts an event of a rule that fires once for a value.
func acceptOnce(s *store.Store, value, body string) error {
	a := acceptance(0, time.Now(), "ledger")
	a.Event = &peanuts.Event{Event: "custom", Entry: peanuts.Entry{ID: value}, Raw: []byte(body)}
	judge, claim := a.Judge, engine.Claim{Rule: "high-expense", Value: value}
	a.Judge = func(known engine.Known) engine.Judgement {
		if by := known.Claimed(claim); by != "" {
			return engine.Judgement{Generation: 1, Suppressed: []engine.Suppressed{{Rule: claim.Rule, By: by}}}
		}
		j := judge(known)
		j.Claims = []engine.Claim{claim}
		return j
	}
	_, err := s.Accept(context.Background(), a)
	return err
}
