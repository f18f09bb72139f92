package store

import (
	"errors"
	"os"
	"path/filepath"
)

// makeDirectory makes a directory for the owner alone, with those that it lies in. The name of each is flushed: SQLite
// flushes the directory that holds the file, and nobody else the ones above it, so that a power loss might take the
// whole of a new store (F6).
func makeDirectory(path string) error {
	path = filepath.Clean(path)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	above := filepath.Dir(path)
	if err := makeDirectory(above); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return flushDirectory(above)
}

func flushDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
