package ruletest

// fits tells whether a finding is as it is wanted.
func (w want) fits(f finding) bool {
	if !w.names(f) || !w.at.IsZero() && !w.at.Equal(f.at) {
		return false
	}
	for _, outcome := range []string{"dead", "error", "mismatch"} { // what was not sent is found only by who asks for it
		if _, is := f.fields[outcome]; is && !w.asks(outcome) {
			return false
		}
	}
	for _, field := range w.fields {
		got, there := f.fields[field.field]
		if !field.met(got, there) {
			return false
		}
	}
	return true
}

// names tells whether a finding is of the rule and action that are wanted, and sent or in shadow as they are.
func (w want) names(f finding) bool {
	return (w.rule == "" || w.rule == f.rule) && (w.action == "" || w.action == f.action) && w.shadow == f.shadow
}

func (w want) asks(field string) bool {
	for _, one := range w.fields {
		if one.field == field {
			return true
		}
	}
	return false
}

// match gives each want a finding of its own, in whatever order they are, as many as can be; -1 is none.
func match(wants []want, found []finding) (findingOf []int) {
	wantOf := make([]int, len(found))
	for i := range wantOf {
		wantOf[i] = -1
	}
	for w := range wants {
		seat(w, wants, found, wantOf, make([]bool, len(found)))
	}
	findingOf = make([]int, len(wants))
	for w := range findingOf {
		findingOf[w] = -1
	}
	for f, w := range wantOf {
		if w >= 0 {
			findingOf[w] = f
		}
	}
	return findingOf
}

// seat finds a finding for a want, moving others to another where they have a choice.
func seat(w int, wants []want, found []finding, wantOf []int, tried []bool) bool {
	for f := range found {
		if tried[f] || !wants[w].fits(found[f]) {
			continue
		}
		tried[f] = true
		if wantOf[f] < 0 || seat(wantOf[f], wants, found, wantOf, tried) {
			wantOf[f] = w
			return true
		}
	}
	return false
}

// nearness is how much a finding that does not fit has of what is wanted; 0 when it is another thing altogether.
func (w want) nearness(f finding) int {
	if !w.names(f) {
		return 0
	}
	near := 1
	if w.at.IsZero() || w.at.Equal(f.at) {
		near++
	}
	for _, field := range w.fields {
		got, there := f.fields[field.field]
		if there {
			near++
		}
		if field.met(got, there) {
			near += 2
		}
	}
	return near
}
