//go:build !race

package storetest

// orders is how many random orders of a set of events are told.
const orders = 10_000
