package store

const (
	// groupLimit is how many writes are committed as one group at the most.
	groupLimit = 512

	// restLimit is how many of them nobody waits for outside: an event is not to wait until hundreds of attempts are
	// recorded that ended in one moment, as those at a target that never answers do.
	restLimit = 128
)

// queues are the writes that wait. Those of events go first: their senders wait for an answer.
type queues struct{ events, rest chan *write }

// gather takes what is committed together, once there is anything. It may turn out to be nothing, when all was taken back; it
// is not ok when both queues have ended.
func (q *queues) gather() (group []*write, ok bool) {
	next, rest := q.wait(), 0
	if next == nil {
		return nil, false
	}
	for next != nil {
		if next.taken.CompareAndSwap(false, true) {
			group = append(group, next)
		}
		if next.then != nil || len(group) == groupLimit {
			break
		}
		if next = poll(q.events); next == nil && rest < restLimit {
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

// poll gives the next write of a queue, if one waits.
func poll(queue <-chan *write) *write {
	select {
	case change := <-queue:
		return change
	default:
		return nil
	}
}
