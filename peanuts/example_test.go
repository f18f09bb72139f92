package peanuts_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// A receiver of webhooks, and a sender that stands in for Peanuts.
func Example() {
	client, err := peanuts.NewClient("the shared secret")
	if err != nil {
		fmt.Println(err)
		return
	}
	client.On(peanuts.EntryCreated, func(_ context.Context, e *peanuts.Event) error {
		amount, _ := e.Literal("entry", "data", "amount")
		fmt.Printf("%s: %v for %s\n", e.Helper.Command, e.Entry.Data["description"], amount)
		return nil
	})
	receiver := httptest.NewServer(client)
	defer receiver.Close()

	sender, err := peanuts.NewSender(peanuts.SenderConfig{URL: receiver.URL, Secret: "the shared secret"})
	if err != nil {
		fmt.Println(err)
		return
	}
	receipt, err := sender.Send(context.Background(), []byte(`{
		"event": "entry.created",
		"helper": {"command": "/expenses"},
		"entry": {"id": "entry-1", "data": {"amount": 612.50, "description": "Flight"}}
	}`))
	fmt.Println("processed:", receipt.Processed, err)
	// Output:
	// /expenses: Flight for 612.50
	// processed: true <nil>
}

func ExampleParse() {
	e, err := peanuts.Parse([]byte(`{"event": "entry.created", "entry": {"id": "e-1", "data": {"amount": 750}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Event, e.Entry.ID, e.Entry.Data["amount"])

	_, err = peanuts.Parse([]byte(`{"event": "entry.created", "entry": {"id": "e-1", "id": "e-2"}}`))
	fmt.Println(err)
	// Output:
	// entry.created e-1 750
	// a member name stands twice in one object (at byte 50, /entry/id)
}

func ExampleVerifier_Verify() {
	verifier, err := peanuts.NewVerifier("the new secret", "the old secret") // while rotating, both are valid
	if err != nil {
		fmt.Println(err)
		return
	}
	body := []byte(`{"event": "entry.created"}`)
	header := http.Header{}
	header.Set(peanuts.SignatureHeader, peanuts.Sign("the old secret", body))
	fmt.Println(verifier.Verify(header, body))
	fmt.Println(verifier.Verify(header, append(body, '\n')))
	// Output:
	// <nil>
	// invalid signature
}

func ExampleEvent_Literal() {
	e, err := peanuts.Parse([]byte(`{"event": "entry.created", "entry": {"id": "e-1", "data": {"amounts": [612.50, 1e3]}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, index := range []string{"0", "1", "2"} {
		fmt.Println(e.Literal("entry", "data", "amounts", index))
	}
	// Output:
	// 612.50 true
	// 1e3 true
	//  false
}
