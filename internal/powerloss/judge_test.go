package powerloss

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
	"github.com/peanuts-router/peanuts-router/store"
)

// stored are the ids of the events of a store: the first is delivered, the second dead, the third pending.
var stored = []string{
	"01a2181d-0000-7000-8000-000000000001",
	"01a2181d-0000-7000-8000-000000000002",
	"01a2181d-0000-7000-8000-000000000003",
}

const storeFile = "state/router.db"

// sound is an image with a store, and all that was promised of it.
func sound(t *testing.T) (Image, Promised) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "router.db")
	s, err := store.Open(t.Context(), store.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	states := []engine.State{engine.Delivered, engine.Dead}
	for n, id := range stored {
		receipt, err := s.Accept(t.Context(), acceptance(t, n, id))
		if err != nil {
			t.Fatal(err)
		}
		if n >= len(states) {
			continue
		}
		settlement := engine.Settlement{
			ID: receipt.Leases[0].ID, Generation: receipt.Leases[0].Generation, State: states[n], Reason: "410 Gone",
			Attempt: &engine.Attempt{At: time.Now(), Status: "410 Gone", Error: "410 Gone"},
		}
		if _, err := s.Settle(t.Context(), settlement); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return Image{Directories: []string{"state"}, Files: map[string][]byte{storeFile: content}}, Promised{
		Acknowledged: stored,
		Settled:      []Operation{{Kind: Delivered, ID: stored[0] + "-1"}, {Kind: Dead, ID: stored[1] + "-1"}},
		Sent:         []string{stored[0] + "-1", stored[1] + "-1"},
	}
}

// acceptance is the nth event, which owes one delivery.
func acceptance(t *testing.T, n int, id string) *engine.Acceptance {
	t.Helper()
	body := fmt.Sprintf(`{"event":"entry.created","timestamp":"2026-11-23T12:00:00Z","helper":{"id":"h1","name":"Expenses","command":"/expenses"},`+
		`"entry":{"id":"entry-%d","created_at":"2026-11-23T12:00:00Z","data":{}},"user":{"id":"u1"}}`, n)
	event, err := peanuts.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	return &engine.Acceptance{
		ID: engine.EventID(id), ReceivedAt: now, LeaseUntil: now.Add(time.Minute),
		Event: event,
		Judge: func(engine.Known) engine.Judgement {
			return engine.Judgement{Generation: 1, Fired: []engine.RuleName{"every"}, Owed: []engine.Owed{
				{Rule: "every", Action: "target", Kind: engine.KindHTTP, Message: json.RawMessage(`{}`), Leased: true},
			}}
		},
	}
}

func judge(t *testing.T) Judge {
	return Judge{Store: storeFile, Dir: t.TempDir(), Owed: map[string]int{"entry-0": 1, "entry-1": 1, "entry-2": 1}}
}

func TestAJudgeSeesWhatIsWrong(t *testing.T) { // C1, C10, F6, I5
	for _, c := range []struct {
		what          string
		change        func(*Judge, *Image, *Promised)
		lost, corrupt string
	}{
		{"a store that kept all", func(*Judge, *Image, *Promised) {}, "", ""},
		{"a disk with nothing on it before anything was promised", func(_ *Judge, i *Image, p *Promised) { *i, *p = Image{}, Promised{} }, "", ""},
		{"a disk with nothing on it", func(_ *Judge, i *Image, p *Promised) { *i = Image{} }, stored[0], ""},
		{"an event that was acknowledged and is not there", func(_ *Judge, _ *Image, p *Promised) {
			p.Acknowledged = append(p.Acknowledged, "01a2181d-0000-7000-8000-000000000004")
		}, "000000000004 was acknowledged", ""},
		{"a delivery that was told to be delivered and is not", func(_ *Judge, _ *Image, p *Promised) {
			p.Settled = append(p.Settled, Operation{Kind: Delivered, ID: stored[2] + "-1"})
		}, `told to be delivered and is "pending"`, ""},
		{"a dead letter that is something else", func(_ *Judge, _ *Image, p *Promised) { p.Settled[0].Kind = Dead }, `told to be dead and is "delivered"`, ""},
		{"a delivery that never went out", func(_ *Judge, _ *Image, p *Promised) { p.Sent = p.Sent[1:] }, "", "never went out"},
		{"an event that nobody sent", func(j *Judge, _ *Image, _ *Promised) { delete(j.Owed, "entry-2") }, "", "sent by nobody"},
		{"an event without all that follows from it", func(j *Judge, _ *Image, _ *Promised) { j.Owed["entry-2"] = 2 }, "", "has 1 deliveries and owes 2"},
		{"an event whose bytes are others", func(_ *Judge, i *Image, _ *Promised) {
			i.Files[storeFile] = bytes.Replace(i.Files[storeFile], []byte(`"user":{"id":"u1"}`), []byte(`"user":{"id":"u2"}`), 1)
		}, "", "not so 1 times"},
		{"a page that is torn", func(_ *Judge, i *Image, _ *Promised) { clear(i.Files[storeFile][3*4096 : 4*4096]) }, "", "not so"},
		{"a file that is no store", func(_ *Judge, i *Image, _ *Promised) { clear(i.Files[storeFile][:512]) }, "", "opening the store"},
	} {
		j := judge(t)
		image, promised := sound(t)
		c.change(&j, &image, &promised)
		verdict, err := j.Judge(t.Context(), image, promised)
		if err != nil {
			t.Errorf("%s: Judge() = %v", c.what, err)
		}
		lost, corrupt := strings.Join(verdict.Lost, "\n"), strings.Join(verdict.Corrupt, "\n")
		if (c.lost == "") != (lost == "") || !strings.Contains(lost, c.lost) {
			t.Errorf("%s: lost %q, want %q in it", c.what, lost, c.lost)
		}
		if c.lost == "" && ((c.corrupt == "") != (corrupt == "") || !strings.Contains(corrupt, c.corrupt)) {
			t.Errorf("%s: corrupt %q, want %q in it", c.what, corrupt, c.corrupt)
		}
		if verdict.sound() != (c.lost+c.corrupt == "") {
			t.Errorf("%s: sound() = %t", c.what, verdict.sound())
		}
		if left, _ := os.ReadDir(j.Dir); len(left) > 0 {
			t.Errorf("%s: the judge left %v", c.what, left)
		}
	}
}

// What the router raises itself was sent by nobody, and owes what its rules say; C9 and I2 are about what came from outside.
func TestAJudgeKnowsTheRoutersOwnEvents(t *testing.T) {
	j := judge(t)
	if wrong := j.complete(engine.EventRecord{ID: "own", Own: true}); len(wrong) > 0 {
		t.Errorf("one of the router's own events: %q, want no complaint", wrong)
	}
	if wrong := j.complete(engine.EventRecord{ID: "other"}); len(wrong) == 0 {
		t.Error("an event that nobody sent: no complaint")
	}
}
