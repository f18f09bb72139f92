package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/peanuts-router/peanuts-router/engine/condition"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
)

// fields finds paths below entry.data that no event of the helpers they are asked of has.
func (c *linter) fields(seen *Seen) {
	byAction := map[string][]string{} // helpers of the rules that use it; nil when they cannot be told
	for i := range c.rules {
		r := &c.rules[i]
		helpers, ok := c.helpersOf(r, seen)
		for _, step := range r.Then {
			byAction[step.Action.Value] = together(byAction, step.Action.Value, helpers, ok)
		}
		if ok {
			c.unknownFields(r.exprs, helpers, seen)
		}
	}
	for _, s := range c.stats {
		if helpers, ok := helpersOf(s.when, nil, seen); ok {
			c.unknownFields(s.exprs, helpers, seen)
		}
	}
	for i := range c.file.Actions {
		action := &c.file.Actions[i]
		if helpers := byAction[action.Name.Value]; len(helpers) > 0 {
			c.unknownFields(c.templates(nil, settingsOf(action)...), helpers, seen)
		}
	}
}

// together adds a rule's helpers to those of an action; nil when one of its rules does not tell them.
func together(byAction map[string][]string, action string, helpers []string, ok bool) []string {
	before, known := byAction[action]
	if !ok || known && before == nil {
		return nil
	}
	all := append(slices.Clone(before), helpers...)
	slices.Sort(all)
	return slices.Compact(all)
}

// settingsOf are the templates of an action's own settings.
func settingsOf(action *rulefile.Action) []rulefile.Template {
	var all []rulefile.Template
	switch {
	case action.Slack != nil:
		all = append(all, action.Slack.Channel)
	case action.Email != nil:
		all = append(append(all, action.Email.To...), action.Email.CC...)
	case action.HTTP != nil:
		all = append(all, action.HTTP.URL)
		for _, header := range action.HTTP.Headers {
			all = append(all, header.Value)
		}
	}
	return all
}

// helpersOf are the helpers with events that were seen and may meet a rule's condition; ok is false when it may speak of
// others, too.
func (c *linter) helpersOf(r *rule, seen *Seen) (helpers []string, ok bool) {
	if r.when == nil || slices.ContainsFunc(r.On, func(event rulefile.Text) bool { return isRouterEvent(event.Value) }) {
		return nil, false
	}
	return helpersOf(r.when, r.given(), seen)
}

// helpersOf are the helpers that a condition names, or all that were seen.
func helpersOf(when *condition.Outline, given condition.Given, seen *Seen) (helpers []string, ok bool) {
	if when == nil {
		return nil, false
	}
	named := helpersNamed(when)
	from := named
	if len(named) == 0 {
		from = slices.Sorted(maps.Keys(seen.helpers))
	}
	for _, helper := range from {
		with := maps.Clone(given)
		if with == nil {
			with = condition.Given{}
		}
		with["helper.command"] = condition.Texts{Only: []string{helper}}
		if when.Certain(with).Never != nil {
			continue
		}
		if seen.helpers[helper] == nil {
			return nil, false
		}
		helpers = append(helpers, helper)
	}
	return helpers, len(helpers) > 0
}

// helpers are those that the rule's condition names.
func (r *rule) helpers() []string { return helpersNamed(r.when) }

func helpersNamed(when *condition.Outline) []string {
	var named []string
	when.Each(func(part *condition.Outline) { named = append(named, comparedTexts(part, "helper.command")...) })
	slices.Sort(named)
	return slices.Compact(named)
}

// unknownFields tells of every path that none of the helpers has.
func (c *linter) unknownFields(exprs []expression, helpers []string, seen *Seen) {
	for _, e := range exprs {
		e.outline.Each(func(part *condition.Outline) {
			below, ok := belowData(part)
			if !ok {
				return
			}
			if unknown := firstUnknown(below, helpers, seen); unknown != "" {
				c.tellOf(e.in, part, UnknownField, fmt.Sprintf("unknown field `%s`, events of %s have %s",
					unknown, list(helpers), c.instead(unknown, helpers, seen)), "")
			}
		})
	}
}

// belowData is a path below entry.data, or the same below old.
func belowData(part *condition.Outline) (path []any, ok bool) {
	p := part.Path
	switch {
	case part.Kind != condition.Path:
	case len(p) > 2 && p[0] == "entry" && p[1] == "data":
		return p, true
	case len(p) > 1 && p[0] == "old":
		return append([]any{"entry", "data"}, p[1:]...), true
	}
	return nil, false
}

// firstUnknown is the first part of a path that none of the helpers has; empty when one has it whole.
func firstUnknown(path []any, helpers []string, seen *Seen) string {
	for end := 3; end <= len(path); end++ {
		name := fieldName(path[:end])
		if name != "" && !slices.ContainsFunc(helpers, func(helper string) bool { return seen.helpers[helper].has(name) }) {
			return name
		}
	}
	return ""
}

const maxListed = 8 // fields that are named where none comes near

// instead is what was probably meant, else what there is.
func (c *linter) instead(unknown string, helpers []string, seen *Seen) string {
	parent := unknown[:strings.LastIndexByte(unknown, '.')+1]
	var there []string
	for _, helper := range helpers {
		for name := range seen.helpers[helper].paths {
			if rest, beside := strings.CutPrefix(name, parent); beside && !strings.Contains(rest, ".") {
				there = append(there, name)
			}
		}
	}
	slices.Sort(there)
	there = slices.Compact(there)
	best, fewest := "", (len(unknown)-len(parent)+2)/3+1
	for _, name := range there {
		if d := levenshtein.ComputeDistance(strings.ToLower(unknown), strings.ToLower(name)); d < fewest {
			best, fewest = name, d
		}
	}
	switch {
	case best != "":
		return "`" + best + "`"
	case len(there) == 0:
		return "nothing there"
	case len(there) > maxListed:
		return "`" + strings.Join(there[:maxListed], "`, `") + "` and others"
	}
	return "`" + strings.Join(there, "`, `") + "`"
}

// list writes names as people do: /a, /b and /c.
func list(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
