package main

import (
	"context"
	"fmt"
	"math"
	"time"
)

// patience is how long anything may stand still before it counts as stuck.
const patience = 30 * time.Second

// await asks again and again until it is done. It gives up when patience has passed without progress.
func await(ctx context.Context, what string, ask func() (progress int, done bool, err error)) error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	best, moved := math.MinInt, time.Now()
	for {
		progress, done, err := ask()
		if done || err != nil {
			return err
		}
		if progress > best {
			best, moved = progress, time.Now()
		}
		if time.Since(moved) > patience {
			return fmt.Errorf("waited %s in vain for %s; it stands at %d", patience, what, progress)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
}
