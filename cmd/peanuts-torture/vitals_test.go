package main

import "testing"

func TestVitalsAreReadFromMetrics(t *testing.T) {
	const text = "# HELP go_goroutines Number of goroutines.\ngo_goroutines 23\nprocess_open_fds 14\n" +
		"peanuts_router_deliveries{state=\"pending\"} 3\npeanuts_router_deliveries{state=\"sending\"} 2\n"
	if v, err := readVitals(text); err == nil {
		t.Errorf("readVitals without the dead letters = %+v, want an error", v)
	}
	v, err := readVitals(text + "peanuts_router_deliveries{state=\"dead\"} 1e+03\n")
	if want := (vitals{23, 14, 3, 2, 1000}); err != nil || v != want {
		t.Errorf("readVitals = %+v, %v, want %+v", v, err, want)
	}
}
