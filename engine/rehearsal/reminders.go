package rehearsal

import (
	"cmp"
	"container/heap"
	"time"
)

// reminders are the deliveries that wait for their time, as a heap: the one that is due first is the first.
type reminders []*Delivery

// Walk lets time pass to a moment, and gives the reminders that are sent until then, in the order of their instants. One
// that is due at the moment itself is among them.
func (r *Rehearsal) Walk(until time.Time) []*Delivery {
	var sent []*Delivery
	for len(r.waiting) > 0 && r.waiting[0].due <= until.UnixMilli() {
		sent = append(sent, r.sendFirst())
	}
	return sent
}

// Finish lets time pass until nothing waits any more, and gives what is sent.
func (r *Rehearsal) Finish() []*Delivery {
	var sent []*Delivery
	for len(r.waiting) > 0 {
		sent = append(sent, r.sendFirst())
	}
	return sent
}

func (r *Rehearsal) sendFirst() *Delivery {
	d := heap.Pop(&r.waiting).(*Delivery)
	d.send(time.UnixMilli(d.due).UTC())
	return d
}

func (r *Rehearsal) wait(d *Delivery) {
	heap.Push(&r.waiting, d)
	if d.entry != nil {
		d.entry.waiting = append(d.entry.waiting, d)
	}
}

func (w *reminders) remove(d *Delivery) { heap.Remove(w, d.place) }

// Len is part of heap.Interface.
func (w reminders) Len() int { return len(w) }

// Less is part of heap.Interface: by instant, then in the order in which they were owed.
func (w reminders) Less(i, j int) bool {
	a, b := w[i], w[j]
	return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.Event, b.Event), cmp.Compare(a.N, b.N)) < 0
}

// Swap is part of heap.Interface.
func (w reminders) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].place, w[j].place = i, j
}

// Push is part of heap.Interface.
func (w *reminders) Push(d any) {
	d.(*Delivery).place = len(*w)
	*w = append(*w, d.(*Delivery))
}

// Pop is part of heap.Interface.
func (w *reminders) Pop() any {
	last := len(*w) - 1
	d := (*w)[last]
	(*w)[last] = nil
	*w = (*w)[:last]
	return d
}
