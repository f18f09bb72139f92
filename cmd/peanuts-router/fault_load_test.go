package main

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// F40: whatever is sent at once, the shipped router stays within the memory that it is allowed: what there is no room for is
// refused with 503, and what is too large with 413. It neither dies nor forgets how to take an event.
func TestBigBodiesOnManyConnectionsAreRefusedBeforeMemoryRunsOut(t *testing.T) {
	const allowedMiB, connections = 128, 200
	dir := t.TempDir()
	ledgerRules(t, dir, "http://127.0.0.1:9", "standard", "500")
	program, env := allowed(t, allowedMiB<<20)
	d := launchDaemon(t, dir, env, program, "--rules", "rules.yaml")
	d.awaitReady()
	large := func(size int) string {
		body := expense("large", "100")
		return body[:len(body)-1] + `,"padding":"` + strings.Repeat("x", size-len(body)-13) + `"}`
	}
	statuses := map[int]*atomic.Int64{200: {}, 413: {}, 503: {}}
	send := d.sender(30 * time.Second)
	var senders sync.WaitGroup
	for connection := range connections {
		senders.Go(func() {
			for n := range sized(3, 20) {
				size := 1<<20 - 1000 - connection - n // no two alike
				if connection%10 == 0 {
					size = 2 << 20
				}
				_, err := send(large(size))
				status := http.StatusOK
				if err != nil {
					status = refusedWith(err)
				}
				switch count := statuses[status]; {
				case count != nil:
					count.Add(1)
				case status != 0: // whoever is refused may be cut off while he still sends
					t.Errorf("a body of %d bytes was answered with %v", size, err)
				}
			}
		})
	}
	senders.Wait()
	d.post(expense("small", "100"))
	peak := (procStatus(t, d, "VmHWM") - procStatus(t, d, "RssFile")) >> 10 // the program's text can be read anew
	if peak > allowedMiB {
		t.Errorf("the router took %d MiB at the most, want %d", peak, allowedMiB)
	}
	if statuses[200].Load() == 0 || statuses[503].Load() == 0 {
		t.Errorf("%d large bodies were taken and %d refused with 503, want some of both", statuses[200].Load(), statuses[503].Load())
	}
	t.Logf("200: %d, 413: %d, 503: %d; %d MiB of memory at the most", statuses[200].Load(), statuses[413].Load(), statuses[503].Load(), peak)
}

// allowed is the shipped router with so much memory: in a control group where one can be made, and else told so as it would
// have told itself.
func allowed(t *testing.T, bytes int64) (program, env []string) {
	t.Helper()
	group := fmt.Sprintf("/sys/fs/cgroup/memory/peanuts-router-test-%d", os.Getpid())
	err := os.Mkdir(group, 0o700)
	if err == nil {
		t.Cleanup(func() { _ = os.Remove(group) }) // which has no process any more
		err = os.WriteFile(group+"/memory.limit_in_bytes", []byte(strconv.FormatInt(bytes, 10)), 0)
	}
	if err != nil {
		t.Logf("no control group of memory: %v", err)
		return []string{shipped(t)}, []string{fmt.Sprintf("GOMEMLIMIT=%d", ofWhichOurs(bytes))}
	}
	return []string{"/bin/sh", "-c", `echo $$ >"$GROUP/cgroup.procs" && exec "$0" "$@"`, shipped(t)}, []string{"GROUP=" + group}
}

// F41: with 64 file descriptors and 500 clients, those that find none wait or are cut off, and the router lives. Once they
// have gone it takes events again.
func TestOutOfFileDescriptorsTheRouterRecovers(t *testing.T) {
	const descriptors, clients = 64, 500
	dir := t.TempDir()
	ledgerRules(t, dir, "http://127.0.0.1:9", "standard", "500")
	d := launchDaemon(t, dir, nil, []string{"/bin/sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, descriptors), shipped(t)}, "--rules", "rules.yaml")
	d.awaitReady()
	d.post(expense("before", "100"))
	at, err := url.Parse(d.webhook)
	if err != nil {
		t.Fatal(err)
	}
	var idle []net.Conn
	for range clients {
		conn, err := net.DialTimeout("tcp", at.Host, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		idle = append(idle, conn)
	}
	eventually(t, longEnough, "all descriptors are used", func() bool { return openDescriptors(t, d) >= descriptors })
	for _, conn := range idle {
		conn.Close()
	}
	send, n := d.sender(30*time.Second), 0
	recovery := eventually(t, 30*time.Second, "events are taken again", func() bool {
		n++
		_, err := send(expense(fmt.Sprint("after-", n), "100"))
		return err == nil
	})
	d.halt()
	t.Logf("%d clients at %d descriptors: no crash, events taken again after %s", clients, descriptors, recovery)
}

// F50: under a steady load neither goroutines nor descriptors nor memory grow. An hour of it is asked for by its length.
func TestASteadyLoadMakesNothingGrow(t *testing.T) {
	length, err := time.ParseDuration(cmp.Or(os.Getenv("PEANUTS_SOAK"), "5s"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ledger := startTarget(t, always(200))
	go func() { // the calls are of no interest
		for range ledger.calls {
		}
	}()
	ledgerRules(t, dir, ledger.URL, "standard", "50") // so that every event is delivered
	d := launchDaemon(t, dir, nil, []string{shipped(t)}, "--rules", "rules.yaml")
	d.awaitReady()
	answers := loadOn(t, d, 8)
	<-time.After(length / 4) // until caches and pools are as large as they get
	eventually(t, longEnough, "all connections and hands are in use", func() bool { return answers.taken.Load() > 200 })
	early := sample(t, d)
	<-time.After(length * 3 / 4)
	late, events := sample(t, d), answers.taken.Load()
	answers.end()
	// On a busy machine the first quarter of some seconds is too short for caches to fill: in an hour their size is no matter.
	const caches = 64 << 20
	for name, more := range map[string]float64{"go_goroutines": 10, "process_open_fds": 10, "process_resident_memory_bytes": caches} {
		if late[name] > early[name]*1.5+more {
			t.Errorf("%s grew from %.0f to %.0f", name, early[name], late[name])
		}
	}
	if answers.refused.Load() > 0 {
		t.Errorf("%d events were refused", answers.refused.Load())
	}
	t.Logf("%s, %d events: goroutines %.0f to %.0f, descriptors %.0f to %.0f, memory %.0f to %.0f MiB", length, events,
		early["go_goroutines"], late["go_goroutines"], early["process_open_fds"], late["process_open_fds"],
		early["process_resident_memory_bytes"]/(1<<20), late["process_resident_memory_bytes"]/(1<<20))
}

// sample reads what a daemon says of itself.
func sample(t *testing.T, d *daemon) map[string]float64 {
	t.Helper()
	response, err := http.Get(d.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, line := range regexp.MustCompile(`(?m)^(\w+) (\S+)$`).FindAllStringSubmatch(text.String(), -1) {
		if values[line[1]], err = strconv.ParseFloat(line[2], 64); err != nil {
			t.Fatal(err)
		}
	}
	return values
}

// procStatus is what the system says of a daemon's process, in KiB.
func procStatus(t *testing.T, d *daemon, key string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^` + key + `:\s+(\d+) kB$`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("there is no %s in\n%s", key, text)
	}
	n, _ := strconv.Atoi(string(found[1]))
	return n
}

func openDescriptors(t *testing.T, d *daemon) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}
