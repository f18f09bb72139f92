// Package powerloss tells what may lie on a disk after the power failed, and whether a store on it has kept what the
// router promised (C1, F6). It works from a trace of the system calls of a router that ran undisturbed: what was flushed
// is kept, the rest is dropped, cut and reordered, as a disk may do.
//
// Terms:
//
//   - A call is a system call of the trace; an operation is what it did to the disk, or told the world.
//   - A change is an operation on the disk. It is open until its file or its directory is flushed.
//   - A choice says which open changes reached the disk, and which sectors of those that were cut.
//   - An image is the disk after a choice.
//   - A promise is what the world was told by then: an event acknowledged, a delivery settled.
//
// The package promises:
//
//   - A flush makes durable what had ended before it began, once it has ended: nothing else does, closing a file least of
//     all. A name is made durable by a flush of its directory only.
//   - A promise counts from the beginning of the call that told it.
//   - What the model does not know, such as a file of the store that is mapped for writing, is an error. It is never
//     passed over.
//   - A seed gives the same images of the same trace.
package powerloss
