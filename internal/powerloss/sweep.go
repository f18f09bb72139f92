package powerloss

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
)

// Sweep judges images of a trace.
type Sweep struct {
	From       Start // of the router
	Operations []Operation
	Images     int    // how many, spread evenly over all that can be made; 0 means all
	Seed       uint64 // of where they begin and what is random in them
	Judge      Judge
	Workers    int // how many are judged at once; 0 means 1
}

// Result is what a sweep came to.
type Result struct {
	Operations   int // on the disk
	Flushes      int // of them
	Copies       int // of them: ends of a copy of the log into the store
	Acknowledged int // events
	Possible     int // images
	Judged       int // of them
	Losing       int // images in which something promised is missing
	Corrupt      int // images in which something is that should never be
	Findings     []Finding
}

// findingsAtMost is how many images that are not sound are told of.
const findingsAtMost = 20

// Finding is an image that is not sound.
type Finding struct {
	Where   string // in the trace, and by which choice
	Verdict Verdict
	Image   Image
}

// job is an image to be judged.
type job struct {
	where    string
	image    Image
	promised Promised
}

// Run judges the images.
func (s Sweep) Run(ctx context.Context) (Result, error) {
	result, err := s.count()
	if err != nil {
		return result, err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	jobs := make(chan job, max(1, s.Workers))
	var judging sync.WaitGroup
	var mu sync.Mutex
	for range max(1, s.Workers) {
		judging.Go(func() {
			for next := range jobs {
				verdict, err := s.Judge.Judge(ctx, next.image, next.promised)
				if err != nil {
					fail(err)
					continue
				}
				mu.Lock()
				result.note(next, verdict)
				mu.Unlock()
			}
		})
	}
	err = s.build(ctx, result.Possible, jobs)
	close(jobs)
	judging.Wait()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return result, err
}

// Pick gives an image for a router to start from, by the seed, and tells where it comes from.
func (s Sweep) Pick(ctx context.Context) (from Start, where string, err error) {
	counted, err := s.count()
	if err != nil {
		return from, "", err
	}
	one := make(chan job, 1)
	s.Images = 1
	if err := s.build(ctx, counted.Possible, one); err != nil {
		return from, "", err
	}
	picked := <-one
	return Start{Image: picked.image, Promised: picked.promised}, picked.where, nil
}

// count tells what there is to be judged.
func (s Sweep) count() (r Result, err error) {
	for _, o := range s.Operations {
		switch {
		case o.Kind == Acknowledge:
			r.Acknowledged++
		case o.Kind == FlushFile:
			r.Flushes++
			r.Operations++
			if o.Path == s.Judge.Store {
				r.Copies++
			}
		case o.onDisk():
			r.Operations++
		}
	}
	err = replay(s.From, s.Operations, func(m moment) error {
		r.Possible += len(variants(m.disk.open))
		return nil
	})
	if err == nil && r.Possible == 0 {
		err = errors.New("nothing was done to the disk: the trace is not of a router with its store below the root")
	}
	return r, err
}

// build makes the images that are chosen of all, one after the other.
func (s Sweep) build(ctx context.Context, possible int, jobs chan<- job) error {
	wanted := possible
	if s.Images > 0 {
		wanted = min(s.Images, possible)
	}
	chance := rand.New(rand.NewPCG(s.Seed, 0))
	begin := chance.Float64() // of a step
	made, place := 0, 0
	return replay(s.From, s.Operations, func(m moment) error {
		for _, v := range variants(m.disk.open) {
			place++
			if made == wanted || float64(place) <= (float64(made)+begin)*float64(possible)/float64(wanted) {
				continue
			}
			made++
			next := job{
				where:    fmt.Sprintf("after operation %d (%s): %s", m.number, m.after, v),
				image:    m.disk.image(choose(m.disk.open, v, chance)),
				promised: m.promised,
			}
			select {
			case jobs <- next:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
}

func (r *Result) note(j job, v Verdict) {
	r.Judged++
	if len(v.Lost) > 0 {
		r.Losing++
	}
	if len(v.Corrupt) > 0 {
		r.Corrupt++
	}
	if !v.sound() && len(r.Findings) < findingsAtMost {
		r.Findings = append(r.Findings, Finding{Where: j.where, Verdict: v, Image: j.image})
	}
}
