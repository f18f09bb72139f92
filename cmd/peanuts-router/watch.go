package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settleTime is how long a rules file must lie still before it is read: editors write in several steps.
	settleTime = 250 * time.Millisecond
	// rereadEvery is how often the rules and secret files are read without being told: a net below the watch, and the longest
	// that a file which never lies still is waited for.
	rereadEvery = 30 * time.Second
)

// watchRules calls reread whenever something changes in the directory of the rules, and every now and then anyway,
// until ctx ends. It watches directories, not files: an editor's rename or a swapped link leaves a watch on the
// file itself deaf.
func watchRules(ctx context.Context, path string, log *slog.Logger, reread func()) {
	directory := directoryOf(path)
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		defer watcher.Close()
		err = watcher.Add(directory)
	}
	if err != nil {
		log.Warn("not watching the rules, reading them every 30 s instead", "err", err)
		watcher = &fsnotify.Watcher{}
	}
	settle := time.NewTimer(0) // what changed before the watch began is read at once
	var since time.Time        // of the first change that was not read yet
	net := time.NewTicker(rereadEvery)
	defer net.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event, open := <-watcher.Events:
			if !open || !concerns(path, directory, event.Name) {
				continue
			}
			if since.IsZero() {
				since = time.Now()
			}
			settle.Reset(settleTime)
		case err := <-watcher.Errors:
			log.Warn("watching the rules", "err", err)
			settle.Reset(settleTime)
		case <-settle.C:
			since = time.Time{}
			reread()
		case <-net.C:
			if since.IsZero() || time.Since(since) > rereadEvery { // half of a file that is being written may be a rules file, too
				reread()
			}
		}
	}
}

// concerns tells whether a change of a file in the watched directory may be one of the rules: of the file itself, of a YAML file in the directory of
// the rules, or of the link ..data that a mounted volume is swapped by. Whatever else lies there, such as the store, changes
// without end.
func concerns(path, directory, changed string) bool {
	name := filepath.Base(changed)
	if strings.HasPrefix(name, "..") {
		return true
	}
	if directory == path {
		return filepath.Ext(name) == ".yaml"
	}
	return name == filepath.Base(path)
}

// directoryOf is the directory to watch for a rules file or directory.
func directoryOf(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return path
	}
	return filepath.Dir(path)
}
