package store

import "runtime"

// How many writes are committed as one group at the most: events, whose senders wait for an answer, and others. An event is not
// to wait until hundreds of attempts are recorded that ended in one moment, as those at a target that never answers do; nor
// are those to wait until no more events come.
const (
	eventLimit = 384
	restLimit  = 128
)

// queues are the writes that wait. Those of events go first.
type queues struct{ events, rest chan *write }

// gather takes what is committed together, once there is anything. It may turn out to be nothing, when all was taken back; it
// is not ok when both queues have ended.
func (q *queues) gather() (group []*write, ok bool) {
	next := q.wait()
	if next == nil {
		return nil, false
	}
	// Whoever is about to write does so first: on busy processors a commit then serves more of them. On idle ones this takes
	// no time.
	runtime.Gosched()
	for events, rest := 0, 0; next != nil; {
		if next.taken.CompareAndSwap(false, true) {
			group = append(group, next)
		}
		if next.then != nil {
			break
		}
		if next = nil; events < eventLimit {
			events++
			next = poll(q.events)
		}
		if next == nil && rest < restLimit {
			rest++
			next = poll(q.rest)
		}
	}
	return group, true
}

// wait gives the next write of either queue; nil when both have ended.
func (q *queues) wait() *write {
	for q.events != nil || q.rest != nil {
		select {
		case change, ok := <-q.events:
			if ok {
				return change
			}
			q.events = nil
		case change, ok := <-q.rest:
			if ok {
				return change
			}
			q.rest = nil
		}
	}
	return nil
}

// length is how many writes wait.
func (q *queues) length() int { return len(q.events) + len(q.rest) }

// poll gives the next write of a queue, if one waits.
func poll(queue <-chan *write) *write {
	select {
	case change := <-queue:
		return change
	default:
		return nil
	}
}
