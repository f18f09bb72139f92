//go:build !linux

package main

import "syscall"

// bound has a process hear no signal that is meant for us. That it ends with us can be asked of Linux alone.
func bound() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
