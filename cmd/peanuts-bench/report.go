package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"text/tabwriter"
	"time"
)

// figure is one measured number.
type figure struct {
	Name     string   `json:"name"`
	What     string   `json:"what"`
	Value    float64  `json:"value"`
	Unit     string   `json:"unit"`
	Baseline string   `json:"baseline,omitempty"` // the figure that it is compared with
	Ratio    *float64 `json:"ratio,omitempty"`    // the value over the baseline's
	ToReach  string   `json:"to_reach,omitempty"` // what the project asks of the ratio, or of the value
}

// count is what went through one router, for whoever wants to add up. A healthy one loses and repeats nothing.
type count struct {
	Run       string `json:"run"`
	Accepted  int    `json:"accepted"`  // answered 200
	Delivered int    `json:"delivered"` // different events at the target
	Repeated  int    `json:"repeated"`  // calls of the target beyond those
	Settled   int    `json:"settled"`   // deliveries that the store has as delivered, of all steps, warm-up included
}

// report is what a run found.
type report struct {
	System   string         `json:"system"`
	CPUs     int            `json:"cpus"`
	Settings map[string]int `json:"settings"`
	Figures  []figure       `json:"figures"`
	Counts   []count        `json:"counts"`
}

func newReport(s settings) report {
	return report{
		System: runtime.GOOS + "/" + runtime.GOARCH + " " + runtime.Version(), CPUs: runtime.NumCPU(),
		Settings: map[string]int{
			"events": s.events, "seconds": s.seconds, "rate": s.rate, "rounds": s.rounds, "backlog": s.pending, "concurrency": s.concurrency, "connections": connections,
		},
	}
}

// add puts a figure to the others, with its ratio where its baseline is among them.
func (r *report) add(f figure) {
	for _, baseline := range r.Figures {
		if baseline.Name == f.Baseline && baseline.Value > 0 {
			ratio := f.Value / baseline.Value
			f.Ratio = &ratio
		}
	}
	r.Figures = append(r.Figures, f)
}

func (r *report) printJSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

func (r *report) printTable(out io.Writer) error {
	fmt.Fprintf(out, "%s, %d processors; %d events a closed load, open loads of %d s at %d events/s, a backlog of %d, %d attempts at once\n\n", r.System, r.CPUs,
		r.Settings["events"], r.Settings["seconds"], r.Settings["rate"], r.Settings["backlog"], r.Settings["concurrency"])
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "figure\tvalue\tunit\tratio\tof\tto reach\twhat it is")
	for _, f := range r.Figures {
		ratio := ""
		if f.Ratio != nil {
			ratio = strconv.FormatFloat(*f.Ratio, 'f', 2, 64)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Name, short(f.Value), f.Unit, ratio, f.Baseline, f.ToReach, f.What)
	}
	return table.Flush()
}

// short is a number with three digits or more, and no more after the point than those.
func short(value float64) string {
	switch {
	case value >= 100:
		return strconv.FormatFloat(value, 'f', 0, 64)
	case value >= 10:
		return strconv.FormatFloat(value, 'f', 1, 64)
	default:
		return strconv.FormatFloat(value, 'f', 2, 64)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func perSecond(n int, took time.Duration) float64 { return float64(n) / took.Seconds() }

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }
