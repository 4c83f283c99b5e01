//go:build unix

package hostile

import (
	"syscall"
	"time"
)

// slack is 1: a processor's time does not depend on what runs beside.
const slack = 1

// used is the processor time of this process so far.
func used() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
