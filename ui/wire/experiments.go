package wire

// Experiments are what papers say of prefixes, rerun on small models that come with the
// page. They use the session's device and leave its model, prefixes and data alone.

// ListExperiments asks which there are, and about how long each takes here. Answered by
// [Experiments].
type ListExperiments struct {
	ID int `json:"id"`
}

// Experiments lists them: at once, and again with Timed set when a trial of the device has
// said how long they take.
type Experiments struct {
	ID    int          `json:"id"`
	Items []Experiment `json:"items"`
	Timed bool         `json:"timed,omitempty"`
}

// Experiment is one of them. Where it has Parts, they are run one at a time.
type Experiment struct {
	Name    string           `json:"name"` // "E1"
	Title   string           `json:"title"`
	Says    string           `json:"says"`              // what the paper says, and why it matters
	Paper   string           `json:"paper"`             // with its arXiv number
	Brief   string           `json:"brief,omitempty"`   // what is less here than in the full run
	Bytes   int64            `json:"bytes"`             // of the pretrained model, fetched when it starts
	Seconds float64          `json:"seconds,omitempty"` // about; 0: not known
	Parts   []ExperimentPart `json:"parts,omitempty"`
}

// ExperimentPart is a piece that makes sense alone. Says and Paper are "" where the
// experiment's own do.
type ExperimentPart struct {
	Name    string  `json:"name"`
	Label   string  `json:"label"`
	Says    string  `json:"says,omitempty"`
	Paper   string  `json:"paper,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
}

// RunExperiment starts one, or a part of one; [Stop] ends it. [Progress] says what is done
// now, in thousandths of the whole.
type RunExperiment struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	Part string `json:"part,omitempty"`
}

// ExperimentStep is a piece of the loss curve of one training: Loss[i] is that of step
// First+i, or, where Val is set, validation's at step First.
type ExperimentStep struct {
	ID    int       `json:"id"`
	Curve string    `json:"curve"`
	First int       `json:"first"`
	Total int       `json:"total"`
	Loss  []float64 `json:"loss"`
	Val   bool      `json:"val,omitempty"`
}

// ExperimentResult is what was found so far. Done says that no more comes, and Why whether
// that is its end ("") or it was stopped.
type ExperimentResult struct {
	ID      int             `json:"id"`
	Notes   []string        `json:"notes,omitempty"`
	Rows    []ExperimentRow `json:"rows,omitempty"`
	Seconds float64         `json:"seconds"` // since it was started
	Done    bool            `json:"done,omitempty"`
	Why     string          `json:"why,omitempty"`
}

// ExperimentRow is one figure beside the paper's. Where it is how well a prefix For one task
// does On another, both are named; For is "" without a prefix.
type ExperimentRow struct {
	What  string `json:"what"`
	Paper string `json:"paper,omitempty"`
	Ours  string `json:"ours"`
	Want  string `json:"want,omitempty"` // what has to be reached; "": nothing
	Met   bool   `json:"met,omitempty"`
	For   string `json:"for,omitempty"`
	On    string `json:"on,omitempty"`
}

func (ListExperiments) wireType() string  { return "listExperiments" }
func (Experiments) wireType() string      { return "experiments" }
func (RunExperiment) wireType() string    { return "runExperiment" }
func (ExperimentStep) wireType() string   { return "experimentStep" }
func (ExperimentResult) wireType() string { return "experimentResult" }

func init() {
	register(ListExperiments{}, Experiments{}, RunExperiment{}, ExperimentStep{}, ExperimentResult{})
}
