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
	Own    bool      `json:"own,omitempty"`   // the prefix has a softmax of its own: of gate g, a share is |g|/(1 + |g|)
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

// Inspect asks what a prefix is made of. Answered by [Inspected].
type Inspect struct {
	ID  int `json:"id"`
	Key int `json:"key"`
}

// Inspected is what a prefix is made of.
type Inspected struct {
	ID         int        `json:"id"`
	Key        int        `json:"key"`
	Name       string     `json:"name"`
	Slots      []SlotSeen `json:"slots"`
	Layers     []string   `json:"layers"`          // names of the attentions that have it
	LayerDrift []float64  `json:"layerDrift"`      // of each of these; none where the start is not known
	NoDrift    string     `json:"noDrift"`         // why there is no drift
	Fixed      string     `json:"fixed,omitempty"` // why [WhatIf] can't change it; "" means that it can
	Points     []MapPoint `json:"points"`          // all prefixes of the shelf that have keys and values, on one plane
	Part       [2]float64 `json:"part"`            // of their variance that each axis shows
}

// SlotSeen is one slot. Drift is ‖kv − kv₀‖/‖kv₀‖ from its start.
type SlotSeen struct {
	Word  string     `json:"word,omitempty"` // the token that it started as, "" where it was none
	Near  []NearWord `json:"near,omitempty"` // of an embedding, the nearest tokens of the vocabulary
	Drift float64    `json:"drift"`
}

// NearWord is a token with the cosine of its embedding and a slot's.
type NearWord struct {
	Text   string  `json:"text"`
	Cosine float64 `json:"cosine"`
}

// MapPoint is a prefix on the plane of its first two principal components, or the start that
// it was trained from.
type MapPoint struct {
	Key   int     `json:"key"`
	Name  string  `json:"name"`
	Start bool    `json:"start,omitempty"`
	X     float64 `json:"x"`
	Y     float64 `json:"y"`
}

// WhatIf asks how a changed prefix answers; the shelf's stays as it is. Answers come as
// [Sample] events with this ID.
type WhatIf struct {
	ID        int     `json:"id"`
	Key       int     `json:"key"`
	Prompt    string  `json:"prompt"`
	Before    []Turn  `json:"before,omitempty"`
	MaxTokens int     `json:"maxTokens"`
	Scale     float64 `json:"scale"`            // on the slots' weight in the softmax; 1 is as trained
	Slots     []int   `json:"slots,omitempty"`  // switched off, from 0
	Layers    []int   `json:"layers,omitempty"` // of [Inspected].Layers, switched off, from 0
	With      int     `json:"with,omitempty"`   // key of a prefix of the same shape
	Share     float64 `json:"share"`            // how far towards that one, 0 to 1
}

func (Inspect) wireType() string   { return "inspect" }
func (Inspected) wireType() string { return "inspected" }
func (WhatIf) wireType() string    { return "whatIf" }

func (Look) wireType() string   { return "look" }
func (Looked) wireType() string { return "looked" }

func init() { register(Look{}, Looked{}, Inspect{}, Inspected{}, WhatIf{}) }
