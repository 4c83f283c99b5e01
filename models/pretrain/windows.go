package main

import (
	"context"
	"fmt"

	"prelude/engine"
)

// windows is a compiled program over sequences of equal length and its inputs. Rows are
// packed: row r·seq+t is token t of sequence r and sees the rows r·seq … r·seq+t.
type windows struct {
	plan                  engine.Plan
	args                  engine.Args
	ids, targets, weights engine.Buffer
	hyper                 engine.Buffer // of the optimiser, in a training program
	seq                   int
	loss                  engine.Tensor // of the last run
}

// newWindows builds the model's loss over size sequences; more, if not nil, adds what
// follows it in the program. Tensors that neither the model nor state has are allocated
// into state.
func newWindows(ctx context.Context, dev engine.Device, m *model, size, seq int, state map[string]engine.Tensor,
	hooks engine.Hooks, more func(w *windows, p *engine.Program, loss engine.Buffer)) (*windows, error) {
	p, rows := engine.NewProgram(), size*seq
	d := p.Domain("tokens", rows)
	w := &windows{seq: seq}
	arg := func(name string) engine.Buffer { return p.Arg(name, d, engine.I32, rows) }
	in := engine.Input{IDs: arg("ids"), Pos: arg("pos"), Lo: arg("lo"), Hi: arg("hi")}
	w.ids = in.IDs
	w.targets, w.weights = p.Arg("targets", d, engine.I32, rows, 1), p.Arg("weights", d, engine.F32, rows, 1)
	var pos, lo, hi []int32
	for r := range size {
		for t := range seq {
			pos, lo, hi = append(pos, int32(t)), append(lo, int32(r*seq)), append(hi, int32(r*seq+t+1))
		}
	}
	w.args = engine.Args{
		Ints:   map[engine.Buffer][]int32{in.IDs: make([]int32, rows), w.targets: make([]int32, rows), in.Pos: pos, in.Lo: lo, in.Hi: hi},
		Floats: map[engine.Buffer][]float64{w.weights: make([]float64, rows)},
		Live:   map[engine.Domain]int{d: rows},
	}
	for i := range rows {
		w.args.Floats[w.weights][i] = 1 / float64(rows)
	}
	loss := m.Loss(p, m.Forward(p, in, hooks).Hidden, w.targets, w.weights, false, hooks)
	if more != nil {
		more(w, p, loss)
	}
	name := fmt.Sprintf("loss of %d sequences", size)
	p.Keep(name, loss)
	if err := p.Err(); err != nil {
		return nil, err
	}
	bind := map[string]engine.Tensor{}
	for name, spec := range p.Tensors() {
		if bind[name] = m.weights[name]; bind[name] != nil {
			continue
		}
		if state[name] == nil {
			t, err := dev.Alloc(spec)
			if err != nil {
				return nil, err
			}
			state[name] = t
		}
		bind[name] = state[name]
	}
	w.loss = bind[name]
	var err error
	w.plan, err = dev.Compile(ctx, p, bind)
	return w, err
}

// bits is the loss of windows of one sequence over a text, in bits a byte, of at most
// limit tokens of it. They
// overlap by half: all but the first tokens are judged with at least seq/2 before them.
func (w *windows) bits(ctx context.Context, x *text, limit int) (float64, error) {
	nats := 0.0
	last := min(len(x.ids), limit) - 1 // tokens that are predicted
	for done := 0; done < last; {
		start := max(0, min(done-w.seq/2, len(x.ids)-1-w.seq))
		end := min(start+w.seq, last)
		for i := range w.seq {
			w.args.Ints[w.ids][i], w.args.Ints[w.targets][i], w.args.Floats[w.weights][i] = 0, 0, 0
			if at := start + i; at < end {
				w.args.Ints[w.ids][i], w.args.Ints[w.targets][i] = x.ids[at], x.ids[at+1]
				if at >= done {
					w.args.Floats[w.weights][i] = 1
				}
			}
		}
		if err := w.plan.Run(ctx, w.args); err != nil {
			return 0, err
		}
		sum, err := engine.ReadFloats(ctx, w.loss)
		if err != nil {
			return 0, err
		}
		nats, done = nats+float64(sum[0]), end
	}
	return x.bitsPerByte(nats) * float64(len(x.ids)-1) / float64(last), nil
}
