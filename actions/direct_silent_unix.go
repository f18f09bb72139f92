//go:build unix

package actions

import (
	"net"
	"syscall"
)

// silent tells whether a connection still stands and has nothing to say, without waiting.
func silent(wire net.Conn) bool {
	raw, ok := wire.(syscall.Conn)
	if !ok {
		return true
	}
	conn, err := raw.SyscallConn()
	if err != nil {
		return false
	}
	nothing := false
	err = conn.Read(func(fd uintptr) bool {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		nothing = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true
	})
	return err == nil && nothing
}
