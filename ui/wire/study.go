package wire

// Text hands over a text to learn: a document to know, or an instruction to follow. It is
// the blob, or Content where it was typed. The worker reads it, tries out how fast it can
// study it, and answers with [TextRead].
type Text struct {
	ID      int    `json:"id"`
	Name    string `json:"name"`
	Kind    string `json:"kind"` // "document" or "instruction"
	Content string `json:"content,omitempty"`
}

// TextRead describes the text, and says before anything starts how long studying takes.
type TextRead struct {
	ID          int      `json:"id"`
	Name        string   `json:"name"`
	Kind        string   `json:"kind"`
	Bytes       int      `json:"bytes"`
	Tokens      int      `json:"tokens"`      // as it stands in context
	Chunks      int      `json:"chunks"`      // parts that are studied one at a time
	Slots       int      `json:"slots"`       // a length that suits it
	SlotBytes   int      `json:"slotBytes"`   // of a slot, or a token in context, in memory
	RoundMillis float64  `json:"roundMillis"` // to write a round, by a trial
	Round       int      `json:"round"`       // conversations a round
	RowMillis   float64  `json:"rowMillis"`   // to learn from one token, roughly, by the same trial
	Notes       []string `json:"notes,omitempty"`
}

// Write asks for conversations about the text until there are so many; what was written
// before counts. Pause, Resume and Stop act as on a training; Stop keeps what is written.
// Answered by [Written] as it goes and once at the end.
type Write struct {
	ID            int    `json:"id"`
	Conversations int    `json:"conversations"`
	Seed          uint64 `json:"seed"`
}

// Conversations gives a worker what was written before, in the blob: that of a [Written]. It is
// about the text that the worker has, and answered by [Written].
type Conversations struct {
	ID int `json:"id"`
}

// Written reports a round of conversations. Done says that no more come; all of them are then in
// the blob, as a file for another worker.
type Written struct {
	ID      int       `json:"id"`
	Count   int       `json:"count"` // in all
	Total   int       `json:"total"`
	Said    []Example `json:"said,omitempty"` // the round's: questions and answers
	Tokens  float64   `json:"tokens"`         // of a conversation, mean
	LeftSec float64   `json:"leftSec"`        // to the total
	Done    bool      `json:"done,omitempty"`
	Hash    string    `json:"hash,omitempty"` // of that file, SHA-256
}

func (Text) wireType() string          { return "text" }
func (TextRead) wireType() string      { return "textRead" }
func (Conversations) wireType() string { return "conversations" }
func (Write) wireType() string         { return "write" }
func (Written) wireType() string       { return "written" }

func init() { register(Text{}, TextRead{}, Write{}, Conversations{}, Written{}) }
