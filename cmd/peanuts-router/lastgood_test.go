package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lastGoodRules send expenses above 500 to a target, with a secret file, and keep a row of each in an SQLite file, whose name
// is relative as the ones of the rules and the secrets are.
func lastGoodRules(t *testing.T, dir, url string) {
	t.Helper()
	ledgerRules(t, dir, url, "peanuts", "500")
	text, err := os.ReadFile(filepath.Join(dir, "rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "${LEDGER_TOKEN:-none}", "${file:TOKEN}", 1)
	changed = strings.Replace(changed, "rules:\n", `  rows: {sql: {database: "sqlite:rows.db", table: expenses, key: id, version: version}}
rules:
  - name: rows
    when: helper.command == "/expenses"
    then: [{action: rows, upsert: {id: "{{ entry.id }}"}}]
`, 1)
	putFile(t, filepath.Join(dir, "rules.yaml"), changed)
}

// C15, F34: a daemon whose rules are refused at the start goes on with the newest that were good, says so, and takes the
// mended ones as any edit. Variables, secrets and files mean what they meant.
func TestAStartOnRefusedRulesGoesOnWithTheLastGoodOnes(t *testing.T) {
	const broken = "version: 1\nactions: {a: {http: {url: \"http://127.0.0.1:9/\"}}}\nrule: []\n"
	for name, c := range map[string]struct {
		damage func(t *testing.T, rules string)
		told   string // in the log and the warning
	}{
		"an unknown key": {func(t *testing.T, rules string) { writeFile(t, rules, broken) }, "rules.yaml:3:1: unknown key"},
		"no YAML":        {func(t *testing.T, rules string) { writeFile(t, rules, "version: 1\nrules: [\n") }, "[yaml-syntax]"},
		"a bad condition": {func(t *testing.T, rules string) {
			writeFile(t, rules, "version: 1\nactions: {a: {http: {url: \"http://127.0.0.1:9/\"}}}\nrules: [{name: r, when: \"helper.comand == 1\", then: [{action: a}]}]\n")
		}, "rules.yaml:3:"},
		"an unset variable": {func(t *testing.T, rules string) {
			writeFile(t, rules, "version: 1\nactions: {a: {http: {url: \"${NOT_SET_ANYWHERE}\"}}}\nrules: [{name: r, when: \"true\", then: [{action: a}]}]\n")
		}, "the variable NOT_SET_ANYWHERE is not set"},
		"an empty file": {func(t *testing.T, rules string) { writeFile(t, rules, "\n") }, "rules.yaml: is empty"},
		"no file":       {func(t *testing.T, rules string) { remove(t, rules) }, "rules.yaml: cannot be read: no such file"},
		"a directory": {func(t *testing.T, rules string) {
			remove(t, rules)
			if err := os.Mkdir(rules, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "holds no file that ends in .yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			ledger := startTarget(t, always(200))
			lastGoodRules(t, dir, ledger.URL)
			if err := os.Mkdir(filepath.Join(dir, "secrets"), 0o700); err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(dir, "secrets", "TOKEN"), "swordfish")
			rowsTable(t, dir)
			args := []string{"--rules", "rules.yaml", "--secrets-dir", "secrets"}
			startDaemon(t, dir, nil, args...).kill()

			c.damage(t, filepath.Join(dir, "rules.yaml"))
			writeFile(t, filepath.Join(dir, "secrets", "TOKEN"), "marlin")
			d := startDaemon(t, dir, nil, args...)
			if log := d.logged(); !strings.Contains(log, `"level":"ERROR","msg":"rules refused at the start, those that the store keeps are in force"`) ||
				!strings.Contains(strings.ReplaceAll(log, `\"`, `"`), c.told) {
				t.Errorf("the log does not say at error level that %q is refused, and what serves instead:\n%s", c.told, log)
			}
			if ready := adminText(t, d, "/readyz?verbose"); !strings.Contains(ready, `"ready":true`) ||
				!strings.Contains(ready, `"detail":"they were refused at the start, and those that the store keeps since `) || !strings.Contains(ready, c.told) {
				t.Errorf("/readyz says %s, want it ready, with a warning that says %q", ready, c.told)
			}
			measures(t, d, "config_last_reload_successful 0", "config_reloads_refused_total 1", "rules_generation 1", "rules_from_store 1")
			d.post(expense("by-the-old", "501"))
			if call := ledger.next(t); call.path != "/hooks/by-the-old" || call.header.Get("Authorization") != "Bearer marlin" {
				t.Errorf("the kept rules sent to %s with %s; want the old path, and the secret of today", call.path, call.header.Get("Authorization"))
			}
			d.await("the row", func(line map[string]any) bool { return line["action"] == "rows" && line["verdict"] == "delivered" })

			_ = os.Remove(filepath.Join(dir, "rules.yaml"))
			ledgerRules(t, dir, ledger.URL, "peanuts", "100")
			d.await("the reload", func(line map[string]any) bool { return line["msg"] == "rules reloaded" })
			if ready := adminText(t, d, "/readyz?verbose"); strings.Contains(ready, "rules") {
				t.Errorf("after the mending /readyz says %s, want no warning", ready)
			}
			measures(t, d, "config_last_reload_successful 1", "rules_generation 2", "rules_from_store 0")
			id := d.post(expense("by-the-new", "101")).ID
			ledger.next(t)
			d.await("its delivery", func(line map[string]any) bool {
				return line["event"] == id && line["action"] == "ledger" && line["verdict"] == "delivered"
			})
			d.kill()

			// What was mended is what the store keeps now.
			c.damage(t, filepath.Join(dir, "rules.yaml"))
			startDaemon(t, dir, nil, args...).post(expense("by-the-newest", "102"))
			if call := ledger.next(t); call.path != "/hooks/by-the-newest" {
				t.Errorf("the kept rules sent to %s, want what only the newest fire for", call.path)
			}
		})
	}
}

// C15: an edit that is refused is not kept, and one that is taken back to what it was ends the warning.
func TestWhatWasRefusedIsNotKept(t *testing.T) {
	dir := t.TempDir()
	ledger := startTarget(t, always(200))
	ledgerRules(t, dir, ledger.URL, "peanuts", "500")
	good, err := os.ReadFile(filepath.Join(dir, "rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, dir, nil, "--rules", "rules.yaml")
	putFile(t, filepath.Join(dir, "rules.yaml"), "nonsense: 1\n")
	d.await("the refusal", func(line map[string]any) bool { return line["msg"] == "rules refused, the old ones stay" })
	d.kill()
	d = startDaemon(t, dir, nil, "--rules", "rules.yaml")
	measures(t, d, "rules_from_store 1")
	putFile(t, filepath.Join(dir, "rules.yaml"), string(good))
	d.await("the mending", func(line map[string]any) bool { return line["msg"] == "rules are as they were" })
	measures(t, d, "rules_from_store 0", "rules_generation 1", "config_last_reload_successful 1")
	if ready := adminText(t, d, "/readyz?verbose"); strings.Contains(ready, "rules") {
		t.Errorf("after the mending /readyz says %s, want no warning", ready)
	}
	putFile(t, filepath.Join(dir, "rules.yaml"), "nonsense: 2\n")
	d.await("the refusal", func(line map[string]any) bool { return line["msg"] == "rules refused, the old ones stay" })
	if ready := adminText(t, d, "/readyz?verbose"); !strings.Contains(ready, `"detail":"the newest edit was refused`) {
		t.Errorf("after another refused edit /readyz says %s, want it to tell of that and not of the start", ready)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// rowsTable makes the table that lastGoodRules write.
func rowsTable(t *testing.T, dir string) {
	t.Helper()
	s := &docSession{t: t, dir: dir}
	if _, err := s.query("rows.db", `CREATE TABLE expenses (id TEXT PRIMARY KEY, version TEXT NOT NULL)`); err != nil {
		t.Fatal(err)
	}
}

// adminText is what the admin listener of a daemon answers.
func adminText(t *testing.T, d *daemon, path string) string {
	t.Helper()
	response, err := http.Get(d.admin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s = %d %s, %v", path, response.StatusCode, text, err)
	}
	return string(text)
}

// measures holds lines of a daemon's metrics.
func measures(t *testing.T, d *daemon, lines ...string) {
	t.Helper()
	metrics := adminText(t, d, "/metrics")
	for _, want := range lines {
		if !strings.Contains(metrics, fmt.Sprintf("\npeanuts_router_%s\n", want)) {
			t.Errorf("/metrics does not say %s", want)
		}
	}
}
