package engine

// Site is one kind of attention in a model.
type Site uint8

const (
	DecSelf Site = iota // decoder self-attention, the only one of a decoder-only model
	EncSelf             // encoder self-attention
	Cross               // decoder attention over the encoder's output
)

func (s Site) String() string { return [...]string{"decoder", "encoder", "cross"}[s] }

// Positions is how a model encodes positions.
type Positions uint8

const (
	Rotary   Positions = iota // keys are rotated, so a prefix key can be moved exactly
	Learned                   // a table is added to the embeddings: keys can't be moved
	Relative                  // scores have a bias by distance (T5)
)

// ModelInfo is what methods, trainers and exports need to know of a model.
type ModelInfo struct {
	Family    string // "llama", "gpt2", "t5" …
	Layers    int    // decoder blocks
	EncLayers int    // encoder blocks, 0 for decoder-only models
	Hidden    int
	Heads     int
	KVHeads   int
	HeadDim   int
	FF        int
	// Embeddings is the width of the embedding table, where a map to Hidden follows it (OPT-350M);
	// 0 is Hidden. What methods call embeddings is behind that map.
	Embeddings int
	Vocab      int
	Context    int // longest sequence in tokens, prefix included
	Positions  Positions
	Window     int                  // sliding window of local layers in tokens, 0 if none
	Local      []bool               // by layer: attends within Window
	Taps       int                  // rows that a short convolution sees, 0 where no layer has one
	Convolves  []bool               // by decoder layer: a short convolution in the place of attention
	Start      int32                // encoder-decoder: the token that its decoder begins with
	Linears    map[string]LinearMap // the linear maps that Hooks.Linear sees, by name
}

// EmbeddingWidth is the width of the embedding table.
func (i ModelInfo) EmbeddingWidth() int {
	if i.Embeddings > 0 {
		return i.Embeddings
	}
	return i.Hidden
}

// Attends says whether a decoder layer has an attention.
func (i ModelInfo) Attends(layer int) bool {
	return layer >= len(i.Convolves) || !i.Convolves[layer]
}

// Attending are the decoder's layers that have an attention, Convolving those that have a short
// convolution in its place.
func (i ModelInfo) Attending() (all []int) {
	for l := range i.Layers {
		if i.Attends(l) {
			all = append(all, l)
		}
	}
	return all
}

func (i ModelInfo) Convolving() (all []int) {
	for l := range i.Layers {
		if !i.Attends(l) {
			all = append(all, l)
		}
	}
	return all
}

// CacheFloats is how many numbers a cache has for each token.
func (i ModelInfo) CacheFloats() int {
	return len(i.Attending())*2*i.KVHeads*i.HeadDim + len(i.Convolving())*i.Hidden
}

// Role says what a linear map of a block computes.
type Role uint8

const (
	NoRole Role = iota // unknown
	Query              // of attention: queries, keys, values, and the map of its output
	Key
	Value
	AttentionOutput
	Gate // of a feed-forward part: the gate, the first and the last map
	Up
	Down
	ConvGate // of a short convolution: the gate of its input, that of its output, the input, and the map of its output
	ConvOutputGate
	ConvInput
	ConvOutput
)

// Attention says whether the map belongs to an attention.
func (r Role) Attention() bool { return r >= Query && r <= AttentionOutput }

// FeedForward says whether the map belongs to a feed-forward part.
func (r Role) FeedForward() bool { return r >= Gate && r <= Down }

// LinearMap is a linear map of a model.
type LinearMap struct {
	Role  Role
	Site  Site // the attention it belongs to; of a feed-forward part, that of its stack
	Layer int  // of its stack
	Out   int  // number of outputs
}

// Input is the input of a model's forward pass. Rows are packed; see the package doc.
type Input struct {
	IDs    Buffer // I32 [rows], or
	Hidden Buffer // F32 [rows, hidden]: embeddings or the input of block First
	Pos    Buffer // I32 [rows]: position of each row, prefix included
	Lo, Hi Buffer // I32 [rows]: each row's key range, in rows or cache slots

	// Sliding windows, for models with Info.Window > 0: the ranges of local layers.
	LoLocal, PLoLocal, PHiLocal Buffer // PHiLocal is all slots; None without a prefix

	First, Last int    // blocks [First, Last); Last 0 means all
	Cache       *Cache // nil: attend to these rows only
	Chosen      *Chosen
	Encoder     *Encoded // decoder of an encoder-decoder: what it attends to

	// Relative positions (T5), for the decoder: I32 positions of keys [keys], needed with
	// a cache and else Pos. Queries use Pos, prefix slots Segment.Pos.
	KPos Buffer
}

// Cache is a KV cache: the rows' keys and values are stored at Idx and attention
// reads the cache, whose slots Lo and Hi then count. Of a short convolution K holds its inputs,
// [slots, hidden], and V is None.
type Cache struct {
	K, V []Buffer // by layer: tensors [slots, kvHeads·headDim]
	Idx  Buffer   // I32 [rows]: slot of each row
}

// Chosen selects the rows whose output is needed. The last block computes queries, output
// and feed-forward part for them alone.
type Chosen struct {
	Idx, Pos, Lo, Hi            Buffer // I32 [chosen]; Idx are row indices, the others those rows' values
	LoLocal, PLoLocal, PHiLocal Buffer
	CrossLo, CrossHi            Buffer
}

// Encoded is an encoder's output and each decoder row's range in it.
type Encoded struct {
	Hidden Buffer // [enc rows, hidden]
	Lo, Hi Buffer // I32 [rows]
	// K, V: by decoder layer, Encode's CrossK and CrossV, for generation, which computes
	// them once; nil where they are computed from Hidden.
	K, V []Buffer
}

// Output is the result of a forward pass. Hidden is after the final norm.
type Output struct {
	Hidden Buffer   // [rows or chosen, hidden]
	Blocks []Buffer // by layer, the block's input [rows, hidden]
	K, V   []Buffer // by layer, of these rows, as attention reads them; of a short convolution its inputs and None
	// Of an encoder, by decoder layer: keys and values of its output, as cross-attention
	// reads them. They are computed only if they are read.
	CrossK, CrossV []Buffer
}

// Architecture appends a model's forward operations to a program. A program may
// call Forward more than once (prefix rows, then the batch); weights are shared by name.
type Architecture interface {
	Info() ModelInfo
	// Tensors lists the frozen tensors (weights and position tables) by name.
	Tensors() map[string]Spec
	Forward(p *Program, in Input, h Hooks) Output
	// Encode is Forward of the encoder; only for models with EncLayers > 0.
	Encode(p *Program, in Input, h Hooks) Output
	// Logits is the head on chosen rows: [n, hidden] to [n, vocab].
	Logits(p *Program, hidden Buffer, h Hooks) Buffer
	// Loss is the head fused with the cross-entropy.
	Loss(p *Program, hidden, targets, weights Buffer, rest bool, h Hooks) Buffer
}

// At is the place in a model at which a hook is called.
type At struct {
	Site  Site
	Layer int
	X     Buffer // the normed input of the queries [rows, hidden]
	Q     Buffer // their queries, rotated, [rows, heads·headDim]
	Lo    Buffer // their key ranges
	Hi    Buffer
	Scale float64 // of the scores
	Cap   float64 // soft cap of the scores, 0 if none
}

// Segment is a prefix at one attention site. The zero Segment is none. Of a short convolution
// K are the inputs that stand before every sequence, [rows, hidden], and there is nothing else.
type Segment struct {
	K, V Buffer // [slots, kvHeads·headDim]
	Bias Buffer // on the scores, [rows|1, heads|1, slots|1], or None
	// Pos, for models with relative positions: the slots' positions, I32 [slots]; None is
	// no bias by distance.
	Pos Buffer
}

// Hooks are the places at which a prefix enters a model. A nil function does nothing.
type Hooks struct {
	// Embed maps the embeddings [rows, hidden] of an encoder's or decoder's input.
	Embed func(p *Program, site Site, e Buffer) Buffer
	// Block maps a block's input [rows, hidden].
	Block func(p *Program, site Site, layer int, x Buffer) Buffer
	// KV gives the extra keys and values of an attention, or of a short convolution the inputs
	// before its own.
	KV func(p *Program, at At) Segment
	// AttnOut maps an attention's output, before the output projection.
	AttnOut func(p *Program, at At, o Buffer) Buffer
	// Linear maps a linear map's output y of x; name is its weight's, without ".weight".
	Linear func(p *Program, name string, x, y Buffer) Buffer
	// Weight maps one of the model's own tensors: to itself, marked as trainable, or to
	// another that takes its place. w is None for a bias that the model does not have.
	Weight func(p *Program, name string, w Buffer) Buffer
}

// Frozen is a model on its device, for methods and trainers.
type Frozen struct {
	Arch    Architecture
	Dev     Device
	Weights map[string]Tensor

	// Precision of training, evaluation and generation with these weights.
	Precision Precision
}

// NewProgram returns an empty program of the model's precision.
func (f Frozen) NewProgram() *Program {
	p := NewProgram()
	p.SetPrecision(f.Precision)
	return p
}
