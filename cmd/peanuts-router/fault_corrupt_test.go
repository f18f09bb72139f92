package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// F12, C17: on a damaged store the router does not start, or ends with 1 at the first event that meets the damage, and says
// what to do. check ends with 1 as well. Nobody answers 200 from what is damaged.
func TestADamagedStoreIsRefusedWithAMessage(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(file []byte) []byte{
		"no header":      func(file []byte) []byte { return append(make([]byte, 100), file[100:]...) },
		"cut in the mid": func(file []byte) []byte { return file[:len(file)/2] },
		"one bit":        func(file []byte) []byte { return bytes.ReplaceAll(file, []byte("ledgerhttp"), []byte("ledgerhttq")) },
		"two pages": func(file []byte) []byte { // with the first of the events
			return append(append(file[:2*4096:2*4096], make([]byte, 2*4096)...), file[4*4096:]...)
		},
		"pages of zeros": func(file []byte) []byte { return append(file[:8*4096:8*4096], make([]byte, len(file)-8*4096)...) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			ledgerRules(t, dir, "http://127.0.0.1:9", "standard", "500")
			sound := startDaemon(t, dir, nil, "--rules", "rules.yaml")
			for n := range 20 {
				sound.post(expense(fmt.Sprint("entry-", n), "501"))
			}
			sound.halt()
			path := filepath.Join(dir, "router.db")
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, path, string(damage(file)))

			check := exec.Command(os.Args[0], "check")
			check.Dir, check.Env = dir, append(os.Environ(), asRouter+"=1", "NO_COLOR=1")
			told, err := check.CombinedOutput()
			if err == nil || check.ProcessState.ExitCode() != 1 || !strings.Contains(strings.ToLower(string(told)), "restore a backup") {
				t.Errorf("check ended with %d and printed\n%s\nwant 1 and what to do", check.ProcessState.ExitCode(), told)
			}
			if strings.Count(string(told), "disk image is malformed (11)\n") > 1 || strings.Contains(string(told), "\n0 events") {
				t.Errorf("check printed\n%s\nwant nothing twice, and no numbers of what could not be counted", told)
			}

			d := launchDaemon(t, dir, nil, []string{os.Args[0]}, "--rules", "rules.yaml")
			if d.started() {
				send := d.sender(10 * time.Second)
				// One bit of a delivery leaves the events whole, which are known until the courier has met it.
				if receipt, err := send(expense("entry-0", "501")); err == nil && !(name == "one bit" && receipt.Duplicate) {
					t.Errorf("an event was answered with %+v", receipt)
				}
			}
			if code := d.exited(); code != 1 || !strings.Contains(d.logged(), "the store is broken") || !strings.Contains(d.logged(), "restore a backup") {
				t.Errorf("the router ended with %d and said\n%s\nwant 1, that the store is broken, and what to do", code, d.logged())
			}
		})
	}
}
