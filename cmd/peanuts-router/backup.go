package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/store"
)

func newBackup(t *terminal) *cobra.Command {
	r := &record{term: t}
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the store into a new file, beside the running daemon",
		Long: "Copies the store as it is at this moment, whether the daemon runs or not, into a new file that only its owner can\n" +
			"read, and checks the copy. A file that is there is never overwritten; a backup that fails leaves none.",
		Example: "  peanuts-router backup router-2026-11-23.db\n  peanuts-router backup /backups/router.db --store /var/lib/peanuts-router/router.db",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return r.backup(cmd.Context(), args[0]) },
	}
	r.register(cmd)
	return cmd
}

// backedUp is what a backup tells of itself as JSON.
type backedUp struct {
	File  string         `json:"file"`
	Bytes int64          `json:"bytes"`
	Holds []store.Looked `json:"holds"`
}

func (r *record) backup(ctx context.Context, file string) error {
	return r.with(ctx, func(s *store.Store) error {
		audit, err := s.Backup(ctx, file)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%w; name a new one", err)
		}
		if err != nil {
			return err
		}
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		made := backedUp{file, info.Size(), audit.Looked}
		if r.term.json {
			return r.term.printJSON(made)
		}
		_, err = fmt.Fprintf(r.term.out, "%s holds %s in %d bytes, and its books balance.\n", file, count(eventsIn(audit), "event", "events"), made.Bytes)
		return err
	})
}

// eventsIn is how many events an audit looked at.
func eventsIn(audit store.Audit) int {
	for _, looked := range audit.Looked {
		if looked.What == "events" {
			return looked.Count
		}
	}
	return 0
}
