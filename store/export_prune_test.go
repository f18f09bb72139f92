package store

// Statements of pruning whose plans are looked at, and the sizes of its steps.
const (
	LookForPrunable, IsPrunable                 = lookForPrunable, isPrunable
	DropAttempts, DropDeliveries, DropEvent     = dropAttempts, dropDeliveries, dropEvent
	EntriesOf                                   = `SELECT 1 FROM entries WHERE event = ?` // what SQLite asks when an event is removed
	PruneLook, PruneBatch                   int = pruneLook, pruneBatch
)
