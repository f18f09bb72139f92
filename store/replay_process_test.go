package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// replayedOwes is how many deliveries each replay of these tests owes.
const replayedOwes = 200

// rejudgeInStore replays the one event of a store again and again, as a command does beside a daemon, and prints the number of
// each replay once it is stored.
func rejudgeInStore(path string) error {
	s, err := store.Open(context.Background(), store.Config{Path: path, Beside: true})
	if err != nil {
		return err
	}
	a := acceptance(1, time.Now())
	for {
		n, err := s.ReplayEvent(context.Background(), &engine.Rejudging{
			ID: engine.EventID(os.Getenv(eventToReplay)), Event: a.Event, At: time.Now(), Rules: "new.yaml",
			Judge: func(engine.Known) (j engine.Judgement) {
				j.Fired = []engine.RuleName{"told"}
				for range replayedOwes {
					j.Owed = append(j.Owed, engine.Owed{Rule: "told", Action: "ledger", Kind: engine.KindHTTP, Message: []byte(`{}`)})
				}
				return j
			},
		})
		if err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// eventToReplay hands a child the id of the event.
const eventToReplay = "STORE_TEST_EVENT"

func TestAReplayOfAnEventThatIsKilledIsThereOrIsNot(t *testing.T) { // C10, F4
	const kills = 12
	path := filepath.Join(t.TempDir(), "router.db")
	s := open(t, store.Config{Path: path})
	defer shut(t, s)
	a := acceptance(1, time.Now(), "ledger")
	var err error
	if a.Event, err = peanuts.Parse(a.Event.Raw); err != nil { // whole, for the books
		t.Fatal(err)
	}
	if _, err := s.Accept(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	t.Setenv(eventToReplay, string(a.ID))
	acknowledged := 0
	for kill := range kills {
		command := start(t, "rejudge", path)
		for range kill%3 + 1 {
			fmt.Sscan(command.line(t), &acknowledged)
		}
		for _, line := range command.kill(t) {
			fmt.Sscan(line, &acknowledged)
		}
		event, err := s.Event(t.Context(), a.ID)
		if err != nil || len(event.Replays) < acknowledged || len(event.Replays) > acknowledged+1 {
			t.Fatalf("after a kill %d replays are stored, %v; want the %d that were acknowledged, and one more at the most", len(event.Replays), err, acknowledged)
		}
		owed := map[int]int{}
		for i, d := range event.Deliveries {
			owed[d.Replay]++
			if want := engine.NewDeliveryID(a.ID, i+1); d.ID != want {
				t.Fatalf("after a kill delivery %d is %s, want %s", i+1, d.ID, want)
			}
		}
		for _, replay := range event.Replays {
			if owed[replay.N] != replayedOwes {
				t.Fatalf("after a kill replay %d owes %d deliveries, want %d", replay.N, owed[replay.N], replayedOwes)
			}
		}
		if len(owed) != len(event.Replays)+1 || owed[0] != 1 {
			t.Fatalf("after a kill the deliveries are those of %v, for %d replays", owed, len(event.Replays))
		}
	}
	if audit, err := s.Check(t.Context()); err != nil || len(audit.Discrepancies) > 0 {
		t.Errorf("Check() = %+v, %v; want the books to balance", audit.Discrepancies, err)
	}
	intact(t, path)
}
