package asm_test

import (
	"context"
	"math"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	. "prelude/simd/asm"
)

func load(t *testing.T, m *Module) api.Module {
	ctx := context.Background()
	rt := wazero.NewRuntime(ctx)
	t.Cleanup(func() { rt.Close(ctx) })
	mod, err := rt.Instantiate(ctx, m.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return mod
}

func TestLoopsBranchesAndCalls(t *testing.T) {
	m := NewModule()
	square := m.Func("square", []Type{I32}, I32)
	square.Return(square.Param(0).Mul(square.Param(0)))
	f := m.Func("squares", []Type{I32}, I32) // Σ i² for i < n, without 3², up to 100
	sum := f.Local(I32)
	f.Block(func(out Label) {
		f.For(Const(0), f.Param(0), 1, func(i Value) {
			f.BranchIf(out, sum.Gt(Const(100)))
			f.If(i.Eq(Const(3)), func() {}, func() { f.Set(sum, sum.Add(square.Apply(i))) })
		})
	})
	f.Return(sum)
	m.Export(f)
	squares := load(t, m).ExportedFunction("squares")
	for n, want := range map[uint64]uint64{0: 0, 1: 0, 4: 5, 6: 46, 50: 131} {
		got, err := squares.Call(context.Background(), n)
		if err != nil || got[0] != want {
			t.Errorf("squares(%d) = %v, %v, want %d", n, got, err, want)
		}
	}
}

func TestVectorsMemoryAndTable(t *testing.T) {
	m := NewModule()
	m.OwnMemory(1, 1)
	double := m.Func("double", nil, I32)
	double.Store(double.Param(0), 0, LoadV(double.Param(0), 0).Mul(VecF32(2)))
	slot := m.Slot(double)
	f := m.Func("f", []Type{F32}, F32)
	at := f.Let(Const(64))
	f.Store(at, 0, f.Param(0).Splat(F32x4))
	f.CallSlot(Const(slot), at)
	f.Return(f.HSum(m.Madd(LoadV(at, 0), VecF32(3), VecF32(1))))
	m.Export(f)
	got, err := load(t, m).ExportedFunction("f").Call(context.Background(), api.EncodeF32(1.5))
	if err != nil || math.Float32frombits(uint32(got[0])) != 40 {
		t.Errorf("f(1.5) = %v, %v, want 40", got, err)
	}
}

func TestMistakesPanic(t *testing.T) {
	for name, mistake := range map[string]func(f *Func){
		"types":       func(f *Func) { f.Set(f.Local(I32), ConstF32(1)) },
		"operands":    func(f *Func) { f.Do(Const(1).Add(ConstF32(1))) },
		"constant":    func(f *Func) { f.Set(Const(1), Const(2)) },
		"results":     func(f *Func) { f.Return(Const(1)) },
		"arguments":   func(f *Func) { f.Call(f, Const(1)) },
		"conversions": func(f *Func) { f.Do(Const(1).Convert("f32.demote_f64")) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			mistake(NewModule().Func("f", nil))
		})
	}
}
