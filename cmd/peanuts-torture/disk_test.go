package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A disk has no room when it is full, and has it again at once; what lies on it outlives it (F8).
func TestADiskIsFullWhenItIsToldTo(t *testing.T) {
	if err := tryDisk(); err != nil {
		t.Skipf("SKIPPED: %v, which takes root", err)
	}
	dir := filepath.Join(t.TempDir(), storeFolder)
	d, err := mountDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	file, page := filepath.Join(dir, "file"), make([]byte, 64<<10)
	for round := range 3 {
		if err := os.WriteFile(file, page, 0o600); err != nil {
			t.Fatalf("in round %d there is no room: %v", round, err)
		}
		if err := d.fill(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file+".more", page, 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("on a full disk a write ends with %v, want ENOSPC", err)
		}
		if err := d.free(); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.remove(); err != nil {
		t.Fatal(err)
	}
	if kept, err := os.ReadFile(file); err != nil || !bytes.Equal(kept, page) {
		t.Errorf("once the disk is gone its file has %d bytes, %v; want %d", len(kept), err, len(page))
	}
	if err := os.RemoveAll(dir); err != nil { // a mount point would stay
		t.Error(err)
	}
}
