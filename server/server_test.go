package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTheTimesAndSizesAreThoseOfTheContract(t *testing.T) { // C20, A11
	admin, _ := openAdmin(t, AdminConfig{})
	for name, s := range map[string]*Server{"public": openDoor(t).Server, "admin": admin} {
		got := [...]time.Duration{s.http.ReadHeaderTimeout, s.http.ReadTimeout, s.http.WriteTimeout, s.http.IdleTimeout}
		want := [...]time.Duration{5 * time.Second, 15 * time.Second, 15 * time.Second, 60 * time.Second}
		if got != want || s.http.MaxHeaderBytes != 16<<10 {
			t.Errorf("%s: header, read, answer, idle %v and %d bytes, want %v and %d", name, got, s.http.MaxHeaderBytes, want, 16<<10)
		}
	}
}

func TestRunFinishesWhatIsUnderWayAndTakesNothingNew(t *testing.T) { // C22, R101
	ctx, cancel := context.WithCancel(context.Background())
	d := &door{store: newMemory()}
	var err error
	if d.Server, err = New(Config{Listener: listen(t, "127.0.0.1:0"), Judge: judgeFunc(nothingOwed), Store: d.store}); err != nil {
		t.Fatalf("New: %v", err)
	}
	d.client = newClient(t)
	committing, release, ended, answered := make(chan struct{}), make(chan struct{}), make(chan error, 1), make(chan answer, 1)
	d.store.before = func(context.Context) { close(committing); <-release }
	go func() { ended <- d.Run(ctx) }()
	go func() { answered <- d.post(t, "/webhook", []byte(flight)) }()
	<-committing
	if err := d.Accepting(ctx); err != nil {
		t.Errorf("Accepting() = %v before the end, want nil", err)
	}
	cancel()
	eventually(t, "connections are refused", func() bool {
		conn, err := net.Dial("tcp", d.Addr().String())
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	if err := d.Accepting(context.Background()); !errors.Is(err, ErrDraining) {
		t.Errorf("Accepting() = %v while draining, want ErrDraining", err)
	}
	select {
	case err := <-ended:
		t.Errorf("Run returned %v with a request under way", err)
	default:
	}
	close(release)
	if got := <-answered; got.status != http.StatusOK || len(d.store.stored()) != 1 {
		t.Errorf("the event under way: %d %s, want 200", got.status, got.text)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run: %v, want nil", err)
	}
}

func TestRunCutsOffWhatOutlastsItsGrace(t *testing.T) { // C22
	ctx, cancel := context.WithCancel(context.Background())
	store := newMemory()
	s, err := New(Config{Listener: listen(t, "127.0.0.1:0"), Judge: judgeFunc(nothingOwed), Store: store, Grace: time.Millisecond})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	committing, cutOff, returned, left := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
	early := false
	store.before = func(context.Context) {
		defer close(left)
		close(committing)
		<-cutOff
		// That something does not happen can only be seen by waiting a little.
		select {
		case <-returned:
			early = true
		case <-time.After(100 * time.Millisecond):
		}
	}
	var ran error
	go func() {
		defer close(returned)
		ran = s.Run(ctx)
	}()
	conn := open(t, &door{Server: s}, rawPost("", flight))
	<-committing
	cancel()
	if text, _ := io.ReadAll(conn); len(text) > 0 {
		t.Errorf("a request that outlasted the grace was answered %q, want it cut off", text)
	}
	close(cutOff)
	<-returned
	<-left
	// Whoever closes the store after Run must find nobody inside.
	if early {
		t.Error("Run returned while a request was in the store")
	}
	if ran == nil || !strings.Contains(ran.Error(), "cut off") {
		t.Errorf("Run: %v, want it to say that requests were cut off", ran)
	}
}

func TestRunSaysThatItsListenerBroke(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	s, err := New(Config{Listener: l, Judge: judgeFunc(nothingOwed), Store: newMemory()})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	l.Close()
	if err := s.Run(t.Context()); !errors.Is(err, net.ErrClosed) || !strings.Contains(err.Error(), "serving the public listener") {
		t.Errorf("Run with a closed listener: %v, want net.ErrClosed and which listener", err)
	}
}

func TestNewSaysAllThatIsMissing(t *testing.T) {
	_, err := New(Config{})
	for _, want := range []string{"listener", "judge", "store"} {
		if err == nil || !strings.Contains(err.Error(), "needs a "+want) {
			t.Errorf("New(Config{}): %v, want it to ask for a %s", err, want)
		}
	}
}

// eventually waits for a condition that nothing signals.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); !holds(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
