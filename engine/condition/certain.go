package condition

import "slices"

// Certainty is what is certain of a condition, whatever event it meets.
type Certainty struct {
	Never  *Contradiction // why it never holds; nil when it may
	Always bool           // it holds for every event, and never fails
}

// Contradiction is a part of a condition that keeps the whole from ever holding.
type Contradiction struct {
	Part   *Outline
	Beside *Outline // what it contradicts; nil when it cannot hold by itself, or only several parts together contradict it
}

// Given is what is known of the values of paths, by their text, beside what a condition asks.
type Given map[string]Texts

// Texts are the values of a path that is always a text, and never an empty one.
type Texts struct {
	Only   []string // these; nil: any
	Except []string // but for these
}

// Certain tells what is certain of a condition. It is certain of what it can prove by trying, for each path, a value of
// every sort that the condition could tell apart; in doubt it tells nothing.
func (o *Outline) Certain(given Given) Certainty {
	p := prover{given: given}
	return Certainty{Never: p.contradiction(o), Always: p.mustHold(o)}
}

// prover proves things of conditions. Different paths are taken for independent of one another.
type prover struct{ given Given }

// contradiction is why a condition never holds; nil when it may.
func (p prover) contradiction(o *Outline) *Contradiction {
	if operands := o.And(); len(operands) > 1 {
		for _, operand := range operands {
			if c := p.contradiction(operand); c != nil {
				return c
			}
		}
		return p.among(operands)
	}
	if operands := o.Or(); len(operands) > 1 {
		for _, operand := range operands {
			if p.contradiction(operand) == nil {
				return nil
			}
		}
		return &Contradiction{Part: o}
	}
	never := false
	if path, single := o.onePath(); single {
		never = !p.possible(path, []*Outline{o})
	} else if o.Kind == Operation && o.Operator == "not" {
		never = p.mustHold(o.Operands[0])
	}
	if never {
		return &Contradiction{Part: o}
	}
	return nil
}

// among finds the operand of an && that contradicts those before it that ask for the same path.
func (p prover) among(operands []*Outline) *Contradiction {
	groups := map[string][]*Outline{}
	for _, operand := range operands {
		path, single := operand.onePath()
		if !single || path == "" {
			continue
		}
		before := groups[path]
		groups[path] = append(before, operand)
		if p.possible(path, groups[path]) {
			continue
		}
		c := &Contradiction{Part: operand}
		for _, other := range before {
			if !p.possible(path, []*Outline{other, operand}) {
				c.Beside = other
				break
			}
		}
		return c
	}
	return nil
}

// possible tells whether some value of the path might make all conditions hold.
func (p prover) possible(path string, all []*Outline) bool {
	witnesses, ok := p.witnesses(path, all)
	if !ok {
		return true
	}
	return slices.ContainsFunc(witnesses, func(w witness) bool {
		return !slices.ContainsFunc(all, func(o *Outline) bool { return o.judge(w) == fails })
	})
}

// mustHold tells whether a condition holds for certain.
func (p prover) mustHold(o *Outline) bool {
	if !o.neverFails() {
		return false
	}
	if path, single := o.onePath(); single {
		return p.anyHolds(path, []*Outline{o})
	}
	switch {
	case o.Operator == "not":
		return p.contradiction(o.Operands[0]) != nil
	case o.Operator == "&&":
		return !slices.ContainsFunc(o.And(), func(operand *Outline) bool { return !p.mustHold(operand) })
	case o.Operator == "||":
		groups := map[string][]*Outline{}
		for _, operand := range o.Or() {
			if path, single := operand.onePath(); single {
				groups[path] = append(groups[path], operand)
			} else if p.mustHold(operand) {
				return true
			}
		}
		for path, group := range groups {
			if p.anyHolds(path, group) {
				return true
			}
		}
	}
	return false
}

// anyHolds tells whether each value of the path makes one of the conditions hold.
func (p prover) anyHolds(path string, conditions []*Outline) bool {
	witnesses, ok := p.witnesses(path, conditions)
	return ok && !slices.ContainsFunc(witnesses, func(w witness) bool {
		return !slices.ContainsFunc(conditions, func(o *Outline) bool { return o.judge(w) == holds })
	})
}

// onePath is the only path that a condition looks at, empty when it looks at none; single is false when there are more,
// or it comes out otherwise at another time.
func (o *Outline) onePath() (path string, single bool) {
	single = !o.varies
	o.Each(func(part *Outline) {
		if part.Kind != Path {
			return
		}
		text := PathText(part.Path)
		single = single && (path == "" || path == text)
		path = text
	})
	return path, single
}

// neverFails tells whether a condition is made of such parts only as cannot be a rule's error.
func (o *Outline) neverFails() bool {
	switch o.Kind {
	case Path, Constant:
		return true
	case Operation:
		if o.Operator == "&&" || o.Operator == "||" || o.Operator == "not" {
			return !slices.ContainsFunc(o.Operands, func(operand *Outline) bool { return !operand.neverFails() })
		}
		return o.isComparison() && o.Operator != "matches"
	}
	return false
}

// isComparison tells whether it compares paths and constants with one another.
func (o *Outline) isComparison() bool {
	switch o.Operator {
	case "==", "!=", "<", "<=", ">", ">=", "in", "contains", "startsWith", "endsWith", "matches":
		return !slices.ContainsFunc(o.Operands, func(operand *Outline) bool { return operand.Kind != Path && operand.Kind != Constant })
	}
	return false
}
