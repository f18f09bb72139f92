//go:build race

package storetest

// orders is how many random orders of a set of events are told: fewer where each is told fifteen times as slowly.
const orders = 500
