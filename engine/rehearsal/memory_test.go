package rehearsal

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// A backtest rehearses a hundred thousand events and more: of an entry its version stays, and not its event, and of a claim
// not what it stands for.
func TestAnEntryTakesLittleMemory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, []byte(taskRules+`  - name: once
    when: "true"
    once_per: entry.id
    then: [{action: mail, body: "{{ entry.data.title }}"}]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, problems := engine.Load(file, engine.Options{})
	if rules == nil {
		t.Fatal(problems)
	}
	const entries = 10_000
	r := New(Config{Rules: rules, Recall: func(int) *peanuts.Event { return nil }})
	before := heapInUse()
	for n := range entries {
		e, err := peanuts.Parse(fmt.Appendf(nil, `{"event":"entry.created","entry":{"id":"entry-%d","data":{"title":%q}}}`, n, strings.Repeat("x", 500)))
		if err != nil {
			t.Fatal(err)
		}
		r.Tell(e, time.Date(2026, 11, 23, 9, 0, 0, n, time.UTC))
	}
	each := (heapInUse() - before) / entries
	runtime.KeepAlive(r)
	if each > 600 {
		t.Errorf("an entry takes %d bytes, want at most 600", each)
	}
	t.Logf("an entry takes %d bytes", each)
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
