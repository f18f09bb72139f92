package condition

// outcome is what a condition comes to for the values that a witness stands for.
type outcome int

const (
	either outcome = iota // it differs among them, or is not known
	holds
	fails
)

// judge tells what the condition comes to for the values that a witness of its only path stands for.
func (o *Outline) judge(w witness) outcome {
	switch o.Kind {
	case Constant:
		return outcomeOf(o.Value == true)
	case Path:
		return outcomeOf(w.value == true)
	case Operation:
		switch o.Operator {
		case "not":
			return o.Operands[0].judge(w).reversed()
		case "&&", "||":
			return o.joined(w)
		}
		if o.isComparison() {
			return o.compare(w)
		}
	}
	return either
}

func (o *Outline) joined(w witness) outcome {
	decides := fails
	if o.Operator == "||" {
		decides = holds
	}
	joined := decides.reversed()
	for _, operand := range o.Operands {
		switch operand.judge(w) {
		case decides:
			return decides
		case either:
			joined = either
		}
	}
	return joined
}

func outcomeOf(truth bool) outcome {
	if truth {
		return holds
	}
	return fails
}

func (v outcome) reversed() outcome {
	switch v {
	case holds:
		return fails
	case fails:
		return holds
	}
	return either
}

// compare judges a comparison of the path with a constant, or with itself.
func (o *Outline) compare(w witness) outcome {
	left, right := o.Operands[0].against(o.Operands[1], w), o.Operands[1].against(o.Operands[0], w)
	switch o.Operator {
	case "==", "!=":
		if !isScalar(left) || !isScalar(right) {
			return o.ofLists(left, right, w)
		}
		return outcomeOf(equal(left, right) == (o.Operator == "=="))
	case "<":
		return outcomeOf(compare(left, right) == less)
	case "<=":
		return outcomeOf(compare(left, right) <= same)
	case ">":
		return outcomeOf(compare(left, right) == more)
	case ">=":
		return outcomeOf(compare(left, right) == same || compare(left, right) == more)
	}
	if left == nil || right == nil {
		return fails
	}
	if list, ok := right.([]any); ok && o.Operator == "in" && o.Operands[1].Kind == Constant {
		return o.isAmong(list, w)
	}
	if !w.exact {
		return either
	}
	truth, _, err := comparisons()[o.Operator](left, right, site{})
	if err != nil {
		return either
	}
	return outcomeOf(truth)
}

// against is the value of one side of a comparison with another.
func (o *Outline) against(other *Outline, w witness) any {
	if o.Kind == Constant {
		return o.Value
	}
	if _, isText := other.Value.(string); w.ghost && isText && other.Kind == Constant {
		return w.text
	}
	return w.value
}

// ofLists judges == and != where a side is no scalar. The witness of lists stands for any list, so that it is open what it
// equals, but itself and scalars.
func (o *Outline) ofLists(left, right any, w witness) outcome {
	itself := o.Operands[0].Kind == Path && o.Operands[1].Kind == Path
	switch {
	case itself:
		return outcomeOf(o.Operator == "==")
	case o.Operands[0].Kind == Constant && !isScalar(left), o.Operands[1].Kind == Constant && !isScalar(right):
		if w.value != nil && !isScalar(w.value) {
			return either
		}
	}
	return outcomeOf(o.Operator == "!=")
}

func isScalar(value any) bool {
	switch value.(type) {
	case nil, bool, string, int64, int, float64:
		return true
	}
	return false
}

// isAmong judges whether the path is in a list of constants.
func (o *Outline) isAmong(list []any, w witness) outcome {
	for _, item := range list {
		if !isScalar(item) {
			return either
		}
		value := w.value
		if _, isText := item.(string); isText && w.ghost {
			value = w.text
		}
		if item != nil && equal(value, item) {
			return holds
		}
	}
	return fails
}
