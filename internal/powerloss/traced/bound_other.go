//go:build !linux

package traced

import "syscall"

// bound asks for nothing: strace, and a process that ends with us, are of Linux alone.
func bound() *syscall.SysProcAttr { return nil }
