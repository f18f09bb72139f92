package store

// Statements of pruning whose plans are looked at, and the sizes of its steps.
const (
	LookForPrunable, IsPrunable                 = lookForPrunable, isPrunable
	DropAttempts, DropDeliveries, DropEvent     = dropAttempts, dropDeliveries, dropEvent
	PruneLook, PruneBatch                   int = pruneLook, pruneBatch
)
