package condition

import (
	"cmp"
	"math"
	"slices"
)

// Index finds, among many conditions, those that an event could make hold. It leaves out only what the guard of a
// condition rules out. It does not change and is safe for concurrent use.
//
// It is a tree. A branch asks for the value at one path and goes on with the conditions that name this value; where
// conditions ask for no certain value, but for more or less than a limit, they lie sorted by it. An event therefore costs
// what it finds, not what there is.
type Index struct{ root node }

// Entry is a condition in an Index, by the caller's own number.
type Entry struct {
	ID        int
	Condition *Condition
}

// node holds the conditions that passed all branches above it.
type node struct {
	found    []int // nothing more is asked of these
	branches []*branch
	limits   []*limits
}

// branch leads on by the value at a path.
type branch struct {
	at   string
	path path
	to   map[key]*node
}

// limits are conditions sorted by the number that the value at a path is compared with.
type limits struct {
	at     string
	path   path
	upward bool // > and >=: those with the lower limits are found; else < and <=
	sorted []limited
}

type limited struct {
	limit number
	test  test
	id    int
}

// key is a constant as a branch knows it. Equal values have a key in common.
type key struct {
	kind  byte // of t(ext), n(umber), b(oolean)
	text  string
	whole int64
	float float64
}

// narrow is how few conditions are looked at one by one rather than told apart.
const narrow = 4

// NewIndex makes an Index.
func NewIndex(entries []Entry) *Index {
	members := make([]seeker, len(entries))
	for i, e := range entries {
		members[i] = seeker{id: e.ID, open: e.Condition.program.guard}
	}
	x := &Index{}
	x.root.add(members)
	return x
}

// seeker is a condition on its way down the tree, with the clauses that were not asked yet.
type seeker struct {
	id      int
	open    guard
	several bool // it went several ways already; a second time they would multiply
}

// add places members below a node.
func (n *node) add(members []seeker) {
	if len(members) <= narrow {
		for _, m := range members {
			n.found = append(n.found, m.id)
		}
		return
	}
	common := map[asked]int{}
	for _, m := range members {
		for _, c := range m.open {
			c.count(common)
		}
	}
	below, paths := map[asked][]seeker{}, map[string]path{}
	var rest []seeker
	for _, m := range members {
		at, ok := m.rarest(common)
		if !ok {
			rest = append(rest, m)
			continue
		}
		values := m.open[at].asks()
		for _, t := range m.open[at] {
			paths[t.at] = t.path
		}
		m.open = slices.Delete(slices.Clone(m.open), at, at+1)
		m.several = m.several || len(values) > narrow
		for _, value := range values {
			below[value] = append(below[value], m)
		}
	}
	for value, members := range below {
		n.branch(value.at, paths[value.at]).lead(value.key).add(members)
	}
	slices.SortFunc(n.branches, func(a, b *branch) int { return cmp.Compare(a.at, b.at) })
	n.sort(rest)
}

// branch is the one that asks for the value at a path.
func (n *node) branch(at string, where path) *branch {
	i := slices.IndexFunc(n.branches, func(b *branch) bool { return b.at == at })
	if i < 0 {
		i = len(n.branches)
		n.branches = append(n.branches, &branch{at: at, path: where, to: map[key]*node{}})
	}
	return n.branches[i]
}

// lead makes a way on.
func (b *branch) lead(k key) *node {
	b.to[k] = &node{}
	return b.to[k]
}

// asked is a value at a path that a clause asks for.
type asked struct {
	at  string
	key key
}

// count counts the values that the clause asks for.
func (c clause) count(common map[asked]int) {
	if c.exact() {
		for _, value := range c.asks() {
			common[value]++
		}
	}
}

// rarest is the clause of certain values that fewest other members ask for, too.
func (m *seeker) rarest(common map[asked]int) (at int, ok bool) {
	fewest := math.MaxInt
	for i, c := range m.open {
		if !c.exact() || m.several && len(c) > narrow {
			continue
		}
		others := 0
		for _, value := range c.asks() {
			others += common[value]
		}
		if others < fewest {
			at, fewest, ok = i, others, true
		}
	}
	return at, ok
}

// sort places members that ask for no certain value: by a limit, or nowhere.
func (n *node) sort(members []seeker) {
	for _, m := range members {
		at := slices.IndexFunc(m.open, func(c clause) bool { return len(c) == 1 && c[0].operator != "==" })
		if at < 0 {
			n.found = append(n.found, m.id)
			continue
		}
		t := m.open[at][0]
		upward := t.operator == ">" || t.operator == ">="
		i := slices.IndexFunc(n.limits, func(l *limits) bool { return l.upward == upward && l.at == t.at })
		if i < 0 {
			i = len(n.limits)
			n.limits = append(n.limits, &limits{at: t.at, path: t.path, upward: upward})
		}
		n.limits[i].sorted = append(n.limits[i].sorted, limited{t.limit, t, m.id})
	}
	for _, l := range n.limits {
		slices.SortStableFunc(l.sorted, func(a, b limited) int {
			if l.upward {
				return int(a.limit.compare(b.limit))
			}
			return int(b.limit.compare(a.limit))
		})
	}
}

// Candidates appends the numbers of the conditions that the event could make hold, in no order; one may come twice.
func (x *Index) Candidates(s *Scope, found []int) []int { return x.root.candidates(s, found) }

func (n *node) candidates(s *Scope, found []int) []int {
	found = append(found, n.found...)
	for _, b := range n.branches {
		found = b.follow(s, found)
	}
	for _, l := range n.limits {
		found = l.within(s.value(l.path), found)
	}
	return found
}

// follow goes on by the value at the branch's path: a text that is a number may be asked for as either.
func (b *branch) follow(s *Scope, found []int) []int {
	switch value := s.value(b.path).(type) {
	case string:
		if to := b.to[key{kind: 't', text: value}]; to != nil {
			found = to.candidates(s, found)
		}
		if n, ok := numberInText(value); ok {
			found = b.number(s, n, found)
		}
	case bool:
		if to := b.to[boolKey(value)]; to != nil {
			found = to.candidates(s, found)
		}
	case int64:
		found = b.number(s, number{whole: value}, found)
	case float64:
		found = b.number(s, number{float: value, isFloat: true}, found)
	}
	return found
}

func (b *branch) number(s *Scope, n number, found []int) []int {
	if to := b.to[numberKey(n)]; to != nil {
		return to.candidates(s, found)
	}
	return found
}

// within finds the conditions whose limit a value passes; all of them for a value that cannot be compared, for each has
// a mismatch to tell of.
func (l *limits) within(value any, found []int) []int {
	if value == nil {
		return found
	}
	n, comparable := asNumber(value)
	for i := range l.sorted {
		at := &l.sorted[i]
		if comparable && !at.test.passes(n.compare(at.limit)) {
			if at.limit.compare(n) != same {
				break // those behind it are farther away; beside an equal limit both > and >= may stand
			}
			continue
		}
		found = append(found, at.id)
	}
	return found
}

// asks are the values that the clause asks for. A text that is a number is equal to the number, too.
func (c clause) asks() []asked {
	all := make([]asked, 0, len(c))
	for _, t := range c {
		if text, ok := t.constant.(string); ok {
			all = append(all, asked{t.at, key{kind: 't', text: text}})
		}
		if truth, ok := t.constant.(bool); ok {
			all = append(all, asked{t.at, boolKey(truth)})
		}
		if n, ok := asNumber(t.constant); ok {
			all = append(all, asked{t.at, numberKey(n)})
		}
	}
	return all
}

func boolKey(value bool) key {
	if value {
		return key{kind: 'b', whole: 1}
	}
	return key{kind: 'b'}
}

// numberKey is the same for numbers that are equal: a float that is whole goes by its whole.
func numberKey(n number) key {
	const whole = 1 << 63
	if n.isFloat && n.float == math.Trunc(n.float) && n.float >= -whole && n.float < whole {
		n = number{whole: int64(n.float)}
	}
	if n.isFloat {
		return key{kind: 'n', float: n.float}
	}
	return key{kind: 'n', whole: n.whole}
}
