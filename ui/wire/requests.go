package wire

// Requests: from the page to the worker.

// Load asks for a model. Exactly one of Bundled, Hub and URL is set, or Files is
// not zero: then that many [File] messages with the same ID follow. Device is
// "auto", "webgpu", "simd" or "cpu".
type Load struct {
	ID      int    `json:"id"`
	Bundled string `json:"bundled,omitempty"` // folder under static/models
	// Hub is a Hugging Face model id, "owner/name", perhaps with a revision and a file or a
	// folder: "owner/name@revision:folder/model.gguf". [Choose] answers where there are
	// several models and it names none.
	Hub     string `json:"hub,omitempty"`
	Token   string `json:"token,omitempty"`   // for the hub's gated models; nothing keeps it
	HubBase string `json:"hubBase,omitempty"` // a mirror of the hub; "": [Hub]
	URL     string `json:"url,omitempty"`     // a .gguf, or a folder with config.json
	Files   int    `json:"files,omitempty"`   // dropped files that follow
	Device  string `json:"device"`
	// Precision of products with the frozen weights: "exact", in float32, or "fast", in
	// integers of 8 or 16 bits where the device finds that faster. "": [DefaultPrecision].
	Precision string `json:"precision,omitempty"`
}

// File carries one dropped model file; the browser's File object travels beside
// it and is read by range, never whole.
type File struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	Size int64  `json:"size"`
}

// Data hands over a file of examples (the bytes are the blob). The worker
// answers with [Dataset].
type Data struct {
	ID   int         `json:"id"`
	Name string      `json:"name"`
	Opts DataOptions `json:"opts"`
}

// Held brings a file of one's own (the blob) to validate on, or to test on, in place of a share
// of the examples; one without a name takes that file away again. Answered by [Dataset].
type Held struct {
	ID   int    `json:"id"`
	Side string `json:"side"` // "validation" or "test"
	Name string `json:"name"`
}

// Reparse reads the current file of examples again with other options.
type Reparse struct {
	ID   int         `json:"id"`
	Opts DataOptions `json:"opts"`
}

// DataOptions says how examples become text.
type DataOptions struct {
	SkipBad bool  `json:"skipBad"`        // leave out the lines in Dataset.Errors
	Space   bool  `json:"space"`          // put a space before each completion that lacks one
	Chat    *bool `json:"chat,omitempty"` // wrap in the model's chat template; nil: where it has one
	// ChatTemplate names one of [Loaded].Chats; "" is the model's default.
	ChatTemplate string  `json:"chatTemplate,omitempty"`
	System       *string `json:"system,omitempty"`   // system message; nil is the template's own, "" none
	Template     string  `json:"template,omitempty"` // "{text}\nSentiment:{label}" and the like
	ValShare     float64 `json:"valShare"`           // 0 is the default, 0.2
	// TestShare is set aside before the split and read by no training and no validation; 0: none.
	TestShare float64 `json:"testShare,omitempty"`
	Seed      uint64  `json:"seed"`
	Cut       bool    `json:"cut,omitempty"`   // cut long examples: the prompt's beginning, the answer's end
	Turns     bool    `json:"turns,omitempty"` // learn every answer of a conversation, not the last alone
	// Vars switches variables of the chat template (enable_thinking); others keep its
	// own defaults.
	Vars map[string]bool `json:"vars,omitempty"`
	// PromptColumn and CompletionColumn name the keys, or columns, of records that have
	// names of their own.
	PromptColumn     string `json:"promptColumn,omitempty"`
	CompletionColumn string `json:"completionColumn,omitempty"`
}

// Train starts training on the current data. Either Steps or Minutes is set. See
// [Train.Resolve] for what is left open.
type Train struct {
	ID        int               `json:"id"`
	Steps     int               `json:"steps,omitempty"`
	Minutes   float64           `json:"minutes,omitempty"`
	Batch     int               `json:"batch"`               // examples a step
	LR        float64           `json:"lr"`                  // 0: the method's default
	WarmUp    int               `json:"warmUp,omitempty"`    // steps; 0: as suits the schedule
	Schedule  string            `json:"schedule"`            // one of Schedules
	Optimizer string            `json:"optimizer,omitempty"` // one of Optimizers
	Seed      uint64            `json:"seed"`
	Method    map[string]string `json:"method"`             // axis or setting → choice, see Methods
	Patience  int               `json:"patience"`           // evaluations in a row without improvement before it ends; 0: never
	Eval      int               `json:"eval,omitempty"`     // steps between evaluations; 0: as suits the schedule
	Keep      int               `json:"keep,omitempty"`     // steps between copies of the prefix, see [Snapshot]; 0: none but the last
	Text      bool              `json:"text,omitempty"`     // learn the text from its conversations, not the examples
	Slots     int               `json:"slots,omitempty"`    // with Text: length of the prefix; 0: the text's own
	From      int               `json:"from,omitempty"`     // key of the prefix that "start=prefix" goes on from; 0: the one in use
	Resume    bool              `json:"resume,omitempty"`   // go on from the checkpoint that is the blob: see [Checkpoint]
	Tried     []Tried           `json:"tried,omitempty"`    // with Resume: the lengths whose trials are done
	Replaces  []int             `json:"replaces,omitempty"` // keys of prefixes that give way to this one: a full shelf has room for it
}

// Tried is what the trial of a length came to, on each held-out example: its mean loss and its
// tokens.
type Tried struct {
	Length int       `json:"length"` // as asked for
	Slots  int       `json:"slots"`  // as it was
	Loss   []float64 `json:"loss"`
	Tokens []int     `json:"tokens"`
}

// Pause, Resume and Stop act on the current training within 200 ms. Stop keeps
// the best prefix so far.
type (
	Pause  struct{}
	Resume struct{}
	Stop   struct{}
)

// Generate asks for a continuation of Prompt; answers come as [Sample] events.
type Generate struct {
	ID            int      `json:"id"`
	Prompt        string   `json:"prompt"`
	Base          bool     `json:"base"`  // by the frozen model
	Tuned         bool     `json:"tuned"` // with the prefix in use, or with each of Keys
	Keys          []int    `json:"keys,omitempty"`
	Before        []Turn   `json:"before,omitempty"` // the conversation so far
	System        *string  `json:"system,omitempty"` // system message; nil: as in training, "": none
	MaxTokens     int      `json:"maxTokens"`
	Temperature   float64  `json:"temperature"` // 0 is greedy
	TopK          int      `json:"topK,omitempty"`
	TopP          float64  `json:"topP,omitempty"`
	MinP          float64  `json:"minP,omitempty"`
	RepeatPenalty float64  `json:"repeatPenalty,omitempty"`
	Seed          uint64   `json:"seed"`
	Stop          []string `json:"stop,omitempty"`
}

// Cancel ends the request with that ID early: a load or a generation.
type Cancel struct {
	ID int `json:"id"`
}

// What an export may be for, beside PEFT and this page: llama.cpp, or a page of its own
// that carries model, prefix and engine.
const (
	ForLlamaCpp = "llama.cpp"
	ForPage     = "page"
)

// Export asks for the trained prefix as a zipped PEFT adapter, or [ForLlamaCpp] as a zip of
// files, or [ForPage] as a page; answered by [Part] events where it is large, and by [Exported].
type Export struct {
	ID    int    `json:"id"`
	For   string `json:"for,omitempty"` // "": PEFT and this page
	Name  string `json:"name"`
	Task  string `json:"task,omitempty"`  // one or two words, for a card
	About string `json:"about,omitempty"` // one or two sentences, for a card
}

// Import hands over a zipped adapter (the blob), or says where one lies: a place on the hub
// as in [Load], or the address of a .zip or of a folder; answered by [Imported].
type Import struct {
	ID      int    `json:"id"`
	Name    string `json:"name"`
	From    string `json:"from,omitempty"`
	Token   string `json:"token,omitempty"` // as in [Load], as HubBase
	HubBase string `json:"hubBase,omitempty"`
}

func (Load) wireType() string     { return "load" }
func (File) wireType() string     { return "file" }
func (Data) wireType() string     { return "data" }
func (Held) wireType() string     { return "held" }
func (Reparse) wireType() string  { return "reparse" }
func (Train) wireType() string    { return "train" }
func (Pause) wireType() string    { return "pause" }
func (Resume) wireType() string   { return "resume" }
func (Stop) wireType() string     { return "stop" }
func (Generate) wireType() string { return "generate" }
func (Cancel) wireType() string   { return "cancel" }
func (Export) wireType() string   { return "export" }
func (Import) wireType() string   { return "import" }

func init() {
	register(Load{}, File{}, Data{}, Held{}, Reparse{}, Train{}, Pause{}, Resume{}, Stop{},
		Generate{}, Cancel{}, Export{}, Import{})
}
