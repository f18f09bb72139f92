package main

import (
	"strings"
	"testing"
)

// reliability is the sheet of faults.
func reliability() sheet {
	return sheet{path: "docs/reliability.md", rows: map[string]int{"F": 50}, figures: true}
}

// The sheet of faults names each of them once, with tests that are there and what they showed, or a reason why there is none.
func TestTheSheetOfFaultsIsWholeAndNamesTestsThatAreThere(t *testing.T) {
	reliability().hold(t)
}

// Broken in any way that the sheet of requirements cannot be, it is told of.
func TestAFaultySheetOfFaultsIsToldOf(t *testing.T) {
	const descriptors = "`cmd/peanuts-router TestOutOfFileDescriptorsTheRouterRecovers`"
	figure := ""
	for line := range strings.Lines(reliability().text(t)) {
		if _, rest, ok := strings.Cut(line, descriptors); ok {
			figure = rest
		}
	}
	reliability().tells(t, map[string]breakage{
		"a row is missing":      {"| F50 |", "| F51 |", "there is no row F50"},
		"a number that is none": {"| F50 |", "| F51 |", "there is no F51 to hold"},
		"no such test":          {descriptors, "`cmd/peanuts-router TestOutOfLuck`", "F41: there is no test TestOutOfLuck in cmd/peanuts-router"},
		"no figure":             {descriptors + figure, descriptors + " | |\n", "F41 has no figure"},
		"a cell too few":        {descriptors + figure, descriptors + " |\n", "this is no row of the sheet: | F41 |"},
		"another table":         {"fault: what must happen | held by | figure |", "what it is | one | two |", "there is no row F1"},
	})
}
