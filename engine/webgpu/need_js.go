package webgpu

import "prelude/engine"

// Need implements [engine.Planner]. It counts tensors as they are stored on the device, and
// each buffer of scratch at the largest size that a program needs.
func (d *Device) Need(bind map[string]engine.Tensor, programs ...*engine.Program) (engine.Memory, error) {
	m := engine.Memory{Tensors: d.tensors}
	var scratch []int64
	grow := func(i int, size int64) {
		for len(scratch) <= i {
			scratch = append(scratch, 0)
		}
		scratch[i] = max(scratch[i], size)
	}
	held := d.js.Get("arenas")
	for i := range held.Length() {
		if a := held.Index(i); a.Truthy() {
			grow(i, int64(a.Get("size").Float()))
		}
	}
	for _, p := range programs {
		b := recipeOf(p, d.limits, d.tile, d.eight)
		if _, _, err := b.finish(); err != nil {
			return m, err
		}
		for i, size := range b.arenas {
			grow(i, size)
		}
	}
	for _, s := range engine.Lacking(bind, programs...) {
		parts, err := partsOf(s, d.limits)
		if err != nil {
			return m, err
		}
		for _, p := range parts {
			m.Tensors += int64(p.size)
		}
	}
	for _, size := range scratch {
		m.Scratch += size
	}
	return m, nil
}
