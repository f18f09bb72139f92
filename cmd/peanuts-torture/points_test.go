package main

import (
	"os/exec"
	"slices"
	"testing"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

// F4: the next life dies at a point that had the fewest deaths, until each has had enough, and a point that no life comes by is
// told.
func TestEachPointGetsItsDeaths(t *testing.T) {
	h := historyIn(t)
	n := &nemesis{history: h, dice: newDice(1, useNemesis), points: defaultPoints, deaths: 3}
	for lives := 0; ; lives++ {
		enough, err := n.enough()
		if err != nil {
			t.Fatal(err)
		}
		if enough {
			if want := 2*3*len(defaultPoints) - 1; lives != want {
				t.Errorf("it took %d lives, want %d, of which every second misses its point", lives, want)
			}
			break
		}
		h.struck(h.begin(kindPoint, true), n.aim(), lives%2 == 0)
	}
	for _, point := range defaultPoints {
		if got := h.deaths()[point]; got != 3 {
			t.Errorf("there are %d deaths at %s, want 3", got, point)
		}
	}
	n.deaths = 4
	var err error
	for tried := 0; err == nil && tried < 1000; tried++ {
		_, err = n.enough()
	}
	if err == nil {
		t.Error("a point that no life comes by is tried for ever")
	}
}

// A seed repeats which points are aimed at, as long as lives die there.
func TestASeedRepeatsItsPoints(t *testing.T) {
	var runs [2][]fault.Point
	for i := range runs {
		h := historyIn(t)
		n := &nemesis{history: h, dice: newDice(42, useNemesis), points: defaultPoints, deaths: 5}
		for range 60 {
			point := n.aim()
			runs[i] = append(runs[i], point)
			h.struck(h.begin(kindPoint, true), point, true)
		}
	}
	if !slices.Equal(runs[0], runs[1]) {
		t.Errorf("the same seed aims at other points: %v and %v", runs[0], runs[1])
	}
}

// F4: a router that ends by itself has died at no point.
func TestOnlyAKilledLifeHasDied(t *testing.T) {
	for script, c := range map[string]struct{ died, wrong bool }{"kill -9 $$": {true, false}, "exit 1": {false, true}, "exit 0": {false, true}} {
		p := &process{cmd: exec.Command("sh", "-c", script), ended: make(chan struct{})}
		if died, err := p.died(); died || err != nil {
			t.Errorf("died() of a life that goes on = %t, %v", died, err)
		}
		_ = p.cmd.Run() // how it ended is in its state
		close(p.ended)
		if died, err := p.died(); died != c.died || (err != nil) != c.wrong {
			t.Errorf("%s: died() = %t, %v; want %t, and an error: %t", script, died, err, c.died, c.wrong)
		}
	}
}
