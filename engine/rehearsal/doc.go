// Package rehearsal tells what rules would have made of a row of events, had a router judged them one after the other:
// what was owed for each, what was cancelled, and which reminders were sent in between.
//
// Terms:
//
//   - To tell an event is to have it arrive at a moment.
//   - To walk is to let time pass: a reminder is sent at the instant at which it is due.
//   - A delivery that is due is sent at once, and every target says yes.
//
// The package promises:
//
//   - Verdicts and messages are those of engine.Rules, judged by what the store would know of the entry at that moment.
//   - What is sent, cancelled, or owed no more is what the store and the courier would make of the same row.
//   - A claim is made, and released, where a store would. What a rule on trial owes is a shadow: nothing follows from it.
//   - Nothing but memory is used, and little of it: of an entry its newest version and what waits for it, of a claim its
//     value and who holds it.
package rehearsal
