package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// F8, C17: while the disk is full events are answered with 503, and again with 200 soon after there is room, without a
// restart. All that was answered with 200 is there, and nothing else is.
func TestWhileTheDiskIsFullEventsAreRefusedAndThenTakenAgain(t *testing.T) {
	disk := smallDisk(t, 8<<20)
	ledgerRules(t, disk, "http://127.0.0.1:9", "standard", "500")
	d := startDaemon(t, disk, nil, "--rules", "rules.yaml")
	send, taken, refused := d.sender(20*time.Second), 0, 0
	next := func() error {
		_, err := send(expense(fmt.Sprint("entry-", taken), "100")) // once more, when it was refused
		switch {
		case err == nil:
			taken++
		case refusedWith(err) == http.StatusServiceUnavailable:
			refused++
		default:
			t.Fatalf("with the disk full the router answered %v, want 503; its log:\n%s", err, d.logged())
		}
		return err
	}
	var recovered []time.Duration
	for range sized(3, 20) {
		ballast := fillDisk(t, disk)
		for range 5_000 { // there may be room in the log yet
			if next() != nil {
				break
			}
		}
		for range 20 {
			if next() == nil {
				t.Log("an event found room after another had found none")
			}
		}
		if refused == 0 {
			t.Fatal("the disk was never full")
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		recovered = append(recovered, eventually(t, 5*time.Second, "an event is taken again", func() bool { return next() == nil }))
	}
	s := beside(t, disk)
	if events := countEvents(t, s); events != taken {
		t.Errorf("%d events were answered with 200, and %d are stored", taken, events)
	}
	balanced(t, s)
	t.Logf("%d events taken, %d refused with 503, no false 200; taken again %v after there was room", taken, refused, recovered)
}

// F9, C17: when the disk fills up while deliveries are under way, what came of them cannot be recorded and no more are
// claimed. Once there is room all are recorded: none is lost, and none repeated but what was under way.
func TestWhileTheDiskIsFullNothingIsClaimedAndNothingIsLost(t *testing.T) {
	const deliveries, atOnce = 40, 8
	disk := smallDisk(t, 8<<20)
	var arrived, hold = make(chan struct{}, 1000), make(chan struct{})
	var full atomic.Bool
	var calls, whileFull atomic.Int32
	ledger := startTarget(t, func(int) int {
		calls.Add(1)
		if full.Load() {
			whileFull.Add(1)
		}
		arrived <- struct{}{}
		<-hold
		return 200
	})
	let := sync.OnceFunc(func() { close(hold) })
	t.Cleanup(let)
	patientRules(t, disk, ledger.URL, "standard", "500")
	d := startDaemon(t, disk, nil, "--rules", "rules.yaml")
	for n := range deliveries {
		d.post(expense(fmt.Sprint("entry-", n), "501"))
	}
	<-arrived // the target holds the first, so that the others wait
	ballast := fillDisk(t, disk)
	send := d.sender(20 * time.Second)
	for n := 0; ; n++ { // until there is no room in the log either
		if _, err := send(expense(fmt.Sprint("ballast-", n), "100")); err != nil {
			break
		}
	}
	let()
	d.await("that the courier cannot write either", func(line map[string]any) bool {
		return line["level"] == "ERROR" && line["msg"] != "event not stored"
	})
	full.Store(true)
	s := beside(t, disk)
	for range 100 { // time enough to claim more
		_, _ = send(expense("still-full", "100"))
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	full.Store(false)
	recovery := eventually(t, longEnough, "all are delivered", func() bool { return len(deliveriesIn(t, s, engine.Delivered)) == deliveries })
	if n := whileFull.Load(); n > 4*atOnce {
		t.Errorf("%d deliveries began while nothing could be written, want no more than the %d that a lane may have claimed", n, 4*atOnce)
	}
	if repeats := int(calls.Load()) - deliveries; repeats > atOnce {
		t.Errorf("%d deliveries were repeated, want no more than the %d that were under way", repeats, atOnce)
	}
	balanced(t, s)
	t.Logf("%d deliveries, %d repeated, 0 lost; all recorded %v after there was room", deliveries, int(calls.Load())-deliveries, recovery)
}

// smallDisk is a file system of its own, of a few bytes.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("SKIPPED: a small disk cannot be mounted here, which takes root: %v; see docs/reliability.md", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fillDisk leaves no room on a disk but what a file takes up.
func fillDisk(t *testing.T, disk string) (ballast string) {
	t.Helper()
	ballast = filepath.Join(disk, "ballast")
	file, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for block := make([]byte, 64<<10); len(block) >= 512; {
		if _, err := file.Write(block); err != nil { // whole pages, and then parts of them
			block = block[:len(block)/2]
		}
	}
	return ballast
}
