package condition

import (
	"strings"
	"testing"
)

// Every part of an outline stands where it says; certainty never panics.
func FuzzOutline(f *testing.F) {
	for _, source := range []string{
		`helper.command == "/a" && (entry.data.amount > 500 or entry.data["x y"] in ["a",-1])`, `changed("a.b") && not old?.x`,
		`any(entry.data.items, .price > len("é)"))`, `1 < entry.data.x < 5`, `entry.data.é[-1] ?? {"a": [1, 2]}`, `let a = 5; a > 3`,
		`event not in ["x"] ? (1) : 2..3`, "`)` == entry.data.x | upper()",
	} {
		f.Add(source)
	}
	dialect := New(Config{})
	f.Fuzz(func(t *testing.T, source string) {
		if _, err := dialect.Condition(source); err != nil {
			return
		}
		outline := dialect.Outline(source)
		if outline == nil {
			t.Fatalf("Outline(%q) of what compiles is nil", source)
		}
		outline.Each(func(part *Outline) {
			if !strings.HasPrefix(source[part.Offset:], part.Text) {
				t.Errorf("Outline(%q) has %q at %d", source, part.Text, part.Offset)
			}
		})
		if c := outline.Certain(nil); c.Never != nil && c.Always {
			t.Errorf("Certain(%q) is never and always", source)
		}
	})
}
