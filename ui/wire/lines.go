package wire

// Lines asks for the examples as JSON lines, to edit them, or to put those of another file,
// the blob, behind them. Answered by [Lined].
type Lines struct {
	ID    int    `json:"id"`
	Name  string `json:"name,omitempty"`  // of the other file
	Alone bool   `json:"alone,omitempty"` // the other file's only
}

// Lined carries the lines as its blob.
type Lined struct {
	ID    int `json:"id"`
	Count int `json:"count"`
	New   int `json:"new,omitempty"` // of them those of the other file
	Bad   int `json:"bad,omitempty"` // records that can't be read, and are not among them
}

// Column is one of a file of examples whose columns mean nothing here, with its texts in
// the first rows.
type Column struct {
	Name  string   `json:"name"`
	Cells []string `json:"cells"`
}

func (Lines) wireType() string { return "lines" }
func (Lined) wireType() string { return "lined" }

func init() { register(Lines{}, Lined{}) }
