package wire

// Look asks what a prefix changed in an answer, and where the attention went: the answer is
// read by the bare model and with the prefix, token by token. Answered by [Looked].
type Look struct {
	ID     int    `json:"id"`
	Key    int    `json:"key"` // on the shelf
	Prompt string `json:"prompt"`
	Before []Turn `json:"before,omitempty"` // the conversation so far
	Answer string `json:"answer"`
	End    bool   `json:"end"` // the answer ended by itself: its end token is looked at too
}

// Looked is an answer as both models see it.
type Looked struct {
	ID     int           `json:"id"`
	Key    int           `json:"key"`
	Name   string        `json:"name"` // of the prefix
	Tokens []LookedToken `json:"tokens"`
	Left   int           `json:"left,omitempty"` // tokens of the answer beyond those that are looked at
	Map    *AttentionMap `json:"map,omitempty"`
	Why    string        `json:"why,omitempty"` // why there is no map
	Millis float64       `json:"millis"`        // that the map took
}

// LookedToken is one token of the answer. Base and Tuned are its log-probabilities; these,
// the entropies of both distributions and KL(tuned ‖ base) are in nats.
type LookedToken struct {
	Text         string   `json:"text"`
	Special      bool     `json:"special,omitempty"` // a control token: Text is its name
	Base         float64  `json:"base"`
	Tuned        float64  `json:"tuned"`
	BaseEntropy  float64  `json:"baseEntropy"`
	TunedEntropy float64  `json:"tunedEntropy"`
	KL           float64  `json:"kl"`
	BaseTop      []Likely `json:"baseTop"` // the likeliest tokens of each model, likeliest first
	TunedTop     []Likely `json:"tunedTop"`
}

// Likely is a token that could have stood there, with its log-probabilities in nats.
type Likely struct {
	Text  string  `json:"text"`
	Base  float64 `json:"base"`
	Tuned float64 `json:"tuned"`
}

// AttentionMap is the attention that goes to a prefix. Shares are in units of 1/65535, as
// little-endian integers of 16 bits: see [AttentionMap.At].
type AttentionMap struct {
	Layers []string  `json:"layers"` // names of the attentions that have the prefix
	Heads  int       `json:"heads"`
	Slots  int       `json:"slots"`
	Share  []byte    `json:"share"`           // that goes to all slots, [tokens, layers, heads]
	Weight []byte    `json:"weight"`          // that goes to each slot, mean over layers and heads, [tokens, slots]
	Own    bool      `json:"own,omitempty"`   // the prefix has a softmax of its own: every share is 1
	Gates  []float64 `json:"gates,omitempty"` // by layer, mean over slots; none without gates
	Words  []string  `json:"words,omitempty"` // by slot, the token that it started as; none where they started otherwise
}

// All is a share of everything, in the units of an [AttentionMap].
const All = 65535

// At is number i of the shares or weights x, 0 to 1; 0 beyond their end.
func (AttentionMap) At(x []byte, i int) float64 {
	if i < 0 || 2*i+1 >= len(x) {
		return 0
	}
	return float64(uint16(x[2*i])|uint16(x[2*i+1])<<8) / All
}

func (Look) wireType() string   { return "look" }
func (Looked) wireType() string { return "looked" }

func init() { register(Look{}, Looked{}) }
