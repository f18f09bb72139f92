package condition

import (
	"strings"

	"github.com/expr-lang/expr/ast"
)

// checkStanding refuses what tells of more than an entry as it stands.
func checkStanding(source string, root ast.Node) error {
	var fault *Error
	ast.Walk(&root, visit(func(node *ast.Node) {
		name, ok := (*node).(*ast.IdentifierNode)
		if !ok || fault != nil {
			return
		}
		switch name.Value {
		case oldName, "changed", "now", "days_until":
			fault = &Error{
				Offset: byteOffset(source, startOf(name)), Length: len(name.Value), Code: "not-here",
				Message: name.Value + " cannot be used here: a stat is made of the entries as they stand, whenever it is made",
			}
		}
	}))
	if fault != nil {
		return fault
	}
	return nil
}

// changed tells whether a part of entry.data differs from what it was before this event. While that is not known, nothing is
// known to have changed.
func changed(s *Scope, args []any) (any, error) {
	name, ok := args[0].(string)
	if !ok || s.old() == nil {
		return false, nil
	}
	was, is := s.oldData(), s.value(path{"entry", "data"})
	for _, step := range strings.Split(name, ".") {
		was, is = member(was, step), member(is, step)
	}
	return !equal(was, is), nil
}
