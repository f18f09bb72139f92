// Package dispatch is the courier: it takes leased deliveries to the senders of their actions, records what came of
// each attempt, and decides when the next one is due.
//
// Terms:
//
//   - A lane is the way to one action: its own queue, its own bound on attempts at once, its own pauses. One lane never
//     waits for another (C8).
//   - A hand makes one attempt at a time; an action's concurrency says how many its lane has. A hand waits for the target
//     only: the result is recorded apart, while the next attempt is under way.
//   - A room is a place in a lane for a delivery with a lease: from when it is reserved or leased until its result is
//     recorded. Work about to be accepted reserves one, is stored as leased, and is handed over in memory; so what is
//     fresh never waits for a look into the store. Where there is no room it is stored as due and leased later.
//   - A lane is held while its target asks to be left alone (a pause), while its breaker is open, or while its rate is used
//     up. What is held waits in the store and uses up no attempt; the store is told of it, for people and for a restart.
//     After a pause or an open breaker a lane comes back slowly.
//   - A plan says how often a delivery is tried and how long is waited in between. The waiting is done by the store, in
//     due times: nothing sleeps here, and a restart forgets nothing.
//
// The package promises:
//
//   - An attempt begins only with a lease that outlasts it, and its result counts only with that lease (C18).
//   - The action is looked up by its name at each attempt, so a reload reaches what is already owed (C14).
//   - Whatever a sender does, panics included, a delivery ends delivered, or dead with a reason, or waits with a due time.
//   - A target that fails is probed with one delivery at a time, and nothing is sent before the time that it asked for (C12).
//   - While the store cannot commit, nothing new is leased, and results are kept and brought again (C17).
//   - Run returns when all it started has ended; what was not begun is handed back (C22).
package dispatch
