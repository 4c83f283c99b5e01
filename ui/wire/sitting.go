package wire

// Checkpoint carries, as its blob, the file of a checkpoint of the training under way: what
// a [Train] with Resume, and that blob, goes on from, after Step. It comes several times a
// minute, and when a training is stopped.
type Checkpoint struct {
	ID    int   `json:"id"` // of the training
	Step  int   `json:"step"`
	Train Train `json:"train"` // what to ask for
}

func (Checkpoint) wireType() string { return "checkpoint" }

func init() { register(Checkpoint{}) }
