package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/internal/fault"
	"github.com/peanuts-router/peanuts-router/store"
)

// beside kills at points that no router under load comes by: while a store is made, old events are removed, or dead letters
// replayed. The last two are done to the store that a run has left, once its evidence was taken.
type beside struct {
	*run
	dice   *dice
	deaths map[fault.Point]int
	lost   []string // what was there before a death and not after it
}

// killBeside kills at each of those points as often as is asked for.
func (r *run) killBeside(ctx context.Context) (*beside, error) {
	b := &beside{run: r, dice: newDice(r.seed, useBeside), deaths: map[fault.Point]int{}}
	for _, one := range []struct {
		point fault.Point
		kill  func(context.Context) (died bool, err error)
	}{{fault.Migrating, b.killMaking}, {fault.Pruning, b.killPruning}, {fault.Mending, b.killReplaying}} {
		for tried := 0; b.deaths[one.point] < r.settings.deaths; tried++ {
			if tried > r.settings.deaths+missedTooOften {
				return b, fmt.Errorf("there are %d deaths at %s after %d tries", b.deaths[one.point], one.point, tried)
			}
			died, err := one.kill(ctx)
			if err != nil {
				return b, fmt.Errorf("killing at %s: %w", one.point, err)
			}
			if died {
				b.deaths[one.point]++
			}
		}
		if err := r.audit(ctx); err != nil {
			return b, err
		}
	}
	return b, b.drainAgain(ctx)
}

// killMaking kills a router that makes its store, and has the next one make it (F14).
func (b *beside) killMaking(ctx context.Context) (died bool, err error) {
	dir, err := os.MkdirTemp(b.dir, "made-")
	if err != nil {
		return false, err
	}
	if err := writeRules(dir, rulesWith(b.targets, 1)); err != nil {
		return false, err
	}
	r := &router{dir: dir, history: b.history, log: b.router.log}
	died, err = dies(ctx, r, b.builds.faulty, dyingAt(fault.Migrating, 1+b.dice.below(2))...)
	if err != nil {
		return died, err
	}
	if err := errors.Join(r.start(ctx, b.builds.plain), r.terminate(endsWithin)); err != nil {
		r.kill()
		return died, err
	}
	found, err := audit(ctx, dir)
	b.audits = append(b.audits, found...)
	return died, errors.Join(err, os.RemoveAll(dir))
}

// dies launches a life, and tells whether it has died at its point; else it dies of a kill.
func dies(ctx context.Context, r *router, binary string, env ...string) (died bool, err error) {
	p, err := r.launch(binary, env...)
	if err != nil {
		return false, err
	}
	select { // however long it takes to start
	case <-p.ready:
	case <-p.ended:
	case <-time.After(readyWithin):
	case <-ctx.Done():
	}
	select {
	case <-p.ended:
		return p.died()
	case <-time.After(patience):
	case <-ctx.Done():
	}
	r.kill()
	return false, ctx.Err()
}

// killPruning kills a router that removes what is older than the last second of the load. What lies dead must stay (F49).
func (b *beside) killPruning(ctx context.Context) (died bool, err error) {
	before, err := b.open(ctx)
	if err != nil {
		return false, err
	}
	nth := 1
	if b.deaths[fault.Pruning] < b.settings.deaths/2 {
		nth += b.dice.below(3) // each batch that it comes past is gone, and there is to be one left for the last death
	}
	died, err = dies(ctx, b.router, b.builds.faulty, append(dyingAt(fault.Pruning, nth), "PEANUTS_ROUTER_RETAIN=1s")...)
	return died, errors.Join(err, b.compare(ctx, before))
}

// replayBatch is how many dead letters are replayed in one transaction.
const replayBatch = 500

// killReplaying kills a command that replays dead letters: in its second batch, while there is one. Each must be dead after it,
// or pending (F48).
func (b *beside) killReplaying(ctx context.Context) (died bool, err error) {
	before, err := b.open(ctx)
	if err != nil {
		return false, err
	}
	nth := 1
	if before.dead > replayBatch {
		nth += b.dice.below(2)
	}
	cmd := exec.CommandContext(ctx, b.builds.faulty, "dead-letters", "replay", "--all", "--store", storeFile)
	cmd.Dir, cmd.Env = b.dir, append(os.Environ(), dyingAt(fault.Mending, nth)...)
	said, err := cmd.CombinedOutput()
	died = err != nil && cmd.ProcessState != nil && cmd.ProcessState.ExitCode() < 0 // by a signal
	if err != nil && !died {
		return false, fmt.Errorf("%w: %s", err, said)
	}
	return died, b.compare(ctx, before)
}

// open counts the deliveries that have not ended, or lie dead.
type open struct{ dead, pending int }

func (b *beside) open(ctx context.Context) (o open, err error) {
	s, err := store.Open(ctx, store.Config{Path: filepath.Join(b.dir, storeFile), Beside: true})
	if err != nil {
		return o, err
	}
	counts, err := s.Counts(ctx)
	return open{counts[engine.Dead], counts[engine.Pending] + counts[engine.Sending]}, errors.Join(err, s.Close())
}

// compare notes what was open before a death and is not after it.
func (b *beside) compare(ctx context.Context, before open) error {
	after, err := b.open(ctx)
	if err == nil && after.dead+after.pending != before.dead+before.pending {
		b.lost = append(b.lost, fmt.Sprintf("of %d dead and %d pending deliveries a death has left %d and %d", before.dead, before.pending, after.dead, after.pending))
	}
	return err
}

// drainAgain has a router send what was replayed, to targets that say yes.
func (b *beside) drainAgain(ctx context.Context) error {
	b.targets.heal()
	if err := b.router.start(ctx, b.builds.plain); err != nil {
		return err
	}
	v, err := b.finish(ctx)
	if err == nil && v.Pending+v.Sending > 0 {
		b.lost = append(b.lost, fmt.Sprintf("%d replayed deliveries are pending for ever", v.Pending+v.Sending))
	}
	return err
}
