package traced

import (
	"slices"
	"strings"
	"testing"

	"github.com/peanuts-router/peanuts-router/internal/powerloss"
)

func TestATraceThatLacksWhatTheWorldSawIsRefused(t *testing.T) { // F6
	whole := []powerloss.Operation{
		{Kind: powerloss.Acknowledge, ID: "e0"}, {Kind: powerloss.Send, ID: "e0-1"}, {Kind: powerloss.Delivered, ID: "e0-1"},
		{Kind: powerloss.Acknowledge, ID: "e1"}, {Kind: powerloss.Send, ID: "e1-1"}, {Kind: powerloss.Dead, ID: "e1-1"},
	}
	run, owed := Run{Events: 2}, map[string]int{entry(0): 1, entry(1): 1}
	if err := run.hold(whole, owed); err != nil {
		t.Errorf("a whole trace: %v", err)
	}
	for n := range whole {
		if err := run.hold(slices.Delete(slices.Clone(whole), n, n+1), owed); err == nil {
			t.Errorf("a trace without %s is taken as whole", whole[n])
		}
	}
}

func TestARouterThatDoesNotStartIsAnError(t *testing.T) {
	if err := Available(); err != nil {
		t.Skip(err)
	}
	_, err := Run{Router: "false", Events: 1, Dir: t.TempDir()}.Do(t.Context())
	if err == nil || !strings.Contains(err.Error(), "ended before it was ready") {
		t.Errorf("Do() of a program that ends at once = %v, want that it was not ready", err)
	}
}

func TestARouterThatEndsByItselfWasNotKilled(t *testing.T) {
	if err := Available(); err != nil {
		t.Skip(err)
	}
	killed, err := Run{Router: "true", Events: 1, Dir: t.TempDir()}.Kill(t.Context(), 1)
	if err != nil || killed.Reached || killed.Ready {
		t.Errorf("Kill() of a program that writes nothing = %+v, %v; want it neither killed nor ready", killed, err)
	}
}
