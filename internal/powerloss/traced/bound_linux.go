package traced

import "syscall"

// bound has a process end with the thread that started it.
func bound() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
