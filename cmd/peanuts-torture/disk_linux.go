package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// disk is a file system of its own, in memory, on which a store lies. It is full when it is told to be.
type disk struct{ dir string }

// roomy is how many bytes a disk has when it is not full.
const roomy = 4 << 30

// mountDisk makes a disk, which takes root.
func mountDisk(dir string) (*disk, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", roomy)); err != nil {
		return nil, fmt.Errorf("mounting a disk of its own: %w", err)
	}
	return &disk{dir}, nil
}

// fill leaves no room but what is taken: every write that needs more fails with ENOSPC.
func (d *disk) fill() (err error) {
	for range 100 { // meanwhile more may be taken, and no disk becomes smaller than what lies on it
		var now syscall.Statfs_t
		if err = syscall.Statfs(d.dir, &now); err != nil {
			return err
		}
		if err = d.resize(int64(now.Blocks-now.Bfree) * now.Bsize); err == nil {
			return nil
		}
	}
	return fmt.Errorf("filling the disk: %w", err)
}

// free makes room.
func (d *disk) free() error { return d.resize(roomy) }

func (d *disk) resize(bytes int64) error {
	return syscall.Mount("tmpfs", d.dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", bytes))
}

// remove unmounts the disk. Its files stay where they were.
func (d *disk) remove() error {
	kept := filepath.Clean(d.dir) + ".kept"
	if err := os.CopyFS(kept, os.DirFS(d.dir)); err != nil {
		return err
	}
	if err := syscall.Unmount(d.dir, syscall.MNT_DETACH); err != nil {
		return err
	}
	if err := os.Remove(d.dir); err != nil {
		return err
	}
	return os.Rename(kept, d.dir)
}
