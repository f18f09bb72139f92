package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/peanuts-router/peanuts-router/engine"
)

func (s suite) keepsRules(t *testing.T) {
	db := s.new(t)
	holds := func(want []engine.RulesFile) time.Time {
		t.Helper()
		kept, at, err := db.KeptRules(t.Context())
		if diff := cmp.Diff(want, kept); err != nil || diff != "" {
			t.Errorf("KeptRules() = %v (-want +got):\n%s", err, diff)
		}
		return at
	}
	keep := func(files []engine.RulesFile) {
		t.Helper()
		if err := db.KeepRules(t.Context(), files); err != nil {
			t.Fatalf("KeepRules() = %v", err)
		}
	}
	holds(nil)
	several := []engine.RulesFile{{Name: "rules/a.yaml", Text: "token: \"${TOKEN}\" # ä\r\n\u2028<&>\n"}, {Name: "rules/b.yaml", Text: "b"}}
	keep(several)
	first := holds(several)
	if age := time.Since(first); age < 0 || age > time.Minute {
		t.Errorf("the rules are kept since %v, which is %v ago", first, age)
	}
	for !time.Now().After(first.Add(2 * time.Millisecond)) { // so that another writing would show
		time.Sleep(time.Millisecond)
	}
	keep(several)
	if again := holds(several); !again.Equal(first) {
		t.Errorf("what was kept already is kept since %v, want %v", again, first)
	}
	one := []engine.RulesFile{{Name: "rules.yaml", Text: "c"}}
	keep(one)
	holds(one)
}
