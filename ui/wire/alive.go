package wire

// Ping asks the worker for a sign of life; it answers [Pong] at once, unless it is in the
// middle of a step.
type Ping struct{}

// Pong answers [Ping].
type Pong struct{}

func (Ping) wireType() string { return "ping" }
func (Pong) wireType() string { return "pong" }

func init() { register(Ping{}, Pong{}) }
