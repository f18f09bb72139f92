package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
)

// tracing is what the commands have in common that run routers under strace.
type tracing struct {
	events  int
	workers int
	within  string // where the directory of the run is made; empty for where it is best
}

func (t *tracing) register(cmd *cobra.Command) {
	cmd.Flags().IntVar(&t.events, "events", 300, "events that each router gets while it lives")
	cmd.Flags().IntVar(&t.workers, "workers", 2, "how many are judged at once")
	cmd.Flags().StringVar(&t.within, "dir", "", "where all lies meanwhile; /dev/shm when there is one, so that it stays in memory")
}

// check complains of what proves nothing.
func (t *tracing) check() error {
	if t.events < 1 || t.workers < 1 {
		return errors.New("--events and --workers are at least 1")
	}
	return nil
}

// begin makes a directory in the one that was given, or in memory where that can be.
func (t *tracing) begin() (dir string, err error) {
	const shared = "/dev/shm"
	in := t.within
	if info, err := os.Stat(shared); in == "" && err == nil && info.IsDir() {
		in = shared
	}
	return os.MkdirTemp(in, "peanuts-traced-")
}
