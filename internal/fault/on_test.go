//go:build faults

package fault

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func planOf(variables map[string]string) *plan {
	return newPlan(func(name string) string { return variables[name] })
}

func TestAPlanIsReadFromTheEnvironment(t *testing.T) {
	p := planOf(map[string]string{
		plantedVariable: "dedupe-in-memory,key-per-attempt", timesVariable: "lease=2s,sweep=200ms",
		killVariable: "after-commit:3", stallVariable: "before-settle:2:3s",
	})
	if len(p.planted) != 2 || p.planted[1] != string(KeyPerAttempt) {
		t.Errorf("planted are %v, want two", p.planted)
	}
	if p.times[Lease] != 2*time.Second || p.times[Sweep] != 200*time.Millisecond {
		t.Errorf("times are %v, want 2s and 200ms", p.times)
	}
	died, slept := 0, time.Duration(0)
	p.die, p.sleep = func() { died++ }, func(d time.Duration) { slept += d }
	for range 5 {
		p.reach(AfterCommit)
		p.reach(BeforeSettle)
		p.reach(BeforeSend)
	}
	if died != 1 || slept != 6*time.Second {
		t.Errorf("after five visits it died %d times and slept %v, want once and twice 3s", died, slept)
	}
}

// F24: the clock of a run jumps when it was told to, by its wall time alone.
func TestAClockJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		read := planOf(map[string]string{clockVariable: "24h@0s,-25h@2s"}).clock()
		first := read()
		for _, want := range []time.Duration{24 * time.Hour, -time.Hour} {
			now := read()
			if got := now.Round(0).Sub(time.Now().Round(0)); got != want {
				t.Errorf("after %v the clock is ahead by %v, want %v", time.Since(began), got, want)
			}
			if got := now.Sub(first); got != time.Since(began) {
				t.Errorf("two readings are apart by %v, want %v", got, time.Since(began))
			}
			time.Sleep(3 * time.Second)
		}
	})
}

func TestAnEmptyEnvironmentAsksForNothing(t *testing.T) {
	p := planOf(nil)
	p.die, p.sleep = func() { t.Error("it died") }, func(time.Duration) { t.Error("it slept") }
	p.reach(AfterCommit)
	p.reach("")
	if p.clock() != nil {
		t.Error("there is another clock")
	}
	if len(p.times) != 0 {
		t.Errorf("times are %v, want none", p.times)
	}
}

const asVictim = "PEANUTS_FAULT_TEST_VICTIM"

// A process dies at its point as kill -9 ends it: without a last word.
func TestAProcessDiesAtItsPoint(t *testing.T) {
	if os.Getenv(asVictim) != "" {
		Reach(AfterCommit)
		Reach(AfterCommit)
		t.Fatal("it lives")
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestAProcessDiesAtItsPoint$")
	cmd.Env = append(os.Environ(), asVictim+"=1", killVariable+"=after-commit:2")
	said, err := cmd.CombinedOutput()
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || status.Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %v, want SIGKILL; it said %s", err, said)
	}
}
