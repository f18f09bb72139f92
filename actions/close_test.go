package actions

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// F35: a sender that is closed, as at a reload, leaves no connection behind: not that of an attempt under way, and not that of one
// that begins after.
func TestASenderThatIsClosedLeavesNoConnection(t *testing.T) {
	arrived, answer := make(chan struct{}, 10), make(chan struct{})
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	target := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-answer
	}))
	target.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		open[conn] = true
		if state == http.StateClosed {
			delete(open, conn)
		}
	}
	target.Start()
	defer target.Close()
	sender, err := New(engine.Action{Concurrency: 4, Settings: toURL(target.URL)}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	var attempts sync.WaitGroup
	send := func() {
		attempts.Go(func() {
			if got := sender.Send(context.Background(), shipment(`{}`)); got.Verdict != engine.VerdictDelivered {
				t.Errorf("outcome %+v", got)
			}
		})
	}
	send()
	<-arrived
	sender.Close()
	send()
	<-arrived
	close(answer)
	attempts.Wait()
	for deadline := time.Now().Add(time.Minute); ; { // the target sees an end a moment later
		mu.Lock()
		left := len(open)
		mu.Unlock()
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are open still", left)
		}
	}
}
