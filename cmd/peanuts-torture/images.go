package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/internal/fault"
	"github.com/peanuts-router/peanuts-router/internal/powerloss"
	"github.com/peanuts-router/peanuts-router/internal/powerloss/traced"
)

// imagesJob is a run of `images`.
type imagesJob struct {
	tracing
	dir    string // of the run
	images int
	seed   uint64
	keep   string // where images that are not sound are left; empty for nowhere
}

func newImages() *cobra.Command {
	var job imagesJob
	cmd := &cobra.Command{
		Use:   "images",
		Short: "Cut the power: judge what a disk may hold at each moment of a router's life",
		Long: "Runs the router under strace, builds images of what may lie on the disk if the power failed, and opens the store of each.\n" +
			"The controls do not flush each commit, or answer before it, and must be seen to lose. See docs/powerloss.md.",
		Example: `  go run ./cmd/peanuts-torture images
  go run ./cmd/peanuts-torture images --images 20000 --seed 17`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return job.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	job.register(cmd)
	cmd.Flags().IntVar(&job.images, "images", 2000, "images that are judged of the router; each control gets a quarter of it more")
	cmd.Flags().Uint64Var(&job.seed, "seed", 0, "which images are chosen and what is random in them; 0 draws one")
	cmd.Flags().StringVar(&job.keep, "keep", "", "a directory that is made, and gets the images that are not sound and the traces")
	return cmd
}

// tracedRouter is a way to run the router that is traced.
type tracedRouter struct {
	name    string
	faulty  bool // the build that breaks where it is told to
	env     []string
	share   float64 // of the images
	again   bool    // it starts on an image of the one before
	control bool    // it must lose
}

const (
	oftenCopied  = "PEANUTS_FAULT_COPY_AFTER=50"
	seldomCopied = "PEANUTS_FAULT_COPY_AFTER=500" // a copy flushes what the control is to lose
	unflushed    = "PEANUTS_FAULT_SYNCHRONOUS=NORMAL"
	answersFirst = "PEANUTS_FAULT_PLANTED=" + string(fault.AckBeforeCommit)
)

// tracedRouters are those that are looked at. All but the first copy their log after each 50 or 500 pages, so that there are
// many copies to be interrupted.
var tracedRouters = []tracedRouter{
	{name: "as it is", share: 0.4},
	{name: "log copied every 50 pages", faulty: true, env: []string{oftenCopied}, share: 0.4},
	{name: "the same, started on an image of it", faulty: true, env: []string{oftenCopied}, share: 0.2, again: true},
	{name: "control: synchronous=NORMAL", faulty: true, env: []string{seldomCopied, unflushed}, share: 0.25, control: true},
	{name: "control: answers before the commit", faulty: true, env: []string{oftenCopied, answersFirst}, share: 0.25, control: true},
}

// judgedRouter is what became of the images of one.
type judgedRouter struct {
	tracedRouter
	powerloss.Result
	from string // where the image is from that it started on; empty for an empty disk
}

func (j *imagesJob) run(ctx context.Context, out io.Writer) error {
	err := errors.Join(j.complete(), traced.Available())
	if err != nil {
		return err
	}
	if j.dir, err = j.begin(); err != nil {
		return err
	}
	defer os.RemoveAll(j.dir)
	fmt.Fprintf(out, "seed %d, %d events each\n", j.seed, j.events)
	began := time.Now()
	var all []judgedRouter
	var sweep powerloss.Sweep
	for n, r := range tracedRouters {
		var judged judgedRouter
		if judged, sweep, err = j.judge(ctx, n, r, sweep); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		all = append(all, judged)
	}
	if err := printImages(out, all); err != nil {
		return err
	}
	fmt.Fprintf(out, "took %s\n", time.Since(began).Round(time.Second))
	return verdictOnImages(out, all)
}

// complete fills in what was not given, and complains of what cannot be.
func (j *imagesJob) complete() error {
	if j.images < 4 {
		return errors.New("--images is at least 4")
	}
	if err := j.check(); err != nil {
		return err
	}
	for j.seed == 0 {
		j.seed = uint64(rand.Uint32())
	}
	if j.keep != "" {
		return os.Mkdir(j.keep, 0o700)
	}
	return nil
}

// judge runs the nth router and judges its images. before is the sweep of the one before it.
func (j *imagesJob) judge(ctx context.Context, n int, r tracedRouter, before powerloss.Sweep) (judged judgedRouter, sweep powerloss.Sweep, err error) {
	judged = judgedRouter{tracedRouter: r}
	dir := filepath.Join(j.dir, strconv.Itoa(n))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return judged, sweep, err
	}
	run := traced.Run{Env: r.env, First: n * j.events, Events: j.events, Dir: dir}
	if r.again {
		if run.From, judged.from, err = before.Pick(ctx); err != nil {
			return judged, sweep, err
		}
	}
	if run.Router, err = buildTraced(ctx, dir, r.faulty); err != nil {
		return judged, sweep, err
	}
	record, err := run.Do(ctx)
	if err != nil {
		return judged, sweep, err
	}
	if r.again {
		maps.Copy(record.Owed, before.Judge.Owed)
	}
	sweep = powerloss.Sweep{
		From: run.From, Operations: record.Operations, Images: int(float64(j.images) * r.share), Seed: j.seed, Workers: j.workers,
		Judge: powerloss.Judge{Store: record.Store, Owed: record.Owed, Dir: dir},
	}
	judged.Result, err = sweep.Run(ctx)
	if err == nil && j.keep != "" && !r.control {
		err = keepFindings(filepath.Join(j.keep, r.name), record, judged.Result)
	}
	return judged, sweep, err
}

// buildTraced builds the router of this tree into dir.
func buildTraced(ctx context.Context, dir string, faulty bool) (binary string, err error) {
	binary = filepath.Join(dir, "peanuts-router")
	args := []string{"build", "-o", binary}
	if faulty {
		args = append(args, "-tags", "faults")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "github.com/peanuts-router/peanuts-router/cmd/peanuts-router")...)
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the router: %w\n%s", err, said)
	}
	return binary, nil
}
