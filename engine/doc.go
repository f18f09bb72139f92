// Package engine is the judge: it turns a rules file into compiled rules, and an event into what is owed for it.
//
// Terms, the same in code, YAML, logs, the API and the documentation:
//
//   - A rule is a name, a condition and steps. It fired when its condition held and once_per did not suppress it.
//   - A claim is a value that an event holds for a rule with once_per; see once.go for its life.
//   - A step is one action with its message.
//   - An action is a named, configured destination.
//   - A delivery is one step owed for one event; an attempt is one try at it.
//   - A dead letter is a delivery that was given up, with its reason.
//
// The package promises:
//
//   - Rules never change once compiled. A reload compiles new ones and swaps one pointer, or refuses and keeps the old (C15).
//   - Every event is judged by exactly one generation of rules, each rule on its own: no rule's error, cost or
//     silence touches another's (C7, C8, C23).
//   - What a step says is frozen when its rule fires; what an action is gets looked up at each attempt (C14).
//   - Encoding belongs to the sink: an event can never break out of the message it is put into (C19).
//
// It reads files and nothing else: no network, no store, and no clock but the one it is handed.
package engine
