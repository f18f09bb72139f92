package main

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A router that gets on is waited for, however slow it is; one that does not is given up after a while.
func TestARouterThatGetsOnIsWaitedFor(t *testing.T) {
	for name, c := range map[string]struct {
		each time.Duration // one more delivery is done
		most int           // that get done
		want int           // that are left of ten
	}{"it gets on": {50 * time.Second, 10, 0}, "it is stuck": {50 * time.Second, 7, 3}, "it is too slow": {2 * time.Minute, 10, 10}} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			v, err := settled(t.Context(), time.Minute, func(context.Context) (vitals, error) {
				done := min(c.most, int(time.Since(began)/c.each))
				return vitals{Pending: 10 - done}, nil
			})
			if err != nil || v.Pending != c.want {
				t.Errorf("%s: settled() = %d pending, %v; want %d", name, v.Pending, err, c.want)
			}
		})
	}
}

// A run that cannot be made says where it has left what tells why.
func TestARunThatFailsSaysWhereItsFilesAre(t *testing.T) {
	dir := t.TempDir()
	_, err := torture(t.Context(), settings{}, builds{plain: filepath.Join(dir, "nothing")}, dir)
	if err == nil || !strings.Contains(err.Error(), keptIn+" "+dir) {
		t.Errorf("torture() without a router = %v, want an error that names %s", err, dir)
	}
}

// A router is listened to until its end, also when it says a line without an end: else it would stand still.
func TestALineWithoutEndStopsNobody(t *testing.T) {
	said := strings.NewReader(strings.Repeat("x", 3<<20))
	new(process).listen(said, io.Discard, func() { t.Error("it is ready") })
	if said.Len() > 0 {
		t.Errorf("%d bytes are left unread, want none", said.Len())
	}
}
