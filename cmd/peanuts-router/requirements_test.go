package main

import (
	"strings"
	"testing"
)

// requirements is the sheet of what the guide asks for, and of its pitfalls.
func requirements() sheet {
	return sheet{path: "docs/requirements.md", rows: map[string]int{"R": 110, "P": 40}}
}

// The sheet of requirements names each of them once, with tests that are there or a reason why there is none.
func TestTheSheetOfRequirementsIsWholeAndNamesTestsThatAreThere(t *testing.T) {
	requirements().hold(t)
}

// Broken in any way, the sheet is told of.
func TestAFaultySheetOfRequirementsIsToldOf(t *testing.T) {
	const mock = "| R106 | A command sends it, signed, to a running server | `testdata/scripts/mock.txtar` |\n"
	const tunnel = "`server TestAProxyInFrontChangesNothing`"
	const promise = "store TestSQLiteKeepsThePromises/a reminder is sent once"
	requirements().tells(t, map[string]breakage{
		"a row is missing":       {mock, "", "there is no row R106"},
		"a row stands twice":     {mock, mock + mock, "R106 stands twice"},
		"a number that is none":  {"| R106 |", "| R111 |", "there is no R111 to hold"},
		"no such test":           {tunnel, "`server TestAProxy`", "R14: there is no test TestAProxy in server"},
		"no such folder":         {tunnel, strings.Replace(tunnel, "server", "serve", 1), "R14: there is no test TestAProxyInFrontChangesNothing in serve"},
		"no such part of a test": {promise, promise + " or twice", "P28: no part of TestSQLiteKeepsThePromises in store begins with"},
		"no such script":         {mock, strings.Replace(mock, "mock", "mocks", 1), "R106: there is no testdata/scripts/mocks.txtar"},
		"no test, no reason":     {mock, strings.Replace(mock, "`testdata/scripts/mock.txtar`", "", 1), "R106 names neither a test nor a reason"},
		"a reason that is none":  {"not yet: neither a service unit nor a container image", "later: a unit", `R101: "later: a unit"`},
		"what is no test":        {tunnel, "`server testAProxy`", "R14: `server testAProxy` is neither a test nor a script"},
		"a cell too many":        {mock, strings.Replace(mock, "sends", "|", 1), "this is no row of the sheet: | R106 |"},
		"a row out of any":       {"| R1 |", "| |", "a row stands before the first number"},
	})
}
