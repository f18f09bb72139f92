package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// vitals are what a router says of itself.
type vitals struct {
	Goroutines, Files      int
	Pending, Sending, Dead int // deliveries
}

// names of the metrics that tell them.
var vitalNames = map[string]func(*vitals) *int{
	"go_goroutines":    func(v *vitals) *int { return &v.Goroutines },
	"process_open_fds": func(v *vitals) *int { return &v.Files },
	`peanuts_router_deliveries{state="pending"}`: func(v *vitals) *int { return &v.Pending },
	`peanuts_router_deliveries{state="sending"}`: func(v *vitals) *int { return &v.Sending },
	`peanuts_router_deliveries{state="dead"}`:    func(v *vitals) *int { return &v.Dead },
}

// vitals asks the present life for its metrics.
func (r *router) vitals(ctx context.Context) (v vitals, err error) {
	p := r.present()
	if p == nil {
		return v, fmt.Errorf("there is no router to be asked")
	}
	status, text, err := call(ctx, http.MethodGet, p.admin+"/metrics")
	if err != nil || status != http.StatusOK {
		return v, fmt.Errorf("asking for metrics: status %d, %w", status, err)
	}
	return readVitals(text)
}

func readVitals(text string) (v vitals, err error) {
	found := 0
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		place, wanted := vitalNames[name]
		if !wanted {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return v, fmt.Errorf("reading the metric %s: %w", name, err)
		}
		*place(&v) = int(number)
		found++
	}
	if found != len(vitalNames) {
		return v, fmt.Errorf("the metrics tell %d of the %d things that are asked for", found, len(vitalNames))
	}
	return v, nil
}
