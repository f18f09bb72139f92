package peanuts_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

const created = `{"event":"entry.created","entry":{"id":"entry-1","data":{"amount":612.50}}}`

func TestHandlersAreCalledInTheOrderOfTheirRegistration(t *testing.T) { // R77, R78, R83
	client, calls := newClient(t), []string{}
	note := func(name string) peanuts.Handler {
		return func(_ context.Context, e *peanuts.Event) error {
			calls = append(calls, name+" "+e.Entry.ID)
			return nil
		}
	}
	client.On(peanuts.EntryCreated, note("first"))
	client.On(peanuts.AnyEvent, note("any"))
	client.On(peanuts.EntryDeleted, note("deleted"))
	client.On(peanuts.EntryCreated, note("last"))
	if err := handle(client, created); err != nil {
		t.Fatalf("Handle = %v", err)
	}
	if diff := cmp.Diff([]string{"first entry-1", "any entry-1", "last entry-1"}, calls); diff != "" {
		t.Errorf("calls, -want +got:\n%s", diff)
	}
}

func TestAnEventWithoutHandlersIsFine(t *testing.T) { // R80, R6
	if err := handle(newClient(t), created); err != nil {
		t.Errorf("Handle without handlers = %v, want nil", err)
	}
	if err := handle(newClient(t), `{"event":"helper.renamed"}`); err != nil {
		t.Errorf("Handle of an unknown event = %v, want nil", err)
	}
}

func TestAFailingOrPanickingHandlerDoesNotStopTheRest(t *testing.T) { // R83, C8
	client, calls := newClient(t), 0
	first, second := errors.New("table locked"), errors.New("mail refused")
	client.On(peanuts.EntryCreated, func(context.Context, *peanuts.Event) error { return first })
	client.On(peanuts.AnyEvent, func(context.Context, *peanuts.Event) error { panic("boom") })
	client.On(peanuts.EntryCreated, func(context.Context, *peanuts.Event) error { return second })
	client.On(peanuts.EntryCreated, nil)
	client.On(peanuts.EntryCreated, func(context.Context, *peanuts.Event) error { calls++; return nil })
	err := handle(client, created)
	if !errors.Is(err, first) || !errors.Is(err, second) || !strings.Contains(err.Error(), "a handler of * panicked: boom") {
		t.Errorf("Handle = %v, want both errors and the panic", err)
	}
	if calls != 1 {
		t.Errorf("the last handler was called %d times, want once", calls)
	}
}

func TestHandleVerifiesBeforeItParses(t *testing.T) { // R78, R79, R82, P5, P7
	client := newClient(t, "the old secret")
	client.On(peanuts.AnyEvent, func(context.Context, *peanuts.Event) error {
		t.Error("a handler was called")
		return nil
	})
	for _, body := range []string{created, "no JSON", ""} {
		header := signed(peanuts.Sign("wrong", []byte(body)))
		if err := client.Handle(t.Context(), header, []byte(body)); err != peanuts.ErrInvalidSignature {
			t.Errorf("Handle of %q, signed wrongly = %v, want ErrInvalidSignature", body, err)
		}
	}
	body := []byte("no JSON")
	err := client.Handle(t.Context(), signed(peanuts.Sign("the old secret", body)), body)
	if !errors.As(err, new(*peanuts.ParseError)) {
		t.Errorf("Handle of %q, signed = %v, want a *ParseError", body, err)
	}
}

func TestHandlersAfterTheEndOfTheContextAreLeftOut(t *testing.T) { // R83
	client, calls := newClient(t), 0
	ctx, cancel := context.WithCancel(t.Context())
	client.On(peanuts.EntryCreated, func(context.Context, *peanuts.Event) error { calls++; cancel(); return nil })
	client.On(peanuts.EntryCreated, func(context.Context, *peanuts.Event) error { calls++; return nil })
	err := client.Handle(ctx, signed(peanuts.Sign(secret, []byte(created))), []byte(created))
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("Handle = %v after %d calls, want context.Canceled after 1", err, calls)
	}
}

func TestNewClientRefusesAnEmptySecret(t *testing.T) { // R76, C2, A6
	for _, secrets := range [][]string{{""}, {" "}, {"good", ""}} {
		if client, err := peanuts.NewClient(secrets[0], secrets[1:]...); err == nil || client != nil {
			t.Errorf("NewClient(%q) = %v, %v; want an error", secrets, client, err)
		}
	}
}

func TestOneClientServesManyAtOnce(t *testing.T) { // safe for concurrent use; run with -race
	client := newClient(t)
	var calls atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			client.On(peanuts.EntryCreated, func(context.Context, *peanuts.Event) error { calls.Add(1); return nil })
			for range 50 {
				if err := handle(client, created); err != nil {
					t.Errorf("Handle = %v", err)
				}
			}
		})
	}
	all.Wait()
	calls.Store(0)
	if err := handle(client, created); err != nil || calls.Load() != 8 {
		t.Errorf("Handle = %v, with %d calls; want 8", err, calls.Load())
	}
}

func newClient(t testing.TB, further ...string) *peanuts.Client {
	t.Helper()
	client, err := peanuts.NewClient(secret, further...)
	if err != nil {
		t.Fatalf("NewClient = %v", err)
	}
	return client
}

// handle hands a client a body that is signed rightly.
func handle(client *peanuts.Client, body string) error {
	header := http.Header{peanuts.SignatureHeader: {peanuts.Sign(secret, []byte(body))}}
	return client.Handle(context.Background(), header, []byte(body))
}
