//go:build !unix

package hostile

import "time"

var begun = time.Now()

// slack is how much more the clock may say than a processor's time would: other tests run
// beside, and a program compiled to WebAssembly is slower than the same program.
const slack = 3

// used is the time since the process began.
func used() time.Duration { return time.Since(begun) }
