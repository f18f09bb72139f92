package storetest

import (
	"context"

	"github.com/peanuts-router/peanuts-router/store"
)

// tester is a test, or a property of one.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
}

// balances holds that nothing is wrong with a store, and that the check has looked at all that is in it.
func balances(t tester, s Store) {
	t.Helper()
	audit, err := s.Check(context.Background()) // the test's own context has ended when it is cleaned up
	if err != nil || len(audit.Discrepancies) > 0 {
		t.Errorf("Check() = %+v, %v; want the books to balance", audit.Discrepancies, err)
	}
	events, _, err := s.Events(context.Background(), store.Page{Limit: 1000})
	if err != nil {
		t.Errorf("Events() = %v", err)
	}
	for _, looked := range audit.Looked {
		if looked.What == "events" && (looked.Count < len(events) || (looked.Count > len(events) && len(events) < 1000)) {
			t.Errorf("Check() has looked at %d events; %d are listed", looked.Count, len(events))
		}
	}
}
