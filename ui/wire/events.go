package wire

import "fmt"

// Events: from the worker to the page.

// Ready is the worker's first message.
type Ready struct {
	Models  []ModelOffer `json:"models"`
	Devices []DeviceInfo `json:"devices"`
	Axes    []Axis       `json:"axes"`
	Presets []Preset     `json:"presets,omitempty"`
}

// Preset is a choice on all axes that has a name. What Choice does not say is the
// default.
type Preset struct {
	ID       string            `json:"id"`
	Label    string            `json:"label"`
	Sentence string            `json:"sentence"`
	Formula  string            `json:"formula,omitempty"`
	Choice   map[string]string `json:"choice"`
}

// ModelOffer is a model that the page can load at once.
type ModelOffer struct {
	Name  string `json:"name"` // folder under static/models
	Title string `json:"title"`
	Bytes int64  `json:"bytes"`
	Note  string `json:"note"`
}

// DeviceInfo says of a device whether it can run here, and if not, why.
type DeviceInfo struct {
	Name string `json:"name"` // "webgpu", "simd", "cpu"
	OK   bool   `json:"ok"`
	Why  string `json:"why"`
}

// Axis is one independent choice of the method picker: what produces the prefix,
// how it is gated, how long it is, how it starts. Methods register themselves, so
// the page knows no method by name.
type Axis struct {
	ID      string   `json:"id"`
	Label   string   `json:"label"`
	EncDec  bool     `json:"encDec,omitempty"` // says something of encoder-decoders only
	Choices []Choice `json:"choices"`
}

// Choice is one value of an axis, with one plain sentence and its own settings.
type Choice struct {
	ID       string    `json:"id"`
	Label    string    `json:"label"`
	Sentence string    `json:"sentence"`
	Default  bool      `json:"default,omitempty"`
	Settings []Setting `json:"settings,omitempty"`
	PEFT     bool      `json:"peft"` // exports to a file that PEFT loads
}

// Setting is a number or a text that a choice needs. In [Train].Method its key is
// "choice.setting".
type Setting struct {
	ID      string   `json:"id"`
	Label   string   `json:"label"`
	Kind    string   `json:"kind"` // "int", "float", "text", "choice", "switch"
	Default string   `json:"default"`
	Min     float64  `json:"min,omitempty"`
	Max     float64  `json:"max,omitempty"`
	Options []string `json:"options,omitempty"`
	Help    string   `json:"help"`
}

// Progress reports a long action in plain words: Done of Total bytes, tokens or steps.
type Progress struct {
	ID    int    `json:"id"`
	Stage string `json:"stage"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}

// Loaded says that the model is ready.
type Loaded struct {
	ID          int            `json:"id"`
	Name        string         `json:"name"`
	Family      string         `json:"family"`
	Params      int64          `json:"params"`
	WeightBytes int64          `json:"weightBytes"`
	Context     int            `json:"context"` // tokens
	Vocab       int            `json:"vocab"`
	Layers      int            `json:"layers"`
	EncDec      bool           `json:"encDec,omitempty"` // an encoder reads the prompt
	Chat        bool           `json:"chat"`             // has a chat template
	Chats       []ChatTemplate `json:"chats,omitempty"`  // by name, the default first if there is one
	Fingerprint string         `json:"fingerprint"`      // of the frozen weights
	Device      string         `json:"device"`
	DeviceWhy   string         `json:"deviceWhy"`
	Arithmetic  string         `json:"arithmetic,omitempty"` // of products with the frozen weights: "float32", "8-bit integers"
	Notes       []string       `json:"notes,omitempty"`      // "12 tensors of type Q5_0 become Q8_0 without loss." …
	// What this model can't have, and why: options by "axis.option", presets by
	// "preset.id", "template.soft" and "text" ([Text]).
	Refused map[string]string `json:"refused,omitempty"`
}

// ChatTemplate is a chat template of the model: "" is the name of its default.
type ChatTemplate struct {
	Name     string   `json:"name,omitempty"`
	System   string   `json:"system,omitempty"`   // message that it adds by itself
	Switches []string `json:"switches,omitempty"` // variables that are on or off
}

// Dataset describes the parsed examples.
type Dataset struct {
	ID        int         `json:"id"`
	Name      string      `json:"name"`
	Hash      string      `json:"hash"`  // SHA-256 of the file, in hexadecimal
	Shape     string      `json:"shape"` // "prompt/completion", "text", "messages" …
	Count     int         `json:"count"`
	Train     int         `json:"train"`
	Val       int         `json:"val"`
	Test      int         `json:"test,omitempty"`
	ValFile   string      `json:"valFile,omitempty"`  // the file of one's own that is validated on
	TestFile  string      `json:"testFile,omitempty"` // and tested on
	Prompts   int         `json:"prompts"`            // distinct
	Errors    []LineError `json:"errors,omitempty"`
	Skipped   int         `json:"skipped"`
	Notes     []string    `json:"notes,omitempty"`
	NeedSpace bool        `json:"needSpace"`      // completions lack the space before them
	Chat      bool        `json:"chat,omitempty"` // wrapped in the model's chat template
	// Columns of a file of which it must be said, or was said, which two hold prompt and
	// completion.
	Columns  []Column  `json:"columns,omitempty"`
	Preview  []Preview `json:"preview"`
	HeldOut  []Example `json:"heldOut,omitempty"` // a few validation examples, to try
	MeanToks float64   `json:"meanTokens"`
	MaxToks  int       `json:"maxTokens"`
}

// LineError is one line of the file that could not be read.
type LineError struct {
	Line    int    `json:"line"`
	Message string `json:"message"`
}

// Preview is one example exactly as the model sees it.
type Preview struct {
	Prompt     string `json:"prompt"`
	Completion string `json:"completion"`
	End        string `json:"end,omitempty"` // the end token's own text, where one closes the completion
	Tokens     int    `json:"tokens"`
	Soft       []Soft `json:"soft,omitempty"` // slots of a template, in the prompt
}

// Soft is a run of soft slots, at a byte of a prompt.
type Soft struct {
	At    int `json:"at"`
	Slots int `json:"slots"`
}

// Example is one example as the file has it: before the chat template, which
// [Generate] applies to its Prompt just as training did.
type Example struct {
	Prompt     string `json:"prompt"`
	Completion string `json:"completion"`
}

// Planned says, before the first step, what training will need and do.
type Planned struct {
	ID         int      `json:"id"`
	Steps      int      `json:"steps"` // 0: not known yet, time is the limit
	StepMillis float64  `json:"stepMillis"`
	PeakBytes  int64    `json:"peakBytes"`
	Trainable  int64    `json:"trainable"` // parameters
	Slots      int      `json:"slots"`
	LR         float64  `json:"lr"`
	Recompute  bool     `json:"recompute"`
	Notes      []string `json:"notes,omitempty"`
}

// Step reports training steps, a few times a second at most. Loss[i] belongs to
// step First+i.
type Step struct {
	First     int       `json:"first"`
	Loss      []float64 `json:"loss"`
	GradNorm  float64   `json:"gradNorm"`
	LR        float64   `json:"lr"`
	TokensSec float64   `json:"tokensSec"`
	LeftSec   float64   `json:"leftSec"`
	Total     int       `json:"total"`             // 0: not known yet, time is the limit
	Skipped   int       `json:"skipped,omitempty"` // of these, whose gradient was not finite: nothing changed
}

// Eval reports validation loss, in nats a completion token. Step 0 is the start
// value; Base is the frozen model's own loss on the same examples. Where only Rows of the Of
// held-out examples were read, Loss is what they let expect of all, and Best is false.
type Eval struct {
	Step int     `json:"step"`
	Loss float64 `json:"loss"`
	Base float64 `json:"base"`
	Best bool    `json:"best"`
	Rows int     `json:"rows,omitempty"` // 0: all
	Of   int     `json:"of,omitempty"`
}

// By says of how many held-out examples an estimated loss is, "" where all were read.
func (e Eval) By() string {
	if e.Rows == 0 {
		return ""
	}
	return fmt.Sprintf("estimated by %d of %d", e.Rows, e.Of)
}

// State says what the worker is doing: "idle", "loading", "training", "writing",
// "experiment", "finding a rate", "paused".
type State struct {
	State string `json:"state"`
}

// Trained ends a training.
type Trained struct {
	ID         int     `json:"id"`
	Steps      int     `json:"steps"`
	BestStep   int     `json:"bestStep"`
	BestLoss   float64 `json:"bestLoss"`
	BaseLoss   float64 `json:"baseLoss"`
	Arithmetic string  `json:"arithmetic,omitempty"` // as in [Loaded]
	Why        string  `json:"why"`                  // "step limit", "validation stopped improving", "stopped", …
	Seconds    float64 `json:"seconds"`

	EvalSeconds float64 `json:"evalSeconds,omitempty"` // of Seconds, in evaluations after the start
}

// Sample is a piece of a generated answer. Which is "base" or "tuned", with the key of
// the prefix. The last piece has Done, and End when the model ended by itself; Turns and
// Bytes say what of the question it could not read (see [Measured]).
type Sample struct {
	ID        int     `json:"id"`
	Which     string  `json:"which"`
	Key       int     `json:"key,omitempty"`
	Text      string  `json:"text"`
	Done      bool    `json:"done"`
	End       bool    `json:"end"`
	Tokens    int     `json:"tokens"`
	TokensSec float64 `json:"tokensSec"`
	Turns     int     `json:"turns,omitempty"`
	Bytes     int     `json:"bytes,omitempty"`
}

// Exported carries the zip, or the last of it, as its blob. Where PEFT can't load it, Note says why, and
// Finish that a training from it, with its gates open, would make it so.
type Exported struct {
	ID     int    `json:"id"`
	Name   string `json:"name"`
	For    string `json:"for,omitempty"`
	PEFT   bool   `json:"peft"`
	Note   string `json:"note"`
	Finish bool   `json:"finish,omitempty"`
	Python string `json:"python,omitempty"` // lines that load and ask it
}

// Part carries the next bytes of an export as its blob; [Exported] comes last.
type Part struct {
	ID int `json:"id"`
}

// Imported says that a prefix is loaded.
type Imported struct {
	ID       int      `json:"id"`
	Key      int      `json:"key"` // on the shelf
	Name     string   `json:"name"`
	PeftType string   `json:"peftType"`
	Slots    int      `json:"slots"`
	Notes    []string `json:"notes,omitempty"`
}

// Error answers a request that failed (ID), or reports a fault of the worker
// itself (ID 0). Message says what and where; Hint says what to do. Fatal means
// that the worker is gone and the page should start another.
type Error struct {
	ID      int    `json:"id"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
	Fatal   bool   `json:"fatal"`
}

func (Ready) wireType() string    { return "ready" }
func (Progress) wireType() string { return "progress" }
func (Loaded) wireType() string   { return "loaded" }
func (Dataset) wireType() string  { return "dataset" }
func (Planned) wireType() string  { return "planned" }
func (Step) wireType() string     { return "step" }
func (Eval) wireType() string     { return "eval" }
func (State) wireType() string    { return "state" }
func (Trained) wireType() string  { return "trained" }
func (Sample) wireType() string   { return "sample" }
func (Exported) wireType() string { return "exported" }
func (Part) wireType() string     { return "part" }
func (Imported) wireType() string { return "imported" }
func (Error) wireType() string    { return "error" }

func init() {
	register(Ready{}, Progress{}, Loaded{}, Dataset{}, Planned{}, Step{}, Eval{}, State{},
		Trained{}, Sample{}, Part{}, Exported{}, Imported{}, Error{})
}
