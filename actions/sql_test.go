package actions

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/peanuts-router/peanuts-router/engine"
)

// R51-R57, C16, P17, P19: what each message makes of the row of an entry, whatever came before it.
func TestRowsFollowEntries(t *testing.T) {
	const id, marked = `"e1"`, "2026-11-23T14:00:00Z"
	row := func(version, amount, synced string) string {
		return upsert(version, "external_id", id, "source", `"peanuts"`, "amount", amount, "~synced_at", `"`+synced+`"`)
	}
	living := func(version, amount, synced string) string {
		return upsert(version, "external_id", id, "amount", amount, "deleted_at", "null", "~synced_at", `"`+synced+`"`)
	}
	const day1, day2 = "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"
	cases := []struct {
		name  string
		steps []string // messages and the status of each
		want  string   // amount, synced_at, deleted_at, updated_at
	}{
		{"insert", []string{row("v1", "5", day1), "upserted"}, "5|D1|null|v1"},
		{"update", []string{row("v1", "5", day1), "upserted", row("v2", "6", day2), "upserted"}, "6|D2|null|v2"},
		{"an older version changes nothing", []string{row("v2", "6", day1), "upserted", row("v1", "5", day2), "unchanged"}, "6|D1|null|v2"},
		{"a replay changes nothing", []string{row("v1", "5", day1), "upserted", row("v1", "5", day2), "unchanged"}, "5|D1|null|v1"},
		{"a replay in another moment changes nothing", []string{row("v1", "5", day1), "upserted", row("v1", "7", day2), "unchanged"}, "5|D1|null|v1"},
		{"what differs each time stays when nothing else changes", []string{row("v1", "5", day1), "upserted", row("v2", "5", day2), "upserted"}, "5|D1|null|v2"},
		{"null is a change", []string{row("v1", "5", day1), "upserted", row("v2", "null", day2), "upserted"}, "null|D2|null|v2"},
		{"from null is a change", []string{row("v1", "null", day1), "upserted", row("v2", "5", day2), "upserted"}, "5|D2|null|v2"},
		{"versions are compared as bytes", []string{row("a", "5", day1), "upserted", row("B", "6", day2), "unchanged"}, "5|D1|null|a"},
		{"delete", []string{row("v1", "5", day1), "upserted", removal("v2", id, ""), "removed"}, ""},
		{"delete again", []string{row("v1", "5", day1), "upserted", removal("v2", id, ""), "removed", removal("v2", id, ""), "unchanged"}, ""},
		{"an older delete changes nothing", []string{row("v2", "5", day1), "upserted", removal("v1", id, ""), "unchanged"}, "5|D1|null|v2"},
		{"nothing to delete", []string{removal("v1", id, ""), "unchanged"}, ""},
		{"mark", []string{row("v1", "5", day1), "upserted", removal("v2", id, "deleted_at"), "marked"}, "5|D1|MARK|v2"},
		{"mark again", []string{row("v1", "5", day1), "upserted", removal("v2", id, "deleted_at"), "marked", removal("v2", id, "deleted_at"), "unchanged"}, "5|D1|MARK|v2"},
		{"an older mark changes nothing", []string{row("v2", "5", day1), "upserted", removal("v1", id, "deleted_at"), "unchanged"}, "5|D1|null|v2"},
		{"nothing to mark", []string{removal("v1", id, "deleted_at"), "unchanged"}, ""},
		{"an older version does not revive", []string{living("v1", "5", day1), "upserted", removal("v3", id, "deleted_at"), "marked", living("v2", "6", day2), "unchanged"}, "5|D1|MARK|v3"},
		{"a newer version revives", []string{living("v1", "5", day1), "upserted", removal("v2", id, "deleted_at"), "marked", living("v3", "5", day2), "upserted"}, "5|D2|null|v3"},
		{"only the key", []string{upsert("v1", "external_id", id), "upserted", upsert("v2", "external_id", id), "upserted"}, "null|null|null|v2"},
	}
	onBeds(t, func(t *testing.T, b bed) {
		sender := b.sender(t)
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				b.exec(t, "DELETE FROM expenses")
				b.exec(t, `INSERT INTO expenses (external_id, amount, updated_at) VALUES ('another', 1, 'a0')`)
				for i := 0; i < len(c.steps); i += 2 {
					got := attempt(sender, c.steps[i])
					if got.Verdict != engine.VerdictDelivered || got.Status != c.steps[i+1] || got.Reason != "" || got.Answer != "" {
						t.Fatalf("step %d: outcome %+v, want %s", i/2+1, got, c.steps[i+1])
					}
				}
				got := b.query(t, `SELECT amount, synced_at, deleted_at, updated_at FROM expenses WHERE external_id = 'e1'`)
				got = strings.NewReplacer(day1, "D1", day2, "D2", marked, "MARK", "2026-11-01 00:00:00+00", "D1",
					"2026-11-02 00:00:00+00", "D2", "2026-11-23 14:00:00+00", "MARK").Replace(got)
				if got != c.want {
					t.Errorf("the row is %q, want %q", got, c.want)
				}
				if got := b.query(t, `SELECT external_id, amount, updated_at FROM expenses WHERE external_id <> 'e1'`); got != "another|1|a0" {
					t.Errorf("another row became %q", got)
				}
			})
		}
	})
}

// A row that people made before the router came, without a version, is taken over.
func TestARowWithoutAVersionIsTakenOver(t *testing.T) {
	onBeds(t, func(t *testing.T, b bed) {
		b.exec(t, `INSERT INTO expenses (external_id, note, must) VALUES ('e1', 'by hand', 'kept')`)
		if got := attempt(b.sender(t), upsert("v1", "external_id", `"e1"`, "note", `"ours"`)); got.Status != "upserted" {
			t.Fatalf("outcome %+v", got)
		}
		if got := b.query(t, `SELECT note, must, updated_at FROM expenses`); got != "ours|kept|v1" {
			t.Errorf("the row is %q: columns that are not written stay", got)
		}
	})
}

// C16, P19: whatever the order in which five versions of an entry arrive, each twice, the newest stays.
func TestAnyOrderEndsTheSame(t *testing.T) {
	t.Parallel()
	onBeds(t, func(t *testing.T, b bed) {
		sender := b.sender(t)
		var all sync.WaitGroup
		for n, order := range permutations([]int{1, 2, 3, 4, 5}) {
			all.Go(func() {
				key := fmt.Sprintf(`"e%d"`, n)
				for _, version := range slices.Concat(order, order) {
					v := fmt.Sprintf("2026-11-0%d", version)
					message := upsert(v, "external_id", key, "amount", fmt.Sprint(version), "deleted_at", "null", "~synced_at", `"`+v+`T00:00:00Z"`)
					if version == 3 {
						message = removal(v, key, "deleted_at")
					}
					if got := attempt(sender, message); got.Verdict != engine.VerdictDelivered {
						t.Errorf("order %v, version %d: %+v", order, version, got)
					}
				}
			})
			if n%8 == 7 { // entries side by side, so that they share a flush
				all.Wait()
			}
		}
		all.Wait()
		if got := b.query(t, `SELECT count(*), min(amount), max(amount), min(updated_at), max(updated_at), count(deleted_at) FROM expenses`); got != "120|5|5|2026-11-05|2026-11-05|0" {
			t.Errorf("the rows are %s", got)
		}
	})
}

func permutations(of []int) [][]int {
	if len(of) == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for i := range of {
		rest := slices.Delete(slices.Clone(of), i, i+1)
		for _, tail := range permutations(rest) {
			all = append(all, append([]int{of[i]}, tail...))
		}
	}
	return all
}

// C16: attempts at one time, in any interleaving, end as the newest version says.
func TestAttemptsAtOneTime(t *testing.T) {
	onBeds(t, func(t *testing.T, b bed) {
		sender := b.sender(t)
		var all sync.WaitGroup
		for n := range 40 {
			all.Go(func() {
				version := fmt.Sprintf("v%02d", n*17%40)
				if got := attempt(sender, upsert(version, "external_id", `"e1"`, "note", `"`+version+`"`)); got.Verdict != engine.VerdictDelivered {
					t.Errorf("version %s: %+v", version, got)
				}
			})
		}
		all.Wait()
		if got := b.query(t, `SELECT note, updated_at FROM expenses`); got != "v39|v39" {
			t.Errorf("the row is %q", got)
		}
	})
}
