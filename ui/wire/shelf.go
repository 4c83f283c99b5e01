package wire

// The shelf is the prefixes that the worker holds for the loaded model: trained here,
// imported, or blended of two others. At most one is in use: it is exported, and it
// answers where no other is named.

// Shelf lists them, after every change.
type Shelf struct {
	Items []Shelved `json:"items"`
	InUse int       `json:"inUse"` // a key, 0 for none
}

// Shelved is one prefix of the shelf.
type Shelved struct {
	Key      int     `json:"key"` // from 1, never given twice
	Name     string  `json:"name"`
	Origin   string  `json:"origin"` // "training", "trained", "imported" or "blend"
	Kind     string  `json:"kind"`   // what it is, in a word or two: "Keys and values", "LoRA" …
	Slots    int     `json:"slots"`  // that count: without those pruned or beyond the length
	Of       int     `json:"of"`     // slots trained
	Step     int     `json:"step,omitempty"`
	ValLoss  float64 `json:"valLoss,omitempty"`
	BaseLoss float64 `json:"baseLoss,omitempty"`
	Alone    string  `json:"alone,omitempty"`  // why it can't be blended; "" means that it can
	Nested   bool    `json:"nested,omitempty"` // [SetLength] can set its length
	Parts    []int   `json:"parts,omitempty"`  // of a blend: the keys of its two prefixes
	Share    float64 `json:"share"`            // of a blend: how much of the second there is, 0 to 1
	Note     string  `json:"note,omitempty"`   // what a person should know of it
}

// Use puts a prefix of the shelf in use, or none (key 0): the bare model.
type Use struct {
	Key int `json:"key"`
}

// Forget takes a prefix off the shelf.
type Forget struct {
	Key int `json:"key"`
}

// Blend puts a blend of two prefixes on the shelf and in use; with a Key it moves the
// share of a blend that is there. Answered by [Shelf].
type Blend struct {
	ID     int     `json:"id"`
	Key    int     `json:"key,omitempty"`
	First  int     `json:"first,omitempty"`
	Second int     `json:"second,omitempty"`
	Share  float64 `json:"share"` // 0 is the first alone, 1 the second alone
}

// SetLength makes only the first slots of a nested prefix count. Answered by [Shelf].
type SetLength struct {
	ID     int `json:"id"`
	Key    int `json:"key"`
	Length int `json:"length"`
}

// Copy is a finished prefix of the shelf, as its blob: what the page gives, with [Again],
// to a worker that comes after this one. It has none where the prefix can't be copied.
type Copy struct {
	Key int `json:"key"`
}

// Again lays a prefix on the shelf and puts it in use, under the key that it had with
// another worker: out of its [Copy], the blob, or, a blend, out of its parts, which are
// there already. With Quiet what was in use stays so. Answered by [Shelf].
type Again struct {
	ID    int     `json:"id"`
	Item  Shelved `json:"item"`
	Quiet bool    `json:"quiet,omitempty"`
}

// Lengths is what validation says of several lengths: of one nested prefix, whose length
// [SetLength] changes, or of one trial run each (Key 0).
type Lengths struct {
	ID     int           `json:"id"` // of the training
	Key    int           `json:"key,omitempty"`
	Points []LengthPoint `json:"points"` // by length
	Picked int           `json:"picked,omitempty"`
}

// LengthPoint is one length. Error is the standard error of the loss' difference from
// the best length's, over the same examples.
type LengthPoint struct {
	Slots int     `json:"slots"`
	Loss  float64 `json:"loss"`
	Error float64 `json:"error"`
}

func (Shelf) wireType() string     { return "shelf" }
func (Use) wireType() string       { return "use" }
func (Forget) wireType() string    { return "forget" }
func (Blend) wireType() string     { return "blend" }
func (SetLength) wireType() string { return "setLength" }
func (Copy) wireType() string      { return "copy" }
func (Again) wireType() string     { return "again" }
func (Lengths) wireType() string   { return "lengths" }

func init() {
	register(Shelf{}, Use{}, Forget{}, Blend{}, SetLength{}, Copy{}, Again{}, Lengths{})
}
