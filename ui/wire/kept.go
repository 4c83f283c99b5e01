package wire

// Kept lists the models that were fetched into this browser, and how much room the
// page has there; it comes after [Ready] and after every change. ID is that of the
// [Delete] it answers, if it answers one.
type Kept struct {
	ID     int         `json:"id,omitempty"`
	Models []KeptModel `json:"models"`
	Used   int64       `json:"used"`  // bytes, by everything the page keeps
	Quota  int64       `json:"quota"` // bytes, 0 where the browser does not tell
}

// KeptModel is one of them.
type KeptModel struct {
	Model string `json:"model"` // a Hugging Face id, or an address
	Bytes int64  `json:"bytes"` // that are here
	Of    int64  `json:"of"`    // of all its files that are known
	// Whole says that the model was loaded from what is here once: it needs no network.
	Whole bool `json:"whole,omitempty"`
}

// Delete takes a model out of the browser's storage; answered by [Kept].
type Delete struct {
	ID    int    `json:"id"`
	Model string `json:"model"`
}

// Choose ends a [Load] that has named several models: one of Files is to be named.
type Choose struct {
	ID    int          `json:"id"`
	Hub   string       `json:"hub"` // "owner/name", perhaps with a revision
	Files []ChosenFile `json:"files"`
}

// ChosenFile is a GGUF file, or the first part of one with the size of all its parts.
type ChosenFile struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

// Unloaded says that the worker holds no model any more: the one before had to make room
// for one that failed to load.
type Unloaded struct{}

func (Kept) wireType() string     { return "kept" }
func (Delete) wireType() string   { return "delete" }
func (Choose) wireType() string   { return "choose" }
func (Unloaded) wireType() string { return "unloaded" }

func init() { register(Kept{}, Delete{}, Choose{}, Unloaded{}) }
