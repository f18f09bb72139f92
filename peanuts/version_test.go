package peanuts

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func versionOf(t testing.TB, event, timestamp, data string, arrived time.Time) string {
	t.Helper()
	e, err := Parse(fmt.Appendf(nil, `{"event":%q,"timestamp":%s,"entry":{"id":"e","data":%s}}`, event, timestamp, data))
	if err != nil {
		t.Fatal(err)
	}
	return e.Version(arrived)
}

// R56, P19: versions order by instant, then created < updated < deleted, then by the body, and are of one length.
func TestVersionsOrderAsText(t *testing.T) {
	arrived := time.Date(2026, 11, 23, 12, 0, 0, 1, time.FixedZone("", 3600))
	ordered := []string{
		versionOf(t, EntryDeleted, `"2026-11-23T09:59:59Z"`, `1`, arrived),
		versionOf(t, EntryCreated, `"2026-11-23T11:00:00+01:00"`, `1`, arrived),
		versionOf(t, EntryUpdated, `"2026-11-23T10:00:00Z"`, `1`, arrived),
		versionOf(t, EntryDeleted, `"2026-11-23T10:00:00.000Z"`, `1`, arrived),
		versionOf(t, EntryCreated, `"2026-11-23T10:00:00.000000001Z"`, `1`, arrived),
		versionOf(t, EntryCreated, `null`, `1`, arrived),
		versionOf(t, EntryUpdated, `"never"`, `1`, arrived),
		versionOf(t, EntryUpdated, `"9999-12-31T23:59:59Z"`, `1`, arrived),
	}
	if !slices.IsSorted(ordered) {
		t.Errorf("not in order:\n%q", ordered)
	}
	for _, version := range ordered {
		if len(version) != len(ordered[0]) {
			t.Errorf("%s is not as long as %s", version, ordered[0])
		}
	}
	if want := "2026-11-23T11:00:00.000000001Z-1-"; ordered[5][:len(want)] != want {
		t.Errorf("without a timestamp the version is %s, want one of the arrival: %s...", ordered[5], want)
	}
}

func TestOnlyTheThreeEventsOfEntriesBringVersions(t *testing.T) {
	for _, name := range []string{"entry.flagged", "entry.created2", "report.done"} {
		if got := versionOf(t, name, `"2026-11-23T10:00:00Z"`, `1`, time.Now()); got != "" {
			t.Errorf("%s brings version %s, want none", name, got)
		}
	}
}

// A year that the zone moves out of what can be written is no instant to order by.
func TestAVersionIsAlwaysOfOneLength(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		year := rapid.SampledFrom([]int{0, 1, 1969, 2026, 9999}).Draw(r, "year")
		zone := rapid.SampledFrom([]string{"Z", "+14:00", "-12:00", "+23:59", "-23:59"}).Draw(r, "zone")
		day := rapid.SampledFrom([]string{"01-01T00:00:00", "12-31T23:59:59.999999999"}).Draw(r, "day")
		text := fmt.Sprintf(`"%04d-%s%s"`, year, day, zone)
		if got := versionOf(t, EntryCreated, text, `1`, time.Unix(1e9, 0)); len(got) != 49 {
			r.Fatalf("%s makes %q of %d bytes", text, got, len(got))
		}
	})
}
