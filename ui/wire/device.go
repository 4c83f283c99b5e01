package wire

// Moved says that a training has lost its device and goes on from its last checkpoint, on
// the Device named now: another one, or the same.
type Moved struct {
	Device  string `json:"device"`
	Why     string `json:"why"`     // as in [Loaded]
	Message string `json:"message"` // what happened
}

func (Moved) wireType() string { return "moved" }

func init() { register(Moved{}) }
