package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// shown is how many breaches of an invariant are printed.
const shown = 5

// print prints a run as two tables of Markdown: its figures, and its invariants.
func (e *evidence) print(out io.Writer, s settings, breaches []breach) error {
	var text strings.Builder
	fmt.Fprintf(&text, "\n| figure | value |\n|---|---|\n| seed | %d |\n", s.seed)
	for _, row := range e.figures() {
		fmt.Fprintf(&text, "| %s | %s |\n", row[0], row[1])
	}
	text.WriteString("\n| invariant | breaches |\n|---|---|\n")
	for _, one := range invariants {
		n := 0
		for _, b := range breaches {
			if b.Invariant == one.name {
				n++
			}
		}
		fmt.Fprintf(&text, "| %s %s | %d |\n", one.name, one.says, n)
	}
	tell(&text, breaches)
	_, err := io.WriteString(out, text.String())
	return err
}

// tell prints the first breaches of each invariant.
func tell(out io.Writer, breaches []breach) {
	told := map[string]int{}
	for _, b := range breaches {
		if told[b.Invariant]++; told[b.Invariant] <= shown {
			fmt.Fprintf(out, "\n%s: %s\n", b.Invariant, b.What)
		}
	}
}

// figures are what a run came to.
func (e *evidence) figures() [][2]string {
	rows := e.blowFigures()
	for _, more := range [][][2]string{e.eventFigures(), e.deliveryFigures(), e.lifeFigures()} {
		rows = append(rows, more...)
	}
	return rows
}

func figure(name string, value any) [2]string { return [2]string{name, fmt.Sprint(value)} }

// blowFigures count what was done to the router, by kind.
func (e *evidence) blowFigures() [][2]string {
	kinds, points, kills := map[string]int{}, map[string]int{}, 0
	for _, b := range e.blows {
		kinds[b.Kind]++
		if b.Kills {
			kills++
		}
		if b.Point != "" {
			points[string(b.Point)]++
		}
	}
	if e.beside != nil {
		for point, n := range e.beside.deaths {
			points[string(point)], kills = n, kills+n
			kinds[kindPoint] += n
		}
	}
	rows := [][2]string{figure("kills", kills)}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		rows = append(rows, figure("of blows: "+kind, kinds[kind]))
	}
	var at []string
	for _, point := range slices.Sorted(maps.Keys(points)) {
		at = append(at, fmt.Sprintf("%s %d", point, points[point]))
	}
	return append(rows, figure("points at which it died", strings.Join(at, ", ")), figure("connections that met bad weather", e.weatherFigure()))
}

// weatherFigure counts what the weather did to connections, by kind.
func (e *evidence) weatherFigure() string {
	kinds := map[string]int{}
	for _, d := range e.weather {
		kinds[d.Kind]++
	}
	var counts []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		counts = append(counts, fmt.Sprintf("%s %d", kind, kinds[kind]))
	}
	return strings.Join(counts, ", ")
}

// eventFigures count what was sent.
func (e *evidence) eventFigures() [][2]string {
	accepted, doubt, tries, duplicates := 0, 0, 0, 0
	for _, s := range e.sent {
		_, ok := s.accepted()
		switch {
		case ok:
			accepted++
		case s.mayBeStored():
			doubt++
		}
		tries += len(s.Tries)
		for _, t := range s.Tries {
			if t.Duplicate {
				duplicates++
			}
		}
	}
	return [][2]string{
		figure("events sent", len(e.sent)), figure("tries to send them", tries), figure("events accepted", accepted),
		figure("events in doubt", doubt), figure("duplicates told", duplicates), figure("events refused while the disk was full", e.refusedWhileFull()),
		figure("events stored", len(e.stored)),
		figure("events accepted and lost", len(e.loss())),
	}
}

// deliveryFigures count what came of what was owed.
func (e *evidence) deliveryFigures() [][2]string {
	states, innocent, worn := map[engine.State]int{}, 0, 0
	for _, one := range e.stored {
		for i := range one.Deliveries {
			states[one.Deliveries[i].State]++
			if one.Deliveries[i].tookDown() {
				innocent++
			}
			if one.Sent != nil && one.Sent.Plan.attempts() == 0 && e.wornOut(&one.Deliveries[i], one.Sent.Plan) {
				worn++
			}
		}
	}
	repeats := 0
	for _, receipts := range e.byStep() {
		n, _ := e.repeated(receipts)
		repeats += n
	}
	return [][2]string{
		figure("deliveries delivered", states[engine.Delivered]), figure("dead letters", states[engine.Dead]),
		figure("of them given up after three crashes in a row", innocent),
		figure("of them worn out by bad weather", worn), figure("cancelled", states[engine.Cancelled]),
		figure("messages that arrived", len(e.receipts)), figure("repeats", repeats),
	}
}

// lifeFigures tell how soon the router was back.
func (e *evidence) lifeFigures() [][2]string {
	var ready, first []time.Duration
	for _, l := range e.lives {
		if l.Ready > 0 {
			ready = append(ready, l.Ready-l.Began)
		}
		if l.First > 0 {
			first = append(first, l.First-l.Began)
		}
	}
	return [][2]string{
		figure("lives of the router", len(e.lives)), figure("start to ready, p50 and longest", spread(ready)),
		figure("start to first send, p50 and longest", spread(first)),
		figure(fmt.Sprintf("a backlog of %d, sent a second", len(e.drained.Events)), fmt.Sprintf("%.0f", e.drainRate())),
	}
}

// spread is the median and the longest of some times.
func spread(times []time.Duration) string {
	if len(times) == 0 {
		return "none"
	}
	slices.Sort(times)
	return fmt.Sprintf("%s, %s", times[len(times)/2].Round(time.Millisecond), times[len(times)-1].Round(time.Millisecond))
}
