package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// The target's paths: deliveries come to the first three, and quick takes those to the first; the other two are for us.
const (
	pathTake  = "/take"  // answers 200 at once
	pathOther = "/other" // answers 200 at once, and counts nothing
	pathHang  = "/hang"  // answers when the caller has gone
	pathReset = "/reset" // forgets what came
	pathTold  = "/told"  // tells the arrivals
)

// arrivals are what came to the target since it was last reset.
type arrivals struct {
	Delivered int       `json:"delivered"` // different keys
	Repeated  int       `json:"repeated"`  // calls with a key that had come before
	Hung      int       `json:"hung"`
	First     time.Time `json:"first"` // when the first delivery came
	Last      time.Time `json:"last"`  // when the last one came, of those that are timed
	Delay     quantiles `json:"delay"` // from when an event was due to its arrival
}

// target takes deliveries and counts them.
type target struct {
	*http.ServeMux
	mu    sync.Mutex
	timed int // how many deliveries from the first on are timed; 0 means all
	seen  arrivals
	keys  map[string]struct{}
	delay []time.Duration
}

func newTarget() *target {
	t := &target{ServeMux: http.NewServeMux(), keys: map[string]struct{}{}}
	t.HandleFunc(pathOther, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	t.HandleFunc(pathHang, t.hang)
	t.HandleFunc(pathReset, t.reset)
	t.HandleFunc(pathTold, t.tell)
	return t
}

// take notes a delivery, unless its body is no event of a load.
func (t *target) take(key string, body []byte) (ok bool) {
	due, ok := dueOf(body)
	if ok {
		t.note(key, due, time.Now())
	}
	return ok
}

func (t *target) note(key string, due, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.keys[key]; ok {
		t.seen.Repeated++
		return
	}
	if len(t.keys) == 0 {
		t.seen.First = now
	}
	t.keys[key] = struct{}{}
	if t.timed == 0 || len(t.keys) <= t.timed {
		t.seen.Last = now
		t.delay = append(t.delay, now.Sub(due))
	}
}

func (t *target) hang(_ http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	t.seen.Hung++
	t.mu.Unlock()
	_, _ = io.Copy(io.Discard, r.Body) // only then is it noticed that the caller goes
	<-r.Context().Done()
}

func (t *target) reset(w http.ResponseWriter, r *http.Request) {
	timed, err := strconv.Atoi(r.URL.Query().Get("timed"))
	if err != nil {
		http.Error(w, "timed is no number", http.StatusBadRequest)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timed = timed
	t.seen, t.keys, t.delay = arrivals{}, map[string]struct{}{}, nil
}

// tell answers with the arrivals; their delays are looked at only when asked for, since that takes time.
func (t *target) tell(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	seen := t.seen
	seen.Delivered = len(t.keys)
	var delay []time.Duration
	if r.URL.Query().Has("delay") {
		delay = append(delay, t.delay...)
	}
	t.mu.Unlock()
	seen.Delay = quantilesOf(delay)
	_ = json.NewEncoder(w).Encode(seen) // who is gone needs no answer
}
