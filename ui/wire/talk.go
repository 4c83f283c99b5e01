package wire

// Turn is what was said before a question. Answer is what those read who have not answered
// that turn themselves; Own has the answers of those who have, by key (0: the base model).
type Turn struct {
	Prompt string         `json:"prompt"`
	Answer string         `json:"answer"`
	Own    map[int]string `json:"own,omitempty"`
}

// Said is the answer that the prefix with this key reads.
func (t Turn) Said(key int) string {
	if own, ok := t.Own[key]; ok {
		return own
	}
	return t.Answer
}

// Measure asks how much of the model's context a question takes, without asking it.
// Answered by [Measured].
type Measure struct {
	ID  int      `json:"id"`
	Ask Generate `json:"ask"` // its own ID is not read
}

// Measured is the longest of what those who are asked would read.
type Measured struct {
	ID      int `json:"id"`
	Tokens  int `json:"tokens"`          // of the question with all that stands before it
	Room    int `json:"room"`            // tokens that the model can read before it answers
	Context int `json:"context"`         // of the model, answer and prefix included
	Turns   int `json:"turns,omitempty"` // of the oldest turns so many are left out, to make room
	Bytes   int `json:"bytes,omitempty"` // and so much of the question's beginning
}

func (Measure) wireType() string  { return "measure" }
func (Measured) wireType() string { return "measured" }

func init() { register(Measure{}, Measured{}) }
