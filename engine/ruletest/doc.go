// Package ruletest runs tests of rules: files of YAML that tell events, and what is to be sent for them.
//
// Terms:
//
//   - A test tells one event, or several in a row, each at its own time.
//   - An occasion is one of them: an event that arrives, or time that has passed.
//   - A finding is what came of a test: a delivery that was sent, one that died at once, a shadow of either, or a rule's error.
//   - An expectation is a finding as the test says it is to be. What it does not speak of is not compared.
//
// The package promises:
//
//   - What is found is what package rehearsal found: the rules are judged as a router judges them, and time is the test's own.
//   - Whatever is found and not expected fails the test, but for a shadow, which nobody gets, and a mismatch; and so does
//     whatever is expected and not found, in any order.
//   - Every problem of a file is told at once, with its place; a file with a problem is not run in part.
package ruletest
