package generate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"prelude/engine"
	"prelude/prefix"
)

// Generator holds the plans and the cache of one model with one prefix.
type Generator struct {
	info    engine.ModelInfo
	streams int // answers at a time
	max     int // tokens in each one's cache
	settle  *settling
	encoder *encoder // nil for decoder-only models
	begin   []row    // of a decoder under an encoder: what it reads before it answers
	prefill *stage
	decode  *stage          // nil in a Reader
	measure *stage          // nil but in a generator of NewMeasuring
	share   *sharing        // nil where there is one stream, or an encoder
	own     []engine.Tensor // the cache, the logits, and what a method keeps beside them
	logits  engine.Tensor
	largest engine.Tensor // where each row's largest logit stands
	losses  engine.Tensor // of the rows that were measured last
	z       []float32
}

// chunk is the number of prompt rows that run at a time.
const chunk = 64

// Texts are measured so many at a time, where they have no more rows together: a run of few rows
// takes nearly as long, since it unpacks all weights too.
const (
	TextsAtATime = 8
	measuredRows = 640
)

// New compiles generation of up to max tokens, prompt included. Method may be nil.
func New(ctx context.Context, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, max int) (*Generator, error) {
	return NewMany(ctx, f, m, tensors, 1, max)
}

// NewMany compiles the generation of several answers at a time, of up to max tokens each.
func NewMany(ctx context.Context, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, streams, max int) (*Generator, error) {
	max = room(f, m, max)
	return newGenerator(ctx, f, m, tensors, shape{streams: streams, max: max, rows: min(chunk, streams*max), picks: streams})
}

// NewMeasuring is NewMany for streams that measure what was expected, too: [Streams.Measure] reads
// texts, prompt and completion, of up to so many tokens.
func NewMeasuring(ctx context.Context, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, streams, max, text int) (*Generator, error) {
	if f.Arch.Info().EncLayers > 0 {
		return nil, fmt.Errorf("generate: %s reads prompt and answer in two stacks; measure it with a train.Evaluator", f.Arch.Info().Family)
	}
	max = room(f, m, max)
	return newGenerator(ctx, f, m, tensors, shape{streams: streams, max: max, rows: min(chunk, streams*max), picks: streams, text: min(text, max)})
}

// room is how many of so many tokens fit into the model's context beside a prefix.
func room(f engine.Frozen, m *prefix.Method, tokens int) int {
	most := f.Arch.Info().Context
	if m != nil {
		most -= m.Offset()
	}
	return min(tokens, most)
}

// shape is how much runs at a time.
type shape struct {
	streams, max int // answers, and the tokens of each
	rows, picks  int // of the prefill
	text         int // tokens of a text that is measured, 0: none is
}

func newGenerator(ctx context.Context, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, size shape) (*Generator, error) {
	i := f.Arch.Info()
	g := &Generator{info: i, streams: size.streams, max: size.max}
	g.z = make([]float32, size.picks*i.Vocab)
	bind := map[string]engine.Tensor{}
	for _, all := range []map[string]engine.Tensor{f.Weights, tensors} {
		for name, t := range all {
			bind[name] = t
		}
	}
	// alloc makes the tensors of a program that nobody else has.
	alloc := func(p *engine.Program) error {
		for name, s := range p.Tensors() {
			if bind[name] != nil {
				continue
			}
			t, err := f.Dev.Alloc(s)
			if err != nil {
				return fmt.Errorf("generate: no memory for a cache of %d tokens; close other tabs or use a shorter context: %w", size.streams*size.max, err)
			}
			bind[name], g.own = t, append(g.own, t)
		}
		return p.Err()
	}
	compile := func(p *engine.Program, err *error) (plan engine.Plan) {
		if *err == nil {
			*err = alloc(p)
		}
		if *err == nil {
			plan, *err = f.Dev.Compile(ctx, p, bind)
		}
		return plan
	}
	var err error
	var p *engine.Program
	if i.EncLayers > 0 {
		g.encoder, p = newEncoder(f, m, size)
		g.encoder.plan = compile(p, &err)
		for slot := range m.RowsBefore(engine.DecSelf) {
			g.begin = append(g.begin, row{id: i.Start, at: slot, soft: int32(slot + 1)})
		}
		g.begin = append(g.begin, row{id: i.Start, at: len(g.begin)})
	}
	g.prefill, p = newStage(f, m, g.encoder, size.rows, size.picks, size, false)
	g.prefill.plan = compile(p, &err)
	if size.picks == size.streams {
		g.decode, p = newStage(f, m, g.encoder, size.streams, size.streams, size, false)
		g.decode.plan = compile(p, &err)
	}
	if size.text > 0 {
		rows := max(size.text, measuredRows)
		g.measure, p = newStage(f, m, g.encoder, rows, rows, size, true)
		g.measure.plan = compile(p, &err)
	}
	if size.streams > 1 && g.encoder == nil {
		g.share, p = newSharing(f, size)
		g.share.plan = compile(p, &err)
	}
	if m != nil && m.Settles() {
		p = engine.NewProgram()
		g.settle = &settling{args: engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}}}
		m.Settle(p, f.Arch).Fill(g.settle.args, nil)
		g.settle.plan = compile(p, &err)
	}
	if err != nil {
		g.Close()
		return nil, err
	}
	g.logits, g.largest, g.losses = bind["logits"], bind["largest"], bind["losses"]
	return g, nil
}

// settling is a plan that produces the prefix's keys and values, once a run.
type settling struct {
	plan engine.Plan
	args engine.Args
}

// settled produces the prefix's keys and values, where they are not there already.
func (g *Generator) settled(ctx context.Context) error {
	if g.settle == nil {
		return nil
	}
	return g.settle.plan.Run(ctx, g.settle.args)
}

func cacheName(what string, layer int) string { return fmt.Sprintf("cache.%d.%s", layer, what) }

// Close frees the cache and the plans.
func (g *Generator) Close() {
	var plans []engine.Plan
	if g.encoder != nil {
		plans = append(plans, g.encoder.plan)
	}
	if g.prefill != nil {
		plans = append(plans, g.prefill.plan)
	}
	if g.decode != nil {
		plans = append(plans, g.decode.plan)
	}
	if g.measure != nil {
		plans = append(plans, g.measure.plan)
	}
	if g.share != nil {
		plans = append(plans, g.share.plan)
	}
	if g.settle != nil {
		plans = append(plans, g.settle.plan)
	}
	for _, p := range plans {
		if p != nil {
			p.Close()
		}
	}
	for _, t := range g.own {
		t.Close()
	}
}

// ErrTooLong means that prompt and answer do not fit the model's context.
var ErrTooLong = errors.New("generate: too long for the model's context")

// Run continues prompt and calls emit with every token, end tokens not included, until
// emit returns false, a stop token comes, or a limit is reached. Ended says that a stop
// token ended it.
func (g *Generator) Run(ctx context.Context, prompt []int32, o Options, emit func(id int32) bool) (ended bool, err error) {
	err = g.runAll(ctx, [][]int32{prompt}, o, !o.greedy(), func(_ int, _ []float32, id int32) bool {
		ended = slices.Contains(o.Stop, id)
		return !ended && emit(id)
	})
	return ended, err
}

// RunAll continues up to as many prompts as the generator has streams, side by side, as
// Run does each. Emit gets a stream's every token, stop tokens included, with the logits
// [vocab] it was picked from, which are valid until emit returns. Each stream has a seed
// of its own, so that equal prompts differ where the temperature is not 0.
func (g *Generator) RunAll(ctx context.Context, prompts [][]int32, o Options, emit func(stream int, z []float32, id int32) bool) error {
	return g.runAll(ctx, prompts, o, true, emit)
}

// runAll is RunAll; where no logits are wanted, the device says which is the largest and emit gets nil.
func (g *Generator) runAll(ctx context.Context, prompts [][]int32, o Options, logits bool, emit func(stream int, z []float32, id int32) bool) error {
	if len(prompts) > g.streams {
		return fmt.Errorf("generate: %d prompts for %d streams", len(prompts), g.streams)
	}
	if err := g.settled(ctx); err != nil {
		return err
	}
	read := g.pack
	if g.encoder != nil {
		read = g.encode
	}
	prompts, rows, err := read(ctx, prompts, o.Soft)
	if err != nil {
		return err
	}
	samplers := make([]*sampler, len(prompts))
	var next []row // a stream's token that comes next
	sample := func(from []row) error {
		got, err := g.picked(ctx, len(from), logits)
		if err != nil {
			return err
		}
		for i, r := range from {
			z, prompt := got.of(i), len(prompts[r.stream])
			id := got.pick(i, samplers[r.stream])
			stop := !emit(r.stream, z, id) || slices.Contains(o.Stop, id)
			if n := r.at + 1; !stop && n+1-prompt < o.MaxTokens && n+1 < g.max {
				next = append(next, row{id: id, stream: r.stream, at: n})
			}
		}
		return nil
	}
	if err := g.readAll(ctx, prompts, rows, func(last []row) error {
		for _, r := range last {
			own := o
			own.Seed += uint64(r.stream)
			samplers[r.stream] = newSampler(own, prompts[r.stream])
		}
		return sample(last)
	}); err != nil {
		return err
	}
	picks := make([]int, len(prompts))
	for i := range picks {
		picks[i] = i
	}
	for len(next) > 0 {
		now := next
		next = nil
		if err := g.decode.run(ctx, now, picks[:len(now)]); err != nil {
			return err
		}
		if err := sample(now); err != nil {
			return err
		}
	}
	return nil
}

// readAll runs the rows of all prompts. Told gets the last rows of those that end in a run of
// the prefill, whose logits are there then.
func (g *Generator) readAll(ctx context.Context, prompts [][]int32, rows []row, told func(last []row) error) error {
	for at := 0; at < len(rows); at += g.prefill.rows {
		part := rows[at:min(at+g.prefill.rows, len(rows))]
		var last []row
		var picks []int
		for i, r := range part {
			if r.at == len(prompts[r.stream])-1 {
				last, picks = append(last, r), append(picks, i)
			}
		}
		if picks == nil {
			picks = []int{0} // not used: a stage gives the logits of one row at least
		}
		if err := g.prefill.run(ctx, part, picks); err != nil {
			return err
		}
		if last == nil {
			continue
		}
		if err := told(last); err != nil {
			return err
		}
	}
	return nil
}

// pack gives the rows of all prompts, one after another.
func (g *Generator) pack(_ context.Context, prompts [][]int32, soft []int32) ([][]int32, []row, error) {
	var rows []row
	for i, prompt := range prompts {
		switch {
		case len(prompt) == 0:
			return nil, nil, errors.New("generate: the prompt has no tokens")
		case soft != nil && len(soft) != len(prompt):
			return nil, nil, fmt.Errorf("generate: %d tokens and %d marks of soft slots", len(prompt), len(soft))
		case len(prompt) >= g.max:
			return nil, nil, fmt.Errorf("%w: the prompt has %d tokens, %d fit", ErrTooLong, len(prompt), g.max-1)
		}
		for at, id := range prompt {
			r := row{id: id, stream: i, at: at}
			if soft != nil {
				r.soft = soft[at] + 1
			}
			rows = append(rows, r)
		}
	}
	return prompts, rows, nil
}

// lossesOf runs the rows of some texts, the last of each of which predict its targets, and gives
// the targets' mean losses.
func (g *Generator) lossesOf(ctx context.Context, texts [][]row, targets [][]int32) ([]float64, error) {
	var rows []row
	var picks []int
	m := g.measure
	of, weights := m.args.Ints[m.targets][:0], m.args.Floats[m.weights][:0]
	for k, text := range texts {
		rows = append(rows, text...)
		for i, t := range targets[k] {
			picks = append(picks, len(rows)-len(targets[k])+i)
			of, weights = append(of, t), append(weights, 1)
		}
	}
	m.args.Ints[m.targets], m.args.Floats[m.weights] = of, weights
	if err := m.run(ctx, rows, picks); err != nil {
		return nil, err
	}
	each, err := engine.ReadFloats(ctx, g.losses) // of all rows that there is room for
	if err != nil {
		return nil, err
	}
	losses := make([]float64, len(texts))
	for k, t := range targets {
		for _, loss := range each[:len(t)] {
			losses[k] += float64(loss) / float64(len(t))
		}
		each = each[len(t):]
	}
	return losses, nil
}

// Logits reads the logits of the last row that ran.
func (g *Generator) Logits(ctx context.Context) ([]float32, error) { return g.read(ctx, 1) }

// picked is what a run says of its picks: their logits, or else which token has the largest.
type picked struct {
	logits  []float32 // [picks, vocab]
	vocab   int
	largest []float32
}

// picked reads that of the last run's first n picks. The logits of many rows are megabytes, of
// which a greedy choice needs none.
func (g *Generator) picked(ctx context.Context, n int, logits bool) (p picked, err error) {
	p.vocab = g.info.Vocab
	if logits {
		p.logits, err = g.read(ctx, n)
		return p, err
	}
	p.largest, err = engine.ReadFloats(ctx, g.largest)
	return p, err
}

// of is the logits of pick i, nil where they were not read.
func (p picked) of(i int) []float32 {
	if p.logits == nil {
		return nil
	}
	return p.logits[i*p.vocab:][:p.vocab]
}

// pick is the token that follows pick i.
func (p picked) pick(i int, s *sampler) int32 {
	if p.logits == nil {
		return int32(p.largest[i])
	}
	return s.pick(p.of(i))
}

// read gives the logits of the last run's first n picks, [n, vocab].
func (g *Generator) read(ctx context.Context, n int) ([]float32, error) {
	z := g.z[:n*g.info.Vocab]
	raw := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(z))), 4*len(z)) // a step's logits are megabytes
	if err := g.logits.Read(ctx, 0, raw); err != nil {
		return nil, err
	}
	if !littleEndian {
		for i := range z {
			z[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	}
	return z, nil
}

// littleEndian says whether float32 lies in memory as it does in a tensor.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1
