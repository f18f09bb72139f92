package rulefile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// The monitor is one for all files of a directory; a second one is refused at its place.
func TestAMonitorIsSaidOnce(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("version: 1\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("a.yaml", "monitor: {window: 10m, min_attempts: 7, failure_rate: 0.2}\n")
	put("b.yaml", `rules: [{name: r, when: "true", then: [{action: a}]}]`+"\nactions: {a: {http: {url: 'http://127.0.0.1:1/'}}}\n")
	file, problems := rulefile.Load(dir, options())
	if m := file.Monitor; problems.Failed() || m.Window.Value != 10*time.Minute || m.MinAttempts.Value != 7 || m.FailureRate.Value != 0.2 {
		t.Errorf("Load reads the monitor %+v, problems: %v", m, problems)
	}
	put("c.yaml", "monitor: {window: 1m}\n")
	_, problems = rulefile.Load(dir, options())
	if want := "c.yaml:2:10: monitor stands in "; len(problems) != 1 || !strings.Contains(problems[0].String(), want) {
		t.Errorf("Load(two monitors) tells %v, want %s...", problems, want)
	}
}
