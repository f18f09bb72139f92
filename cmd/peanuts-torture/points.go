package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/peanuts-router/peanuts-router/internal/fault"
)

// defaultPoints are those that a router under load comes by.
var defaultPoints = []fault.Point{
	fault.Rendering, fault.Accepting, fault.BeforeCommit, fault.AfterCommit, fault.BeforeAnswer, fault.Leasing, fault.BeforeSend,
	fault.BeforeSettle, fault.Settling, fault.Burying, fault.Checkpointing, fault.SwappingRules, fault.FreeingLeases,
}

// patience is how long the moment of a kill is waited for.
const patience = 3 * time.Second

// missedTooOften is how many lives in a row may miss a point where deaths at each are asked for.
const missedTooOften = 20

// killAtPoint has a life die at a named point of the code (F4).
func (n *nemesis) killAtPoint(ctx context.Context) error {
	point := n.aim()
	before := n.history.begin(kindKill, true) // makes room for the life that is to die
	n.router.kill()
	b := n.history.begin(kindPoint, true)
	p, err := n.router.launch(n.builds.faulty, append(dyingAt(point, 1+n.dice.below(visits(point))), n.env...)...)
	if err != nil {
		return err
	}
	if err := n.awaitEnd(ctx, p, point); err != nil {
		return err
	}
	died, err := p.died()
	if err != nil {
		return err
	}
	n.history.struck(b, point, died)
	n.router.kill()
	err = n.restart(ctx)
	n.history.end(before)
	n.history.end(b)
	return err
}

// dyingAt is the environment of a life that dies at its nth visit of a point.
func dyingAt(point fault.Point, nth int) []string {
	env := []string{fmt.Sprintf("PEANUTS_FAULT_KILL=%s:%d", point, nth)}
	if point == fault.Checkpointing {
		env = append(env, oftenCopied)
	}
	return env
}

// aim chooses the point at which the next life is to die: one of those with the fewest deaths, where each is to have some.
func (n *nemesis) aim() fault.Point {
	points := n.points
	if n.deaths > 0 {
		points = rarest(points, n.history.deaths())
	}
	return points[n.dice.below(len(points))]
}

// rarest are the points with the fewest deaths.
func rarest(points []fault.Point, deaths map[fault.Point]int) (rare []fault.Point) {
	fewest := deaths[slices.MinFunc(points, func(a, b fault.Point) int { return deaths[a] - deaths[b] })]
	for _, point := range points {
		if deaths[point] == fewest {
			rare = append(rare, point)
		}
	}
	return rare
}

// enough tells whether the router was killed as often as is asked for. The error names a point that no life comes by.
func (n *nemesis) enough() (bool, error) {
	if n.deaths == 0 {
		return n.history.kills() >= n.kills, nil
	}
	deaths := n.history.deaths()
	fewest := deaths[rarest(n.points, deaths)[0]]
	if fewest > n.fewest {
		n.fewest, n.tried = fewest, 0
	}
	n.tried++
	if most := len(n.points) * missedTooOften; n.tried > most {
		return false, fmt.Errorf("%d lives have not brought deaths at %v from %d to %d", most, rarest(n.points, deaths), fewest, fewest+1)
	}
	return fewest >= n.deaths, nil
}

// visits is how often a point is come by within our patience.
func visits(point fault.Point) int {
	switch point {
	case fault.FreeingLeases, fault.SwappingRules, fault.HalfDead:
		return 1
	case fault.Burying, fault.Checkpointing:
		return 5
	}
	return 20
}

// awaitEnd waits until a life has come by its point, or has had the time for it.
func (n *nemesis) awaitEnd(ctx context.Context, p *process, point fault.Point) error {
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if point == fault.SwappingRules {
		select {
		case <-p.ready:
		case <-patient.Done():
		}
		n.variant++
		n.history.ruled(n.variant)
		if err := writeRules(n.router.dir, rulesWith(n.targets, n.variant)); err != nil {
			return err
		}
	}
	select {
	case <-p.ended:
	case <-patient.Done():
	}
	return ctx.Err()
}
