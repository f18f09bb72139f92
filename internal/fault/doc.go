// Package fault lets a build made for torture break where it is told to. In every other build it is nothing: without the
// build tag `faults` its functions are constants and empty bodies, and the compiler leaves out whatever hangs on them.
//
// Terms:
//
//   - A point is a named place in the code at which a process may be killed, or one goroutine of it stalled.
//   - A bug is planted: a mistake that the program could have, switched on by name. A harness that does not notice it
//     proves nothing.
//   - A time is a named duration that a run under torture needs to be shorter.
//
// With the tag, the environment says what happens:
//
//	PEANUTS_FAULT_KILL=after-commit:3           the third time a goroutine comes to that point, the process dies by SIGKILL
//	PEANUTS_FAULT_STALL=before-settle:40:3s     every fortieth time, the goroutine sleeps there
//	PEANUTS_FAULT_PLANTED=dedupe-in-memory      these bugs are in the program, several with commas
//	PEANUTS_FAULT_TIMES=lease=2s,sweep=200ms    these times are others
//	PEANUTS_FAULT_CLOCK=24h@0s,-24h@2s          the machine's clock is a day ahead at the start, and right after two seconds
package fault

// Point names a place at which a process can be made to die.
type Point string

// The points, in the order in which an event meets them.
const (
	Rendering     Point = "rendering"      // the messages of an event are made in an open transaction, and it does not stand there yet
	Accepting     Point = "accepting"      // an event stands in an open transaction, with nothing that follows from it
	BeforeCommit  Point = "before-commit"  // a group of writes is carried out, and not committed
	AfterCommit   Point = "after-commit"   // it is, and nobody has been told
	BeforeAnswer  Point = "before-answer"  // an event is stored, and the webhook has not answered
	Leasing       Point = "leasing"        // leases were taken in an open transaction
	BeforeSend    Point = "before-send"    // an attempt is about to begin
	BeforeSettle  Point = "before-settle"  // the target has answered, and that is not recorded
	Settling      Point = "settling"       // a result stands in an open transaction
	Burying       Point = "burying"        // that a delivery is dead stands in an open transaction
	HalfDead      Point = "half-dead"      // between the two transactions of the planted bug DeadInTwo
	Checkpointing Point = "checkpointing"  // the log is about to be copied into the file
	SwappingRules Point = "swapping-rules" // new rules are in force, and the senders of the old ones still open
	FreeingLeases Point = "freeing-leases" // leases of the process before were taken back in an open transaction
	Migrating     Point = "migrating"      // the schema is about to be made, and then: it is, and its sum is not noted
	Mending       Point = "mending"        // dead letters were replayed or discarded in an open transaction
	Pruning       Point = "pruning"        // old events were removed in an open transaction
)

// Bug names a mistake that can be planted.
type Bug string

// The bugs.
const (
	AckBeforeCommit   Bug = "ack-before-commit"        // the webhook answers 200 before the event is committed
	MarkBeforeSend    Bug = "delivered-before-sending" // a delivery is recorded as delivered before it is sent
	LeaseForever      Bug = "lease-never-expires"      // neither a restart nor time takes a lease back
	StaleResults      Bug = "no-generation-check"      // a result counts without the lease it was made under
	KeyPerAttempt     Bug = "key-per-attempt"          // each attempt goes out under a key of its own
	DedupeInMemory    Bug = "dedupe-in-memory"         // the same bytes are known again by the same process only
	AttemptsForgotten Bug = "attempts-reset-at-start"  // retry plans begin anew when the router starts
	DeadInTwo         Bug = "dead-letter-in-two"       // that a delivery is dead and why are two transactions
	ReloadDrops       Bug = "reload-drops-in-flight"   // a reload forgets the attempts that are under way
	DueAtStart        Bug = "due-times-recomputed"     // whatever waits is due when the router starts
	RenderedAtSend    Bug = "rendered-at-send"         // messages are made when they are sent, not when the rule fires
)

// Time names a duration that can be made shorter.
type Time string

// The times.
const (
	Lease Time = "lease" // for how long a lease is given
	Sweep Time = "sweep" // how often expired leases are looked for
)
