package wire

// Checkpoint carries, as its blob, the file of a checkpoint of the training under way: what
// a [Train] with Resume, and that blob, goes on from, after Step. It comes several times a
// minute, and when a training is stopped.
type Checkpoint struct {
	ID    int   `json:"id"` // of the training
	Step  int   `json:"step"`
	Train Train `json:"train"` // what to ask for
}

// Snapshot carries, as its blob, the zip of the prefix as it was after Step: what [Again]
// lays on the shelf. It comes every [Train].Keep steps, and after the last one where
// another was the best.
type Snapshot struct {
	ID   int    `json:"id"` // of the training
	Step int    `json:"step"`
	Name string `json:"name"` // of the prefix
	Kind string `json:"kind"` // as in [Shelved]
	Of   int    `json:"of"`
}

func (Checkpoint) wireType() string { return "checkpoint" }
func (Snapshot) wireType() string   { return "snapshot" }

func init() { register(Checkpoint{}, Snapshot{}) }
