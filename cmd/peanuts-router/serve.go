package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/peanuts-router/peanuts-router/actions"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/store"
)

// serveJob is one run of the daemon.
type serveJob struct {
	term       *terminal
	rules      string
	listen     string
	admin      string
	store      string
	secretsDir string
	secret     secretFlags
	unsigned   bool
	sandbox    bool
	retain     retention
}

func newServe(t *terminal) *cobra.Command {
	job := serveJob{term: t}
	cmd := &cobra.Command{
		Use:   "serve --rules FILE|DIR",
		Short: "Run the router: take webhooks, judge them, deliver",
		Long: "Takes signed webhooks, judges them by the rules, and delivers until each notification has arrived or lies in the\n" +
			"dead letters. An edit of the rules is picked up by itself, or at once with SIGHUP; a broken one changes nothing.\n" +
			"SIGTERM ends it within 30 s. Every flag can also be set as PEANUTS_ROUTER_NAME, as in PEANUTS_ROUTER_LISTEN.",
		Example: `  PEANUTS_SECRET=... peanuts-router serve --rules rules.yaml
  peanuts-router serve --rules rules.yaml --secret-file /run/secrets/peanuts --store /var/lib/peanuts-router/router.db
  peanuts-router serve --rules rules.yaml --unsigned --sandbox --listen 127.0.0.1:3000`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return job.run(cmd.Context(), cmd.Flags().Changed("store"))
		},
	}
	job.secret.register(cmd)
	cmd.Flags().StringVar(&job.rules, "rules", "", "rules file, or a directory of them")
	cmd.Flags().StringVar(&job.listen, "listen", ":3000", "where webhooks are taken")
	cmd.Flags().StringVar(&job.admin, "admin", "127.0.0.1:3001", "where health, metrics and reload are; loopback only")
	cmd.Flags().StringVar(&job.store, "store", "router.db", "SQLite file that keeps events and deliveries")
	job.retain = retainByDefault
	cmd.Flags().Var(&job.retain, "retain", "how long events are kept that nothing needs any more, such as 30d or 720h, or forever")
	cmd.Flags().StringVar(&job.secretsDir, "secrets-dir", os.Getenv("CREDENTIALS_DIRECTORY"), "where ${file:NAME} in the rules is read")
	cmd.Flags().BoolVar(&job.unsigned, "unsigned", false, "take events without a signature; only on a loopback address")
	cmd.Flags().BoolVar(&job.sandbox, "sandbox", false, "catch every outgoing message in this process, with a store of its own")
	return cmd
}

func (j *serveJob) run(ctx context.Context, storeGiven bool) error {
	if j.rules == "" {
		return usagef("serve needs --rules FILE|DIR")
	}
	if j.sandbox && storeGiven {
		return usagef("--sandbox has a store of its own; leave --store out")
	}
	tuneMemory()
	log, closeLog := newLogs(j.term.err, slog.LevelInfo)
	defer closeLog()
	config, cleanUp, err := j.config(log)
	defer cleanUp()
	if err != nil {
		return err
	}
	r, err := newRouter(ctx, config)
	if err != nil {
		return j.explain(err)
	}
	stopHangups := onHangup(func() { r.inForce.reload(true) })
	defer stopHangups()
	log.Info("ready", "webhook", "http://"+r.public.Addr().String()+"/webhook", "admin", "http://"+r.admin.Addr().String(),
		"rules", r.inForce.current.Load().Len(), "generation", 1, "store", config.store, "sandbox", j.sandbox)
	err = r.run(ctx)
	if errors.Is(err, store.ErrBroken) {
		err = fmt.Errorf("%w; peanuts-router check --store %s tells whether the file is whole; where it is not, restore a backup", err, config.store)
	}
	if err != nil {
		log.Error("ended", "err", err)
		return err
	}
	log.Info("ended")
	return nil
}

// config reads what the flags name; cleanUp undoes what must not outlive the process.
func (j *serveJob) config(log *slog.Logger) (c routerConfig, cleanUp func(), err error) {
	var undo []func()
	cleanUp = func() {
		for _, step := range undo {
			step()
		}
	}
	c = routerConfig{
		rules: j.rules, store: j.store, retain: j.retain, log: log,
		rulesOptions: rulefile.Options{SecretsDir: j.secretsDir, UnsetIsWarning: j.sandbox},
		actions:      actions.Config{UserAgent: "peanuts-router/" + version},
	}
	if !j.unsigned {
		if c.secrets, err = j.secret.read(); err != nil {
			return c, cleanUp, err
		}
		warnOfShort(c.secrets, log)
	} else {
		log.Warn("events are taken unsigned: whoever reaches the webhook can send what he likes")
	}
	if j.sandbox {
		box, err := newSandbox(j.term)
		if err != nil {
			return c, cleanUp, err
		}
		undo = append(undo, box.close)
		c.actions.Divert, c.store = box.diversion(), filepath.Join(box.dir, "router.db")
	}
	if c.public, err = listen(j.listen, "--listen"); err != nil {
		return c, cleanUp, err
	}
	undo = append(undo, func() { c.public.Close() })
	if c.admin, err = listen(j.admin, "--admin"); err != nil {
		return c, cleanUp, err
	}
	undo = append(undo, func() { c.admin.Close() })
	return c, cleanUp, nil
}

func listen(address, flag string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s: %s is taken by another program", flag, address)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return listener, nil
}

// explain prints the problems of a rules file as validate would.
func (j *serveJob) explain(err error) error {
	var refused *rulesError
	if !errors.As(err, &refused) {
		return err
	}
	if err := refused.report(j.term.err); err != nil {
		return err
	}
	fmt.Fprintf(j.term.err, "\n%s. Nothing was started.\n", refused)
	return toldError{}
}

// onHangup calls reload at each SIGHUP, until it is stopped.
func onHangup(reload func()) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for range hangups {
			reload()
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
	}
}
