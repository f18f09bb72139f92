package peanuts_test

import (
	"github.com/peanuts-router/peanuts-router/peanuts"
	"testing"
)

func newClient(t testing.TB, further ...string) *peanuts.Client {
	t.Helper()
	client, err := peanuts.NewClient(secret, further...)
	if err != nil {
		t.Fatalf("NewClient = %v", err)
	}
	return client
}
