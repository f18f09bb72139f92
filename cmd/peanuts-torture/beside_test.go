package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// F4, F14: a router that dies while it makes its store is followed by one that makes it, and a life that does not come by its
// point is told from one that does.
func TestAMakingIsKilled(t *testing.T) {
	b, err := build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := historyIn(t)
	log, err := os.Create(filepath.Join(t.TempDir(), logFile))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	killing := &beside{dice: newDice(1, useBeside), run: &run{
		dir: t.TempDir(), builds: b, history: h, targets: targetsFor(t, h), router: &router{log: log},
	}}
	for range 3 {
		if died, err := killing.killMaking(t.Context()); err != nil || !died || len(killing.audits) > 0 {
			t.Errorf("killMaking() = %t, %v, and the store is found to be %q; want a death and a sound store", died, err, killing.audits)
		}
	}
	killing.builds.faulty = b.plain
	if died, err := killing.killMaking(t.Context()); err != nil || died {
		t.Errorf("killMaking() of a build without points = %t, %v; want no death", died, err)
	}
}

// A delivery that is neither dead nor pending any more was lost (I1).
func TestWhatADeathBesideTheLoadLosesIsTold(t *testing.T) {
	b := &beside{run: &run{dir: t.TempDir()}}
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(b.dir, storeFile)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	event, err := peanuts.Parse([]byte(`{"event":"entry.created","helper":{},"entry":{"id":"e"},"user":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Accept(t.Context(), &engine.Acceptance{ID: "1", Event: event, ReceivedAt: time.Now(), Judge: func(engine.Known) (j engine.Judgement) {
		for _, dead := range []string{"410 Gone", ""} {
			j.Owed = append(j.Owed, engine.Owed{Rule: ruleBook, Action: actionLedger, Kind: engine.KindHTTP, Message: []byte(`{}`), Dead: dead})
		}
		return j
	}})
	if err != nil {
		t.Fatal(err)
	}
	if now, err := b.open(t.Context()); err != nil || now != (open{1, 1}) {
		t.Fatalf("open() = %+v, %v; want one dead and one pending", now, err)
	}
	for _, c := range []struct {
		before open
		lost   int
	}{{open{2, 0}, 0}, {open{1, 1}, 0}, {open{2, 1}, 1}, {open{1, 2}, 2}} {
		if err := b.compare(t.Context(), c.before); err != nil || len(b.lost) != c.lost {
			t.Errorf("with %+v before compare() has told %q, %v; want %d", c.before, b.lost, err, c.lost)
		}
	}
	if found := (&evidence{beside: b}).loss(); len(found) != 2 {
		t.Errorf("loss() = %q, want what was told", found)
	}
}
