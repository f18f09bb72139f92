package main

import (
	"testing"
	"time"
)

// A day of a length is 24 hours where something lasts, and a day of the calendar where it is looked back.
func TestALengthOfDaysLooksBackByTheCalendar(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 10, 25, 12, 0, 0, 0, zone) // the clocks went back that night
	for text, want := range map[string]struct{ lasts, back time.Duration }{
		"1d": {24 * time.Hour, 25 * time.Hour}, "24h": {24 * time.Hour, 24 * time.Hour}, "0d": {0, 0}, "90m": {90 * time.Minute, 90 * time.Minute},
	} {
		read, ok := readLength(text)
		if back := noon.Sub(read.before(noon)); !ok || read.duration() != want.lasts || back != want.back {
			t.Errorf("readLength(%q) = %v, %t: it lasts %v and looks back by %v; want %v and %v", text, read, ok, read.duration(), back, want.lasts, want.back)
		}
	}
}
