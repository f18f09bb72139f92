package store

import (
	"context"

	"github.com/peanuts-router/peanuts-router/engine"
)

const bodyOf = `SELECT ` + wholeBody + ` FROM events e WHERE e.id = ?`

// exportBatch is how many dead letters are held in memory at a time.
const exportBatch = 100

// EachDead tells the dead letters of a filter, the oldest first, with their messages, histories and the bytes of their
// events; the filter's State does not matter. They are read in batches, so that nobody waits for whoever listens slowly: each
// is told as it stood when its batch was read. What is returned by each ends it.
func (s *Store) EachDead(ctx context.Context, filter Filter, each func(d engine.Delivery, body []byte) error) error {
	for after := int64(0); ; {
		batch, err := s.deadAfter(ctx, filter, after)
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, one := range batch {
			if err := each(one.Delivery, one.body); err != nil {
				return err
			}
			after = one.seq
		}
	}
}

// deadLetter is a dead letter with all that is kept of it.
type deadLetter struct {
	engine.Delivery
	seq  int64
	body []byte // of its event
}

func (s *Store) deadAfter(ctx context.Context, filter Filter, after int64) (batch []deadLetter, err error) {
	wanted, args := filter.dead().terms()
	args = append(append([]any{after}, args...), exportBatch)
	text := deliveryColumns + `WHERE d.seq > ?` + wanted + orderedBatch
	err = s.eachDelivery(ctx, "reading dead letters", text, args, func(d engine.Delivery, seq int64) {
		batch = append(batch, deadLetter{Delivery: d, seq: seq})
	})
	for i := range batch {
		one := &batch[i]
		if err == nil {
			one.History, err = s.history(ctx, one.seq)
		}
		if i > 0 && batch[i-1].Event == one.Event {
			one.body = batch[i-1].body
			continue
		}
		if err == nil {
			one.body, err = s.body(ctx, bodyOf, string(one.Event))
		}
	}
	return batch, err
}
