package lint

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/peanuts-router/peanuts-router/engine/condition"
)

// compared is a comparison of a path with a number or a text that stands in a rule's condition.
type compared struct {
	rule     *rule
	path     string
	part     *condition.Outline
	constant any
}

// textNumbers finds texts where numbers were meant, and the other way round.
func (c *linter) textNumbers(seen *Seen) {
	var texts []compared
	numbers := map[string][]compared{} // by path
	for i := range c.rules {
		comparisons(&c.rules[i], func(found compared) {
			text, isText := found.constant.(string)
			switch {
			case isText && isNumber(text) && strings.ContainsAny(found.part.Operator, "<>"):
				c.tellOf(found.rule.When, found.part, TextNumber,
					fmt.Sprintf("%q is a text, and two texts compare by their letters: %q comes before %q", text, "10", "9"), "leave out the quotes")
			case isText && !isNumber(text) && text != "":
				texts = append(texts, found)
			case !isText:
				numbers[found.path] = append(numbers[found.path], found)
			}
		})
	}
	for _, found := range texts {
		if other := elsewhere(found, numbers[found.path]); other != nil {
			c.tellOf(found.rule.When, found.part, TextNumber, fmt.Sprintf("%s is compared with a text here, and with a number in %s, at %s",
				found.path, other.rule.Name.Value, other.rule.When.PlaceAt(other.part.Offset)), "compare it with a number here, too")
		}
	}
	for _, found := range numbers {
		for _, one := range found {
			c.numberOfText(one, seen)
		}
	}
}

// comparisons calls see for every comparison of a path with a number or a text in a rule's condition.
func comparisons(r *rule, see func(compared)) {
	r.when.Each(func(part *condition.Outline) {
		switch part.Operator {
		case "==", "!=", "<", "<=", ">", ">=":
		default:
			return
		}
		path, constant, ok := againstConstant(part)
		if !ok {
			return
		}
		switch constant.Value.(type) {
		case string, int64, int, float64:
			see(compared{rule: r, path: condition.PathText(path.Path), part: part, constant: constant.Value})
		}
	})
}

// elsewhere is the first comparison with a number in a rule that may speak of the same helper; nil when the rule itself
// knows numbers too, or no other does.
func elsewhere(found compared, numbers []compared) *compared {
	var first *compared
	for i := range numbers {
		other := &numbers[i]
		if other.rule == found.rule {
			return nil
		}
		if first == nil && sameHelper(found.rule, other.rule) {
			first = other
		}
	}
	return first
}

// sameHelper tells whether two rules name one helper, or neither names any.
func sameHelper(a, b *rule) bool {
	named, others := a.helpers(), b.helpers()
	if len(named)+len(others) == 0 {
		return true
	}
	for _, helper := range named {
		for _, other := range others {
			if helper == other {
				return true
			}
		}
	}
	return false
}

// numberOfText finds a comparison with a number of what only ever was a text, and none that is a number.
func (c *linter) numberOfText(found compared, seen *Seen) {
	helpers, ok := c.helpersOf(found.rule, seen)
	if !ok {
		return
	}
	texts := 0
	for _, helper := range helpers {
		kinds := seen.helpers[helper].at(found.path)
		if kinds.others > 0 {
			return
		}
		texts += kinds.texts
	}
	if texts > 0 {
		c.tellOf(found.rule.When, found.part, TextNumber,
			fmt.Sprintf("events of %s have texts in %s that are no numbers, and this compares with a number", list(helpers), found.path), "")
	}
}

// isNumber tells whether a text is exactly a JSON number, which compares as one.
func isNumber(text string) bool {
	return text != "" && strings.Trim(text, " \t\r\n") == text && strings.ContainsAny(text[:1], "-0123456789") && json.Valid([]byte(text))
}
