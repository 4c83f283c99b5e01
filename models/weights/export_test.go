package weights

import "time"

// SetPause shortens the wait before a second try.
func (h *HTTP) SetPause(d time.Duration) { h.pause = d }
