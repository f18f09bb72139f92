package powerloss

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// Judge opens images as a daemon would after the power came back.
type Judge struct {
	Store string         // where the store lies in an image
	Owed  map[string]int // how many deliveries each event has that was sent, by its entry
	Dir   string         // where images are laid; best in memory
}

// Verdict is what is wrong with an image.
type Verdict struct {
	Lost     []string // what was promised and is not there
	Corrupt  []string // what should never be
	Unopened bool     // the store did not even open, which is corrupt, too
}

// sound tells whether nothing is wrong.
func (v Verdict) sound() bool { return len(v.Lost)+len(v.Corrupt) == 0 }

// Judge lays an image and looks at it. The error says that this could not be done.
func (j Judge) Judge(ctx context.Context, image Image, promised Promised) (v Verdict, err error) {
	root, err := os.MkdirTemp(j.Dir, "image-")
	if err != nil {
		return v, err
	}
	defer os.RemoveAll(root)
	if err := image.Lay(root); err != nil {
		return v, fmt.Errorf("laying an image: %w", err)
	}
	v = j.Look(ctx, root, promised)
	return v, ctx.Err()
}

// Look opens the store of what lies below root as a daemon does, and holds it against what was promised. A store that
// does not open is a verdict.
func (j Judge) Look(ctx context.Context, root string, promised Promised) (v Verdict) {
	s, err := store.Open(ctx, store.Config{Path: filepath.Join(root, j.Store)})
	if err == nil {
		err = errors.Join(j.look(ctx, s, promised, &v), s.Close())
	} else {
		v.Unopened = true
	}
	if err != nil {
		v.Corrupt = append(v.Corrupt, strings.ReplaceAll(err.Error(), root+"/", ""))
	}
	return v
}

// look reads the whole store.
func (j Judge) look(ctx context.Context, s *store.Store, promised Promised, v *Verdict) error {
	audit, err := s.Check(ctx)
	if err != nil {
		return err
	}
	for _, d := range audit.Discrepancies {
		v.Corrupt = append(v.Corrupt, fmt.Sprintf("%s: not so %d times, as in %s", d.Broken, d.Count, d.Found[0]))
	}
	events, states := map[string]bool{}, map[string]engine.State{}
	page := store.Page{Limit: 1000}
	for more := true; more; more = page.Cursor != "" {
		var list []engine.EventRecord
		if list, page.Cursor, err = s.Events(ctx, page); err != nil {
			return err
		}
		for _, event := range list {
			events[string(event.ID)] = true
			v.Corrupt = append(v.Corrupt, j.complete(event)...)
			for _, d := range event.Deliveries {
				states[string(d.ID)] = d.State
			}
		}
	}
	v.Lost = append(v.Lost, missing(events, states, promised)...)
	v.Corrupt = append(v.Corrupt, neverSent(states, promised)...)
	return nil
}

// complete complains of an event that nobody sent, or that came without all that follows from it.
func (j Judge) complete(event engine.EventRecord) (wrong []string) {
	owed, known := j.Owed[event.EntryID]
	switch {
	case event.Own: // the router sent it itself, to tell of a dead letter
	case !known:
		wrong = append(wrong, fmt.Sprintf("event %s was sent by nobody", event.ID))
	case len(event.Deliveries) != owed:
		wrong = append(wrong, fmt.Sprintf("event %s has %d deliveries and owes %d", event.ID, len(event.Deliveries), owed))
	}
	return wrong
}

// missing is what was promised and is not in the store.
func missing(events map[string]bool, states map[string]engine.State, promised Promised) (lost []string) {
	for _, id := range promised.Acknowledged {
		if !events[id] {
			lost = append(lost, fmt.Sprintf("event %s was acknowledged", id))
		}
	}
	for _, o := range promised.Settled {
		want := engine.Delivered
		if o.Kind == Dead {
			want = engine.Dead
		}
		if got := states[o.ID]; got != want {
			lost = append(lost, fmt.Sprintf("delivery %s was told to be %s and is %q", o.ID, want, got))
		}
	}
	return lost
}

// neverSent complains of deliveries that are recorded as delivered and never went out.
func neverSent(states map[string]engine.State, promised Promised) (wrong []string) {
	sent := map[string]bool{}
	for _, id := range promised.Sent {
		sent[id] = true
	}
	for id, state := range states {
		if state == engine.Delivered && !sent[id] {
			wrong = append(wrong, fmt.Sprintf("delivery %s is recorded as delivered and never went out", id))
		}
	}
	return wrong
}
