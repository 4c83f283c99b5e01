package train

import (
	"fmt"

	"prelude/engine"
	"prelude/prefix"
	"prelude/prefix/data"
)

// Pass is the program of one teacher-forced forward pass over one example, as training and
// evaluation read it, without a loss: whoever builds on it appends what is to be measured.
type Pass struct {
	*engine.Program
	Hidden engine.Buffer // [answer tokens, hidden], after the final norm: row i predicts token Start+i

	x     *inputs
	part  *prefix.Part // nil: the bare model
	batch *data.Batch
	hooks engine.Hooks
	arch  engine.Architecture
}

// NewPass builds the forward pass over t with the frozen model and a method, or the bare
// model where m is nil. Watch, if not nil, is given the method's hooks and may put others
// around them.
func NewPass(f engine.Frozen, m *prefix.Method, t data.Tokens, watch func(p *Pass, h *engine.Hooks)) (*Pass, error) {
	tokens := []data.Tokens{t}
	if err := complete(f.Arch.Info(), tokens); err != nil {
		return nil, err
	}
	slots := 0
	if m != nil {
		slots = m.Slots()
		if err := fits(f.Arch.Info(), m, Data{Train: tokens}); err != nil {
			return nil, err
		}
	} else if n := len(t.IDs) - 1; n > f.Arch.Info().Context {
		return nil, fmt.Errorf("train: %d tokens do not fit the model's context of %d tokens", n, f.Arch.Info().Context)
	}
	b := data.NewBatcher(tokens, options(m, data.BatchOptions{Size: 1}))
	p := &Pass{Program: f.NewProgram(), arch: f.Arch}
	p.x = newInputs(p.Program, f.Arch.Info(), b.Bounds(), slots)
	if m != nil {
		p.part = m.Build(p.Program, f.Arch, p.x.in, prefix.Evaluate)
		p.hooks = p.part.Hooks
	}
	if watch != nil {
		watch(p, &p.hooks)
	}
	p.Hidden = p.x.forward(p.Program, f.Arch, p.hooks).Hidden
	p.batch = b.At(0)
	return p, p.Err()
}

// Logits appends the head: [answer tokens, vocab].
func (p *Pass) Logits() engine.Buffer { return p.arch.Logits(p.Program, p.Hidden, p.hooks) }

// Answer is the argument with the rows that predict the answer's tokens, I32 [answer tokens].
func (p *Pass) Answer() engine.Buffer { return p.x.in.Chosen.Idx }

// OfAnswer says whether the rows of b are the answer's already, as those of the last block are.
func (p *Pass) OfAnswer(b engine.Buffer) bool { return p.Info(b).Rows == p.x.loss }

// Chosen is the argument with the values of the answer's rows, for an argument that has one
// for each row of the text.
func (p *Pass) Chosen(all engine.Buffer) engine.Buffer { return p.x.chosen[all] }

// Args are the arguments of the run.
func (p *Pass) Args() engine.Args {
	args := p.x.fill(p.batch)
	if p.part != nil {
		p.part.Fill(args, nil)
		fillSoft(p.part, args, p.batch)
	}
	return args
}
