package main

import "syscall"

// bound has a process end with us, and hear no signal that is meant for us.
func bound() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
