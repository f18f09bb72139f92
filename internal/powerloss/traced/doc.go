// Package traced runs a real router under strace, sends it events, and gives what it did to its disk and told the world.
//
// Terms:
//
//   - A run is one life of a router, from an empty directory to SIGTERM, with so many events.
//   - The target is an HTTP endpoint in this process. It takes deliveries, and refuses those of one of two actions.
//
// The package promises that a run whose trace does not hold each answer that the senders got is an error, so that images
// made of it are not judged by too little.
package traced
