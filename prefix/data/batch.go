package data

import (
	"math/rand/v2"
	"slices"
)

// A Batch is several examples, one after another in flat rows, without padding:
//
//	example        a a a a b b b
//	row            0 1 2 3 4 5 6
//	Pos            0 1 2 3 0 1 2    (+ the batcher's PosOffset)
//	Lo, Hi         0 0 0 0 4 4 4    row r attends to the rows [Lo, Hi)
//	               1 2 3 4 5 6 7
//	LossRows       2 3 6            completions start at tokens 3 of a and 3 of b
//
// Where an encoder reads the prompts, they are packed the same way in rows of their own,
// and each row of the decoder sees its example's, [CrossLo, CrossHi). Rows that a method
// puts before each input hold some token and are marked in SourceSoft and Soft.
//
// Row t of an example predicts its token t+1, so the last token (the end token) is
// a target only and has no row. The slices are valid until the next call of the
// batcher.
type Batch struct {
	IDs, Pos, Lo, Hi []int32   // [Rows]
	Soft             []int32   // [Rows] soft slot or -1; nil where no example has any
	LossRows         []int32   // [Loss] rows whose next token is in a completion
	Targets          []int32   // [Loss] that next token; with a teacher [Loss, K], its likeliest
	Weights          []float32 // [Loss] 1/Loss each: the weighted sum is the mean; with a teacher [Loss, K+1]
	Entropy          float64   // the teacher's, mean over loss rows, in nats: loss − Entropy is KL(teacher ‖ model)
	Rows, Loss       int

	Source, SourcePos, SourceLo, SourceHi, SourceSoft []int32 // [SourceRows]; none without an encoder
	CrossLo, CrossHi                                  []int32 // [Rows]
	SourceRows                                        int
	Examples                                          []int // indices into the batcher's tokens
}

// Bounds are the most rows and loss rows that any batch of a batcher has, and the tokens
// that a teacher names in a row, 0 without one. Programs are built for them once.
type Bounds struct{ Rows, Loss, Top, Source int }

// With is the bounds of two batchers together.
func (b Bounds) With(o Bounds) Bounds {
	return Bounds{max(b.Rows, o.Rows), max(b.Loss, o.Loss), max(b.Top, o.Top), max(b.Source, o.Source)}
}

// A Batcher cuts tokenised examples into batches. Its batches are a function of the
// step alone: a resumed training goes on where it was.
type Batcher struct {
	tokens  []Tokens
	encoder bool
	opts    BatchOptions
	batches int // an epoch
	halved  int // steps at first whose batches have half the examples,
	halves  int // of which an epoch has so many
	soft    bool
	top     int // tokens that a teacher names in a row
	order   []int
	epoch   int
	batch   Batch
}

// BatchOptions says how examples are put together.
type BatchOptions struct {
	Size      int    // examples a batch, at most
	Shuffle   bool   // anew each epoch; off for evaluation
	Seed      uint64 // of the shuffling
	PosOffset int32  // position of each example's first row: the prefix's length
	Front     int    // rows before each example, and
	Before    int    // before each source, that a method fills
}

// NewBatcher makes a batcher of at least one example; a size below one is one. An
// epoch has the fewest batches of at most Size examples, whose sizes differ by one
// at most, so that no step learns from a leftover alone.
func NewBatcher(tokens []Tokens, opts BatchOptions) *Batcher {
	size := max(opts.Size, 1)
	b := &Batcher{tokens: tokens, opts: opts, batches: (len(tokens) + size - 1) / size, epoch: -1}
	b.order = make([]int, len(tokens))
	for _, t := range tokens {
		b.soft = b.soft || t.Soft != nil
		b.encoder = b.encoder || t.Source != nil
		if t.Teacher != nil {
			b.top = t.Teacher.Top
		}
	}
	return b
}

// Len is the number of batches in an epoch.
func (b *Batcher) Len() int { return b.batches }

// Halve gives the first so many steps batches of half the examples, at least one; the epochs of
// whole batches begin after them.
func (b *Batcher) Halve(steps int) {
	half := max(b.opts.Size/2, 1)
	b.halved, b.halves = steps, (len(b.tokens)+half-1)/half
}

// Bounds returns the most rows and the most loss rows of any batch: those of the
// longest examples together.
func (b *Batcher) Bounds() Bounds {
	if b.batches == 0 {
		return Bounds{}
	}
	size := (len(b.tokens) + b.batches - 1) / b.batches
	rows, loss, source := make([]int, len(b.tokens)), make([]int, len(b.tokens)), make([]int, len(b.tokens))
	for i, t := range b.tokens {
		rows[i], loss[i] = t.rows()+b.opts.Front, t.Targets()
		if b.encoder {
			source[i] = len(t.Source) + b.opts.Before
		}
	}
	most := func(of []int) (sum int) {
		slices.Sort(of)
		for _, n := range of[len(of)-size:] {
			sum += n
		}
		return sum
	}
	return Bounds{Rows: most(rows), Loss: most(loss), Top: b.top, Source: most(source)}
}

func (t Tokens) rows() int { return len(t.IDs) - 1 }

// Targets is the number of tokens that carry loss: those of the completion, but for one that
// nothing stands before.
func (t Tokens) Targets() int { return len(t.IDs) - max(t.Start, 1) }

// At returns the batch of a step, counted from 0 over all epochs.
func (b *Batcher) At(step int) *Batch {
	batches, before := b.batches, 0
	if step < b.halved {
		batches = b.halves
	} else if b.halved > 0 {
		step, before = step-b.halved, (b.halved+b.halves-1)/b.halves
	}
	epoch, index := before+step/batches, step%batches
	if epoch != b.epoch {
		b.shuffle(epoch)
	}
	n := len(b.tokens)
	return b.fill(b.order[index*n/batches : (index+1)*n/batches])
}

// shuffle orders an epoch, by a random stream of its own.
func (b *Batcher) shuffle(epoch int) {
	b.epoch = epoch
	for i := range b.order {
		b.order[i] = i
	}
	if b.opts.Shuffle {
		rng := rand.New(rand.NewPCG(b.opts.Seed, uint64(epoch)))
		rng.Shuffle(len(b.order), func(i, j int) { b.order[i], b.order[j] = b.order[j], b.order[i] })
	}
}

func (b *Batcher) fill(examples []int) *Batch {
	x := &b.batch
	*x = Batch{IDs: x.IDs[:0], Pos: x.Pos[:0], Lo: x.Lo[:0], Hi: x.Hi[:0], Soft: x.Soft[:0],
		Source: x.Source[:0], SourcePos: x.SourcePos[:0], SourceLo: x.SourceLo[:0], SourceHi: x.SourceHi[:0], SourceSoft: x.SourceSoft[:0],
		CrossLo: x.CrossLo[:0], CrossHi: x.CrossHi[:0],
		LossRows: x.LossRows[:0], Targets: x.Targets[:0], Weights: x.Weights[:0], Examples: append(x.Examples[:0], examples...)}
	for _, i := range examples {
		t := b.tokens[i]
		from := int32(len(x.Source))
		if b.encoder {
			x.source(t, b.opts.Before)
		}
		start := int32(len(x.IDs))
		for at := range b.opts.Front + t.rows() {
			j, row := at-b.opts.Front, start+int32(at)
			x.IDs = append(x.IDs, t.IDs[max(j, 0)])
			x.Pos = append(x.Pos, b.opts.PosOffset+int32(at))
			x.Lo = append(x.Lo, start)
			x.Hi = append(x.Hi, row+1)
			if b.encoder {
				x.CrossLo, x.CrossHi = append(x.CrossLo, from), append(x.CrossHi, int32(len(x.Source)))
			}
			if b.soft || b.opts.Front > 0 {
				slot := int32(-1)
				if j < 0 {
					slot = int32(at)
				} else if t.Soft != nil {
					slot = t.Soft[j]
				}
				x.Soft = append(x.Soft, slot)
			}
			if j >= 0 && j+1 >= t.Start {
				x.LossRows = append(x.LossRows, row)
				if b.top == 0 {
					x.Targets = append(x.Targets, t.IDs[j+1])
				}
			}
		}
		if b.top > 0 {
			x.Targets = append(x.Targets, t.Teacher.IDs...)
		}
	}
	x.Rows, x.SourceRows, x.Loss, x.Entropy = len(x.IDs), len(x.Source), len(x.LossRows), 0
	share := 1 / float64(x.Loss)
	if b.top == 0 {
		for range x.Loss {
			x.Weights = append(x.Weights, float32(share))
		}
		return x
	}
	for _, i := range examples {
		x.Weights = b.tokens[i].Teacher.weights(x.Weights, share)
		x.Entropy += b.tokens[i].Teacher.Entropy() * share
	}
	return x
}

// source appends an example's source, after rows that a method fills.
func (x *Batch) source(t Tokens, before int) {
	from := int32(len(x.Source))
	n := before + len(t.Source)
	for at := range n {
		j, slot := at-before, int32(-1)
		if j < 0 {
			slot = int32(at)
		}
		x.Source = append(x.Source, t.Source[max(j, 0)])
		x.SourcePos = append(x.SourcePos, int32(at))
		x.SourceLo, x.SourceHi = append(x.SourceLo, from), append(x.SourceHi, from+int32(n))
		x.SourceSoft = append(x.SourceSoft, slot)
	}
}
