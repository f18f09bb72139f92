// Package store is the memory: events, what is owed for them, and what came of it, in one SQLite file.
//
// Terms:
//
//   - To accept an event is to commit it with all that follows from it in one transaction.
//   - A lease is the right to try a delivery until a moment; its generation tells it from earlier ones.
//   - To settle is to record what an attempt came to and where the delivery stands now.
//   - To replay an event is to judge it once more, by other rules; its first judgement stands.
//
// The package promises:
//
//   - What a method has reported as done is committed and flushed (C1): WAL with synchronous=FULL. One goroutine
//     writes, and commits whatever has queued up as one group.
//   - The same bytes are one event, however often and wherever they are accepted (C9).
//   - A settlement with an older generation changes nothing (C18).
//   - A delivery is in exactly one state.
//   - At most one event holds a claim (once_per), from the transaction that stores what it owes until all of that is
//     cancelled. A newer version of an entry cancels what the older one left unsent before it is judged itself, so it may
//     take the claim over in its own transaction.
//   - A replay of an event is stored whole or not at all. It owes deliveries with numbers that the event has not given out
//     before, and touches nothing that goes with the entry.
//   - The files of the newest rules that came into force are kept as they were read (C15).
//   - Nothing that is owed or dead, that is newest of its entry, or that later judgements stand on is ever pruned.
//   - While the disk is full or another program holds the file, ErrUnavailable is returned and nothing is changed;
//     after a failed flush, or in a corrupt file, nothing is acknowledged ever again (C17).
//   - One daemon at a time holds a file: a lock on a second file tells. Commands open the file beside it, with
//     short transactions.
package store
