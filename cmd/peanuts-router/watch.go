package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settleTime is how long a rules file must lie still before it is read: editors write in several steps.
	settleTime = 250 * time.Millisecond
	// rereadEvery is how often the rules and secret files are read without being told: a net below the watch.
	rereadEvery = 30 * time.Second
)

// watchRules calls reread whenever something changes in the directory of the rules, and every now and then anyway,
// until ctx ends. It watches directories, not files: an editor's rename or a swapped link leaves a watch on the
// file itself deaf.
func watchRules(ctx context.Context, path string, log *slog.Logger, reread func()) {
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		defer watcher.Close()
		err = watcher.Add(directoryOf(path))
	}
	if err != nil {
		log.Warn("not watching the rules, reading them every 30 s instead", "err", err)
		watcher = &fsnotify.Watcher{}
	}
	settle := time.NewTimer(time.Hour)
	settle.Stop()
	net := time.NewTicker(rereadEvery)
	defer net.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case _, open := <-watcher.Events:
			if open {
				settle.Reset(settleTime)
			}
		case err := <-watcher.Errors:
			log.Warn("watching the rules", "err", err)
			settle.Reset(settleTime)
		case <-settle.C:
			reread()
		case <-net.C:
			reread()
		}
	}
}

// directoryOf is the directory to watch for a rules file or directory.
func directoryOf(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return path
	}
	return filepath.Dir(path)
}
