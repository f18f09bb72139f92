// Package condition is the language of rules: expr, with comparisons that forgive what people send, and templates
// that print it.
//
// Terms:
//
//   - An expression is judged in a Scope: one event and the time.
//   - A condition is an expression that holds or does not.
//   - A template is text with expressions in {{ }}; its sink is where the text goes, which decides how values are encoded.
//   - A value is absent when its path leads nowhere, or to null.
//   - A mismatch is a comparison that met a value of the wrong type.
//
// The package promises:
//
//   - Names outside entry.data are checked when an expression is compiled; when it runs, every leaf may be absent (C7).
//   - Ordered comparisons, ==, in and contains share one notion of order and equality: a text that is exactly a
//     JSON number compares as that number, two texts compare as text, whole numbers and decimals compare exactly (C6).
//   - A comparison with a value of the wrong type is false and a mismatch, unless another operand of the same &&
//     is plainly false; the order of the operands does not matter.
//   - What else goes wrong is an error, never a panic; no error holds text of the event.
//   - An expression is bounded in its nodes, its memory, the nesting of its predicates and the length of what it
//     builds; bounds are counted, not timed (C23).
//   - It reaches nothing but the event: no environment, no file, no network, no clock but the Scope's.
package condition
