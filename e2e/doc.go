// Package e2e looks at the router's page as a person does: the program itself in a process of its own, real events over
// real sockets, and Chromium. It is a module of its own, so that the browser's protocol stays out of the router's go.mod.
// Without a Chromium on the machine its tests skip, and say so.
package e2e
