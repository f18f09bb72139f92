//go:build faults

package fault

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/peanuts-router/peanuts-router/internal/clock/clocktest"
)

// The variables of the environment.
const (
	killVariable    = "PEANUTS_FAULT_KILL"
	stallVariable   = "PEANUTS_FAULT_STALL"
	plantedVariable = "PEANUTS_FAULT_PLANTED"
	timesVariable   = "PEANUTS_FAULT_TIMES"
	clockVariable   = "PEANUTS_FAULT_CLOCK"
)

// Planted tells whether a bug is planted.
func Planted(bug Bug) bool { return slices.Contains(orders().planted, string(bug)) }

// Reach is called at a point. The process may end there, and the goroutine sleep.
func Reach(at Point) { orders().reach(at) }

// Span is a time as it is in this run.
func Span(name Time, written time.Duration) time.Duration {
	if other, ok := orders().times[name]; ok {
		return other
	}
	return written
}

// Clock reads the machine's clock; nil stands for time.Now. From now on it jumps as it was told to.
func Clock() func() time.Time { return orders().clock() }

// plan is what the environment asks for.
type plan struct {
	planted     []string
	jumps       []jump
	times       map[Time]time.Duration
	kill, stall visit
	pause       time.Duration
	die         func()
	sleep       func(time.Duration)
}

// visit is a point with how often it was reached.
type visit struct {
	at      Point
	nth     int64
	reached atomic.Int64
}

// orders are read once: nothing changes them while the process lives.
var orders = sync.OnceValue(func() *plan { return newPlan(os.Getenv) })

func newPlan(variable func(string) string) *plan {
	p := &plan{times: map[Time]time.Duration{}, die: die, sleep: time.Sleep}
	p.planted = strings.Split(variable(plantedVariable), ",")
	for _, one := range strings.Split(variable(timesVariable), ",") {
		name, text, _ := strings.Cut(one, "=")
		if length, err := time.ParseDuration(text); err == nil {
			p.times[Time(name)] = length
		}
	}
	for _, one := range strings.Split(variable(clockVariable), ",") {
		by, after, _ := strings.Cut(one, "@")
		j := jump{}
		var err, late error
		j.by, err = time.ParseDuration(by)
		j.after, late = time.ParseDuration(after)
		if err == nil && late == nil {
			p.jumps = append(p.jumps, j)
		}
	}
	p.kill.read(variable(killVariable))
	point, pause, _ := cutLast(variable(stallVariable))
	p.pause, _ = time.ParseDuration(pause) // none is no stall
	p.stall.read(point)
	return p
}

// read takes a point and a number apart, as in after-commit:3.
func (v *visit) read(text string) {
	point, number, _ := cutLast(text)
	v.at = Point(point)
	v.nth, _ = strconv.ParseInt(number, 10, 64) // 0 is never reached
}

func cutLast(text string) (before, after string, found bool) {
	cut := strings.LastIndexByte(text, ':')
	if cut < 0 {
		return text, "", false
	}
	return text[:cut], text[cut+1:], true
}

func (p *plan) reach(at Point) {
	if at == p.kill.at && p.kill.reached.Add(1) == p.kill.nth {
		p.die()
	}
	if at == p.stall.at && p.stall.nth > 0 && p.stall.reached.Add(1)%p.stall.nth == 0 {
		p.sleep(p.pause)
	}
}

// jump is one of the machine's clock.
type jump struct{ by, after time.Duration }

// clock begins a clock that jumps; nil where none is asked for.
func (p *plan) clock() func() time.Time {
	if len(p.jumps) == 0 {
		return nil
	}
	machine := clocktest.New()
	for _, one := range p.jumps {
		if one.after == 0 {
			machine.Jump(one.by)
			continue
		}
		time.AfterFunc(one.after, func() { machine.Jump(one.by) })
	}
	return machine.Now
}

// die ends the process as kill -9 does. Nothing is done after it: the goroutine waits for the end.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
