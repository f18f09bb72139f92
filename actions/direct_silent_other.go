//go:build !unix

package actions

import "net"

// silent takes every connection for good: a call over one that has ended is made again.
func silent(net.Conn) bool { return true }
