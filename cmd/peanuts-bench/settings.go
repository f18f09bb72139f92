package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// settings say how much is measured.
type settings struct {
	router      string
	only        string
	events      int
	seconds     int
	rate        int
	rounds      int
	pending     int // of the backlog
	concurrency int
}

func (s *settings) register(flags *pflag.FlagSet) {
	flags.StringVar(&s.router, "router", "", "the router's binary; empty builds it from this tree with go build")
	flags.StringVar(&s.only, "only", "", "measure one thing and its baselines: "+strings.Join(measurementNames(), ", "))
	flags.IntVar(&s.events, "events", 20_000, "events of each closed load, and deliveries that are timed of a backlog")
	flags.IntVar(&s.seconds, "seconds", 6, "how long each open load lasts")
	flags.IntVar(&s.rate, "rate", 1000, "events a second of the open loads")
	flags.IntVar(&s.rounds, "rounds", 3, "how often the open loads beside a dead action take turns; medians count")
	flags.IntVar(&s.pending, "backlog", 100_000, "pending deliveries of the backlog")
	flags.IntVar(&s.concurrency, "concurrency", 64, "attempts at once that the target's action may have under way")
}

// check complains of everything that cannot be measured.
func (s *settings) check() error {
	var wrong []error
	for _, number := range []struct {
		flag  string
		value int
	}{{"events", s.events}, {"seconds", s.seconds}, {"rate", s.rate}, {"rounds", s.rounds}, {"backlog", s.pending}, {"concurrency", s.concurrency}} {
		if number.value < 1 {
			wrong = append(wrong, fmt.Errorf("--%s is at least 1", number.flag))
		}
	}
	if s.pending < s.events {
		wrong = append(wrong, fmt.Errorf("--backlog (%d) is at least --events (%d): as many of it are timed", s.pending, s.events))
	}
	if s.only != "" && find(s.only) == nil {
		wrong = append(wrong, fmt.Errorf("--only is one of %s, not %q", strings.Join(measurementNames(), ", "), s.only))
	}
	return errors.Join(wrong...)
}

// warmUp is how many events go before those that are measured.
func (s *settings) warmUp() int { return max(1, s.events/10) }
