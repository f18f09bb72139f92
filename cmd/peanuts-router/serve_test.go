package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// R21, R22, C2, C3: the secrets come from the environment or from a file, several while they are rotated; none, or an empty one,
// is an error that tells no secret.
func TestSecretsComeFromTheEnvironmentOrAFile(t *testing.T) {
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "secrets")
		writeFile(t, path, text)
		return path
	}
	for name, c := range map[string]struct {
		env  map[string]string
		file string
		want []string
		err  string
	}{
		"the environment":         {env: map[string]string{envSecret: "current"}, want: []string{"current"}},
		"while rotating":          {env: map[string]string{envSecret: "current", envSecretPrevious: "previous"}, want: []string{"current", "previous"}},
		"a file":                  {file: file("current\n"), want: []string{"current"}},
		"a file, while rotating":  {file: file("current\r\n\nprevious"), want: []string{"current", "previous"}},
		"a file stands above":     {env: map[string]string{envSecret: "other"}, file: file("current\n"), want: []string{"current"}},
		"blanks are the secret's": {file: file(" current \n"), want: []string{" current "}},
		"nothing":                 {err: "no secret: set PEANUTS_SECRET"},
		"empty":                   {env: map[string]string{envSecret: " "}, err: "PEANUTS_SECRET is set but empty"},
		"an empty second one":     {env: map[string]string{envSecret: "current", envSecretPrevious: ""}, err: "PEANUTS_SECRET_PREVIOUS is set but empty"},
		"an empty file":           {file: file("\n \n"), err: "holds none"},
		"no such file":            {file: file("") + ".not", err: "reading the secrets"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variable := range []string{envSecret, envSecretPrevious} {
				t.Setenv(variable, "") // so that it is restored
				os.Unsetenv(variable)
				if value, set := c.env[variable]; set {
					t.Setenv(variable, value)
				}
			}
			got, err := (&secretFlags{file: c.file}).read()
			if !slices.Equal(got, c.want) && c.err == "" || (err == nil) != (c.err == "") {
				t.Errorf("read() = %q, %v; want %q, %q", got, err, c.want, c.err)
			}
			if err != nil && (!strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "current")) {
				t.Errorf("read() = %v, want %q and no secret", err, c.err)
			}
		})
	}
}

// R103: a tunnel leads to port 3000 unless a flag says otherwise; the page on running tells how.
func TestWebhooksAreTakenOnPort3000UnlessToldOtherwise(t *testing.T) {
	if got := newServe(&terminal{}).Flag("listen").DefValue; got != ":3000" {
		t.Errorf("--listen is %s by default, want :3000", got)
	}
	page, err := os.ReadFile("../../docs/running.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "ngrok http 3000") {
		t.Error("docs/running.md does not tell how a tunnel leads to the daemon")
	}
}

// R101, C22: SIGHUP reads the rules anew. The file that changes lies in a directory that nobody watches.
func TestSIGHUPReadsTheRulesAnew(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	ledger := startTarget(t, always(200))
	ledgerRules(t, elsewhere, ledger.URL, "peanuts", "500")
	if err := os.Symlink(filepath.Join(elsewhere, "rules.yaml"), filepath.Join(dir, "rules.yaml")); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml", "--store", filepath.Join(elsewhere, "router.db"))
	ledgerRules(t, elsewhere, ledger.URL, "peanuts", "100")
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	d.await("the reload", func(line map[string]any) bool { return line["msg"] == "rules reloaded" })
	if took := time.Since(began); took > rereadEvery {
		t.Errorf("the rules were reloaded after %v, as they are without a signal", took)
	}
	d.post(expense("entry-1", "150"))
	ledger.next(t)

	// Whoever sends the signal is told in the log what became of it, also when nothing has changed.
	for _, want := range []string{"rules are as they were", "rules refused, the old ones stay", "rules refused, the old ones stay"} {
		if strings.Contains(want, "refused") {
			writeFile(t, filepath.Join(elsewhere, "rules.yaml"), "version: 2\n")
		}
		if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		d.await("a line that says "+want, func(line map[string]any) bool { return line["msg"] == want })
	}
}

// R34, C15, R101: an edit that was refused shows in the metrics and among the warnings of a daemon that is ready all the same, until
// it is mended.
func TestARefusedEditIsSeenUntilItIsMended(t *testing.T) {
	dir := t.TempDir()
	ledger := startTarget(t, always(200))
	ledgerRules(t, dir, ledger.URL, "peanuts", "500")
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	reload := func(want int) {
		t.Helper()
		response, err := http.Post(d.admin+"/api/v1/reload", "application/json", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("POST /api/v1/reload = %d, want %d", response.StatusCode, want)
		}
	}
	get := func(path string) string { t.Helper(); return adminText(t, d, path) }
	const warning = `"name":"rules","detail":"the newest edit was refused`
	putFile(t, filepath.Join(dir, "rules.yaml"), "nonsense: 1\n")
	reload(http.StatusBadRequest)
	if ready := get("/readyz?verbose"); !strings.Contains(ready, `"ready":true`) || !strings.Contains(ready, warning) {
		t.Errorf("after a refused edit /readyz says %s, want it ready, with a warning", ready)
	}
	metrics := get("/metrics")
	for _, want := range []string{"config_last_reload_successful 0", "config_reloads_refused_total 1", "rules_generation 1"} {
		if !strings.Contains(metrics, "\npeanuts_router_"+want+"\n") {
			t.Errorf("after a refused edit /metrics does not say %s", want)
		}
	}
	ledgerRules(t, dir, ledger.URL, "peanuts", "100")
	reload(http.StatusOK)
	if ready := get("/readyz?verbose"); strings.Contains(ready, warning) {
		t.Errorf("after the mending /readyz says %s, want no warning", ready)
	}
	if metrics := get("/metrics"); !strings.Contains(metrics, "peanuts_router_config_last_reload_successful 1\n") {
		t.Error("after the mending /metrics still says that the reload failed")
	}
}
