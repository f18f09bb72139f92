package main

import (
	"testing"
	"time"
)

func TestRetentionIsReadAsPeopleWriteIt(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30d": 720 * time.Hour, "720h": 720 * time.Hour, "1h30m": 90 * time.Minute, "999999999999d": 100_000 * 24 * time.Hour,
		"": 0, "0": 0, "0d": 0, "-1d": 0, "-1h": 0, "d": 0, "30": 0, "1.5d": 0, "for good": 0,
	} {
		var r retention
		if err := r.Set(text); time.Duration(r) != want || (err == nil) != (want > 0) {
			t.Errorf("Set(%q) = %s, %v; want %s", text, time.Duration(r), err, want)
		}
	}
}

func TestRetentionIsPrintedAsItIsRead(t *testing.T) {
	for text, want := range map[string]string{"30d": "30d", "720h": "30d", "90m": "1h30m0s", "forever": "forever"} {
		var r retention
		if err := r.Set(text); err != nil || r.String() != want {
			t.Errorf("Set(%q) prints %s, %v; want %s", text, r.String(), err, want)
		}
	}
}
