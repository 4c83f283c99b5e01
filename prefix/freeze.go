package prefix

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"prelude/engine"
)

// Settles says whether something produces the keys and values, a network or the model
// itself, that need not run again for every token: a Settle program does it once.
func (m *Method) Settles() bool {
	if !m.hasSlots() || m.inRows() {
		return false
	}
	_, stored := m.source.(Stored)
	_, scaled := m.gate.(Scaler)
	return !stored || scaled
}

// SettledSpec is the shape of the tensor [SettledKV].
func (m *Method) SettledSpec() engine.Spec {
	return engine.Spec{DType: engine.F32, Shape: kvShape(m.Info, len(m.places), m.slots)}
}

// SettledKV is the name of the tensor that a Settle program writes and programs in mode
// Replay read.
const SettledKV = "settled.kv"

// Settle appends what computes the prefix's keys and values into the tensor SettledKV.
func (m *Method) Settle(p *engine.Program, arch engine.Architecture) *Part {
	b := m.build(p, arch, engine.Input{}, Evaluate)
	i := m.Info
	kv := p.Persist(SettledKV, m.SettledSpec())
	width := i.KVHeads * i.HeadDim
	n := m.slots * width
	for l := m.firstLayer(); l < len(m.places); l++ {
		k, v := b.KV(l)
		p.CopyTo(k, p.View(kv, 2*l*n, m.slots, width))
		p.CopyTo(v, p.View(kv, (2*l+1)*n, m.slots, width))
	}
	if m.hasRows() {
		c, before := p.Persist(RowsTensor, m.RowsSpec()), m.before(b)
		each := m.RowsSpec().Len() / len(m.convolutions())
		for at, l := range m.convolutions() {
			x := before(l)
			p.CopyTo(x, p.View(c, at*each, p.Spec(x).Shape...))
		}
	}
	return b.own
}

// KV is the prefix's keys and values as attention reads them, [2·layers, slots,
// kvHeads·headDim]. Tensors are the method's, as trained.
func (m *Method) KV(ctx context.Context, f engine.Frozen, tensors map[string]engine.Tensor) ([]float32, error) {
	kv, _, err := m.settled(ctx, f, tensors)
	return kv, err
}

// settled is KV, with what short convolutions see of the slots.
func (m *Method) settled(ctx context.Context, f engine.Frozen, tensors map[string]engine.Tensor) (kv, rows []float32, err error) {
	if !m.hasSlots() || m.inRows() {
		return nil, nil, fmt.Errorf("prefix: %s has no keys and values", m.options["source"].Label)
	}
	p := engine.NewProgram()
	part := m.Settle(p, f.Arch)
	args := engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}}
	part.Fill(args, nil)
	names := []string{SettledKV}
	if m.hasRows() {
		names = append(names, RowsTensor)
	}
	got, err := runForTensors(ctx, f, p, args, tensors, names...)
	return got[SettledKV], got[RowsTensor], err
}

// FromKV is the method of a finished prefix: keys and values [2·layers, slots,
// kvHeads·headDim], as KV gives them and as adapters hold them. On an encoder-decoder they
// are those of the decoder's self-attention.
func FromKV(info engine.ModelInfo, slots int, kv []float32) (*Method, error) {
	if want := (engine.Spec{Shape: kvShape(info, len(info.Attending()), slots)}).Len(); slots < 1 || len(kv) != want {
		return nil, fmt.Errorf("prefix: %d numbers for %d slots, want %d", len(kv), slots, want)
	}
	c := Choice{"source": "kv"}
	if info.EncLayers > 0 {
		sites{engine.DecSelf: true}.choose(c)
	}
	m, err := blank(c, info, nil, slots)
	if err != nil {
		return nil, err
	}
	m.params[0].Value = kv
	return m, nil
}

// blank is a method with all its tensors at zero, of the shapes that it will have. Arch
// may be nil where no weights of the model train.
func blank(c Choice, info engine.ModelInfo, arch engine.Architecture, slots int) (*Method, error) {
	m, err := New(c, info)
	if err != nil {
		return nil, err
	}
	if !m.hasSlots() {
		slots = 0
	}
	return m, m.fill(&Initial{Info: info, Frozen: engine.Frozen{Arch: arch}, Slots: slots})
}

// set replaces a tensor's values.
func (m *Method) set(name string, value []float32) error {
	for i := range m.params {
		if p := &m.params[i]; p.Name == name {
			if len(p.Value) != len(value) {
				return fmt.Errorf("prefix: tensor %q has %d values, want %v", name, len(value), p.Shape)
			}
			p.Value = value
			return nil
		}
	}
	return fmt.Errorf("prefix: the method has no tensor %q", name)
}

// Freeze is the method as it was trained, without what training needed alone: networks
// and generators become the prefix that they make, slots that were pruned are cut out.
// The logits stay as they were. Tensors are the method's.
func (m *Method) Freeze(ctx context.Context, f engine.Frozen, tensors map[string]engine.Tensor) (*Method, error) {
	value := map[string][]float32{}
	for _, p := range m.params {
		t, ok := tensors[p.Name]
		if !ok {
			return nil, fmt.Errorf("prefix: tensor %q is missing", p.Name)
		}
		x, err := engine.ReadFloats(ctx, t)
		if err != nil {
			return nil, err
		}
		value[p.Name] = x
	}
	kept, err := m.kept(value)
	if err != nil {
		return nil, err
	}
	c := Choice{}
	for key, v := range m.Choice {
		c[key] = v
	}
	delete(c, "start")
	if m.hasSlots() {
		if _, lasts := m.length.(Lasting); !lasts {
			c["length"] = "fixed"
		}
		if c["source"], err = m.form(len(kept) < m.slots); err != nil {
			return nil, err
		}
		if _, scaled := m.gate.(Scaler); scaled && c["source"] == "kv" {
			c["gate"] = "open"
		}
	}
	bias := m.leftover(kept, value)
	if bias != nil {
		c["length"] = "mask"
	}
	r, err := blank(c.tidy(), m.Info, f.Arch, len(kept))
	if err != nil {
		return nil, err
	}
	for _, slot := range kept {
		if m.words != nil {
			r.words = append(r.words, m.words[slot])
		}
	}
	if r.offset = m.offset; m.Info.Positions == engine.Relative && m.offset > 0 && (m.positions != nil || len(kept) < m.slots) {
		all := m.slotPositions()
		for _, l := range kept {
			r.positions = append(r.positions, all[l])
		}
		r.shift()
	}
	r.params = slices.DeleteFunc(r.params, func(p Param) bool { // an imported LoRA may be on some maps only
		return p.axis == "weights" && value[p.Name] == nil
	})
	for i := range r.params {
		if p := &r.params[i]; value[p.Name] != nil {
			if p.Value, err = keepSlots(value[p.Name], p.Shape, m.slots, len(kept), kept, p.Slots); err != nil {
				return nil, err
			}
		}
	}
	if bias != nil {
		if err := r.set("length.mask", bias); err != nil {
			return nil, err
		}
	}
	if p, ok := m.source.(Producer); ok && c["source"] != "kv" {
		return r, m.produce(ctx, f, tensors, p, r)
	}
	if c["source"] == "kv" {
		kv, rows, err := m.settled(ctx, f, tensors)
		if err != nil {
			return nil, err
		}
		if kv, err = keepSlots(kv, kvShape(m.Info, len(m.places), len(kept)), m.slots, len(kept), kept, 2); err != nil {
			return nil, err
		}
		if n := len(kept); m.offset > n && m.Info.Positions == engine.Rotary {
			if kv, err = Rotate(ctx, f, kv, n, n-m.offset); err != nil {
				return nil, err
			}
			r.offset = n
		}
		if err = r.set("prefix.kv", kv); err == nil && rows != nil && r.hasRows() {
			err = r.set(ownRows, rows)
		}
		return r, err
	}
	return r, nil
}

// Finished is the method's prefix as keys and values, without the slots that were pruned:
// what another training can start from, and what can be mixed where it is Mixable.
func (m *Method) Finished(ctx context.Context, f engine.Frozen, tensors map[string]engine.Tensor) (*Finished, error) {
	r, err := m.Freeze(ctx, f, tensors)
	if err != nil {
		return nil, err
	}
	own, err := r.Alloc(ctx, f.Dev)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, t := range own {
			t.Close()
		}
	}()
	done := &Finished{Slots: r.slots, sites: r.sites, offset: r.offset}
	if r.Info.Positions == engine.Relative {
		done.positions = r.slotPositions()
	}
	if p := r.param("gate.log"); p != nil {
		done.Gate = p.Value
	}
	if p := r.param("length.mask"); p != nil {
		done.Bias = p.Value
	}
	done.KV, done.rows, err = r.settled(ctx, f, own)
	return done, err
}

// Read takes the tensors' values into the method, so that Alloc puts them on a device
// again, perhaps on another.
func (m *Method) Read(ctx context.Context, tensors map[string]engine.Tensor) error {
	for i := range m.params {
		p := &m.params[i]
		x, err := engine.ReadFloats(ctx, tensors[p.Name])
		if err != nil {
			return err
		}
		p.Value = x
	}
	return nil
}

// Counting is the number of slots that count, by what the length has learned: 0 where
// all were pruned.
func (m *Method) Counting(ctx context.Context, tensors map[string]engine.Tensor) (int, error) {
	value := map[string][]float32{}
	for _, name := range []string{"length.alpha", "length.mask"} {
		if t := tensors[name]; t != nil {
			x, err := engine.ReadFloats(ctx, t)
			if err != nil {
				return 0, err
			}
			value[name] = x
		}
	}
	n := 0
	keep := m.length.Keep(m.slots, func(name string) []float32 { return value[name] })
	for i := range m.slots {
		if keep == nil || keep[i] {
			n++
		}
	}
	return n, nil
}

// kept lists the slots that remain.
func (m *Method) kept(value map[string][]float32) (kept []int, err error) {
	keep := m.length.Keep(m.slots, func(name string) []float32 { return value[name] })
	for i := range m.slots {
		if keep == nil || keep[i] {
			kept = append(kept, i)
		}
	}
	if len(kept) == 0 && m.slots > 0 {
		return nil, fmt.Errorf("prefix: all %d slots were pruned, so there is no prefix; lower the price of a slot", m.slots)
	}
	return kept, nil
}

// form is the source that a trained method goes on with.
func (m *Method) form(cut bool) (string, error) {
	_, scaled := m.gate.(Scaler)
	if f, ok := m.source.(Former); ok {
		return f.Form(cut || m.unseen(), scaled)
	}
	if !m.hasSlots() {
		return m.options["source"].ID, nil
	}
	return "kv", nil
}

// finished says whether the source is one that Freeze leaves.
func (m *Method) finished() bool {
	f, ok := m.source.(Former)
	if !ok {
		return !m.hasSlots() || m.options["source"].ID == "kv"
	}
	id, err := f.Form(false, false)
	return err == nil && id == m.options["source"].ID
}

// leftover is what the length leaves on the kept slots' scores, nil if that is nothing.
func (m *Method) leftover(kept []int, value map[string][]float32) []float32 {
	leaver, ok := m.length.(Leaver)
	if !ok {
		return nil
	}
	bias := make([]float32, len(kept))
	some := false
	for i, l := range kept {
		bias[i] = float32(leaver.Leave(l, func(name string) []float32 { return value[name] }))
		some = some || bias[i] != 0
	}
	if !some {
		return nil
	}
	return bias
}

// keepSlots cuts slots out of a tensor that counts them axis dimensions from its end.
func keepSlots(x []float32, shape []int, slots, n int, kept []int, axis int) ([]float32, error) {
	if axis == 0 || n == slots {
		return x, nil
	}
	inner := engine.Spec{Shape: shape[len(shape)-axis+1:]}.Len()
	if inner == 0 || len(x)%(slots*inner) != 0 {
		return nil, fmt.Errorf("prefix: %d values do not hold %d slots", len(x), slots)
	}
	var y []float32
	for o := 0; o < len(x); o += slots * inner {
		for _, l := range kept {
			y = append(y, x[o+l*inner:o+(l+1)*inner]...)
		}
	}
	return y, nil
}

// produce computes the tensors of the method's form that training had not.
func (m *Method) produce(ctx context.Context, f engine.Frozen, tensors map[string]engine.Tensor, by Producer, form *Method) error {
	p := engine.NewProgram()
	b := m.build(p, f.Arch, engine.Input{}, Evaluate)
	var names []string
	for name, x := range by.Produce(b) {
		q := form.param(name)
		if q == nil {
			return fmt.Errorf("prefix: source %q produces %q, which source %q does not have", m.options["source"].ID, name, form.options["source"].ID)
		}
		p.CopyTo(x, p.Persist("produced "+name, q.spec()))
		names = append(names, "produced "+name)
	}
	args := engine.Args{Ints: map[engine.Buffer][]int32{}, Floats: map[engine.Buffer][]float64{}}
	b.own.Fill(args, nil)
	got, err := runForTensors(ctx, f, p, args, tensors, names...)
	for _, name := range names {
		if err == nil {
			err = form.set(strings.TrimPrefix(name, "produced "), got[name])
		}
	}
	return err
}
