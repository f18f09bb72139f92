package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// faultsInFull names the variable that has the tests of faults run at the size of RELIABILITY.md instead of a small one.
const faultsInFull = "PEANUTS_FAULTS_IN_FULL"

// sized is how much of a fault is tried.
func sized(small, full int) int {
	if os.Getenv(faultsInFull) != "" {
		return full
	}
	return small
}

// F12, C17: whatever bit of a store is flipped, the store is refused, or found broken when it is used, or answers as before, or
// check tells of it. Never is what it answers, or hands to the courier, another thing and nobody can tell.
func TestABitFlippedAnywhereIsNeverTakenForTheTruth(t *testing.T) {
	sound, truth := soundStore(t)
	dice := rand.New(rand.NewPCG(12, 12)) // the same places in every run
	fates := map[fate]int{}
	for range sized(60, 5_000) {
		at, bit := dice.IntN(len(sound)), dice.IntN(8)
		damaged := append([]byte(nil), sound...)
		damaged[at] ^= 1 << bit
		became := fateOf(t, damaged, truth)
		fates[became]++
		if became == silent || became == muddled {
			t.Errorf("with bit %d of byte %d flipped, of page %d, the store is %s: %q", bit, at, at/4096+1, became, sound[max(0, at-30):at+10])
		}
	}
	t.Log(fates)
}

// F12: cut anywhere, a store is refused or found broken. None is served as if it were whole.
func TestAFileCutAnywhereIsNeverServedAsWhole(t *testing.T) {
	sound, truth := soundStore(t)
	dice := rand.New(rand.NewPCG(12, 13))
	fates := map[fate]int{}
	for range sized(25, 500) {
		length := 1 + dice.IntN(len(sound)-1) // of nothing at all a new store is made
		became := fateOf(t, sound[:length:length], truth)
		fates[became]++
		onlyZeros := len(bytes.Trim(sound[length:], "\x00")) == 0 // of a page that holds nothing
		if became != refused && became != foundBroken && became != toldByCheck && !(became == harmless && onlyZeros) {
			t.Errorf("cut to %d of %d bytes, the store is %s", length, len(sound), became)
		}
	}
	t.Log(fates)
}

// fate is what became of a damaged store.
type fate string

const (
	refused     fate = "refused at its opening"
	foundBroken fate = "found broken when it is used"
	harmless    fate = "answering as before"
	toldByCheck fate = "answering, and check tells"
	silent      fate = "answering otherwise, and nobody can tell"
	muddled     fate = "failing without being broken"
)

// fateOf serves from a damaged file.
func fateOf(t *testing.T, damaged []byte, truth answered) fate {
	t.Helper()
	path := filepath.Join(t.TempDir(), "router.db")
	writeFile(t, path, string(damaged))
	return fateOfFile(t, path, truth)
}

func fateOfFile(t *testing.T, path string, truth answered) fate {
	t.Helper()
	audit, told := look(t, path)
	s, err := store.Open(t.Context(), store.Config{Path: path, Now: atNoon})
	if err != nil {
		return refused
	}
	defer func() { _ = s.Close() }()
	answers, err := everything(t.Context(), s)
	switch {
	case errors.Is(err, store.ErrBroken) && s.Err() != nil:
		return foundBroken
	case err != nil:
		t.Log(err)
		return muddled
	case told != nil || len(audit.Discrepancies) > 0:
		return toldByCheck
	case reflect.DeepEqual(answers, truth):
		return harmless
	}
	t.Log(cmp.Diff(truth, answers))
	return silent
}

// look has a file checked, as the command does.
func look(t *testing.T, path string) (store.Audit, error) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: path, Beside: true})
	if err != nil {
		return store.Audit{}, err
	}
	defer func() { _ = s.Close() }()
	return s.Check(t.Context())
}

// soundStore is the file of a store with something of everything in it, and what the store answers.
func soundStore(t *testing.T) (file []byte, truth answered) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "router.db")
	s := open(t, store.Config{Path: path, Now: atNoon})
	keepBooks(t, s, "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002")
	keepTheRest(t, s)
	for n := range 40 {
		a := acceptance(n, noon, "ledger", "mail")
		a.ID = engine.EventID(fmt.Sprintf("00000000-0000-7000-8000-0000000001%02d", n))
		leaseFirst(a)
		receipt, err := s.Accept(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		done := engine.Settlement{ID: receipt.Leases[0].ID, Generation: 1, State: engine.Delivered, Attempt: &engine.Attempt{At: noon, Status: "200 OK"}}
		if n%3 == 0 {
			done.State, done.Reason = engine.Dead, "404 Not Found"
			done.Attempt.Status, done.Attempt.Answer = "404 Not Found", "there is no such hook"
		}
		if recorded, err := s.Settle(t.Context(), done); err != nil || !recorded.Applied {
			t.Fatal(recorded, err)
		}
	}
	shut(t, s)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s = open(t, store.Config{Path: path, Now: atNoon})
	defer shut(t, s)
	truth, err = everything(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return file, truth
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// answered is what a store answers to whoever asks, and what it hands to the courier.
type answered struct {
	Listed, Events []engine.EventRecord
	Deliveries     []engine.Delivery
	Attempts       [][]engine.Attempt
	Report, Days   string // as JSON
	Counts         map[engine.State]int
	Stats          []engine.StatHead
	Holds          []engine.Hold
	Alerts         []engine.Alert
	Untold         []engine.Untold
	Rules          []engine.RulesFile
	KeptAt         time.Time
	Payloads       [][]byte
	Mail           []engine.Lease
	Known          []string // what a judge was told of the entries and claims
}

func everything(ctx context.Context, s *store.Store) (got answered, err error) {
	if got.Listed, _, err = s.Events(ctx, store.Page{Limit: 1000}); err != nil {
		return got, err
	}
	for _, listed := range got.Listed {
		event, err := s.Event(ctx, listed.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) { // which is an answer too
			return got, err
		}
		got.Events = append(got.Events, event)
		for _, d := range event.Deliveries {
			delivery, history, err := s.Delivery(ctx, d.ID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return got, err
			}
			got.Deliveries, got.Attempts = append(got.Deliveries, delivery), append(got.Attempts, history)
		}
	}
	report, err := s.Report(ctx, "costs", engine.StatFilter{Month: "2026-11"})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return got, err
	}
	text, err := json.Marshal(report)
	if err != nil {
		return got, err
	}
	got.Report = string(text)
	if got.Counts, err = s.Counts(ctx); err != nil {
		return got, err
	}
	for _, ask := range []func() error{
		func() (err error) { got.Stats, err = s.Stats(ctx); return err },
		func() (err error) { got.Holds, err = s.Holds(ctx); return err },
		func() (err error) { got.Alerts, err = s.Alerts(ctx); return err },
		func() (err error) { got.Untold, err = s.Untold(ctx); return err },
		func() (err error) { got.Rules, got.KeptAt, err = s.KeptRules(ctx); return err },
		func() (err error) { got.Payloads, _, err = s.Payloads(ctx, store.Page{Limit: 1000}); return err },
		func() (err error) {
			got.Mail, err = s.Lease(ctx, "mail", 100, noon.Add(time.Hour), noon.Add(2*time.Hour))
			return err
		},
		func() (err error) { got.Known, err = whatIsKnown(ctx, s); return err },
	} {
		if err := ask(); err != nil {
			return got, err
		}
	}
	return got, nil
}
