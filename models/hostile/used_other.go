//go:build !unix

package hostile

import "time"

var begun = time.Now()

// used is the time since the process began.
func used() time.Duration { return time.Since(begun) }
