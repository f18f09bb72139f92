package traced

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
)

// The target's paths.
const (
	pathTake   = "/take"   // answers 200
	pathRefuse = "/refuse" // answers 410: a dead letter at once
)

// target takes deliveries.
type target struct {
	*http.Server
	url   string
	mu    sync.Mutex
	keys  map[string]bool
	moved chan struct{} // has room for one: a key came
}

func startTarget() (*target, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &target{url: "http://" + listener.Addr().String(), keys: map[string]bool{}, moved: make(chan struct{}, 1)}
	t.Server = &http.Server{Handler: t}
	go t.Serve(listener) // until it is closed
	return t, nil
}

func (t *target) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // what it says is not looked at
	t.mu.Lock()
	t.keys[r.Header.Get("Idempotency-Key")] = true
	t.mu.Unlock()
	select {
	case t.moved <- struct{}{}:
	default:
	}
	if r.URL.Path == pathRefuse {
		w.WriteHeader(http.StatusGone)
	}
}

// seen are the deliveries that came.
func (t *target) seen() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Keys(t.keys))
}

// await waits until so many different deliveries have come.
func (t *target) await(ctx context.Context, n int) error {
	for {
		t.mu.Lock()
		came := len(t.keys)
		t.mu.Unlock()
		if came >= n {
			return nil
		}
		select {
		case <-t.moved:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d deliveries came: %w", came, n, ctx.Err())
		}
	}
}
