package store

// The sizes of the steps of pruning.
const PruneLook, PruneBatch int = pruneLook, pruneBatch
