package kernels

import (
	"unsafe"

	. "prelude/simd/asm"
	"prelude/simd/command"
)

// walk exports run(workspace, until), which works through the chain of records
// that Control.PC begins and returns command.Done, or command.Yield when the
// clock passes until (milliseconds of the imported now) or Stop is set. All its
// state is in the control block, so the next call goes on where this one left.
// Threads on shared memory have nobody to make room for: they look at Stop alone.
func (g *generator) walk(now *Func) {
	f := g.m.Func("run", []Type{I32}, I32, F64)
	g.m.Export(f)
	ws, until := f.Param(0), f.Param(1)
	var c command.Control
	var h command.Head
	at := Const(command.ControlAt)
	pc, stop, tile := int(unsafe.Offsetof(c.PC)), int(unsafe.Offsetof(c.Stop)), int(unsafe.Offsetof(c.Tile))
	kernel, tiles, next := int(unsafe.Offsetof(h.Kernel)), int(unsafe.Offsetof(h.Tiles)), int(unsafe.Offsetof(h.Next))
	beside := int(unsafe.Offsetof(h.Beside))

	if !g.Shared {
		rec, t, done := f.Let(LoadI(at, pc)), f.Let(LoadI(at, tile)), f.Local(I32)
		f.While(rec, func() {
			f.While(t.Lt(LoadI(rec, tiles)), func() {
				f.CallSlot(LoadI(rec, kernel), rec, t, ws)
				f.Inc(t, 1)
				f.Inc(done, 1)
				f.If(done.And(Const(perLook-1)).Not(), func() {
					f.If(LoadI(at, stop).Or(now.Apply().Gt(until)), func() {
						f.Store(at, pc, rec)
						f.Store(at, tile, t)
						f.Return(Const(command.Yield))
					}, nil)
				}, nil)
			})
			f.Set(rec, Select(LoadI(rec, beside), LoadI(rec, beside), LoadI(rec, next)))
			f.Set(t, Const(0))
		})
		f.Store(at, pc, Const(0))
		f.Store(at, tile, Const(0))
		f.Return(Const(command.Done))
		return
	}

	arrived, round := int(unsafe.Offsetof(c.Arrived)), int(unsafe.Offsetof(c.Round))
	threads, failed := int(unsafe.Offsetof(c.Threads)), int(unsafe.Offsetof(c.Failed))
	rec, part, t, seen, turns, took := f.Local(I32), f.Local(I32), f.Local(I32), f.Local(I32), f.Local(I32), f.Local(F64)
	f.Loop(func(again Label) {
		f.Set(rec, AtomicLoad(at, pc))
		f.If(rec.Not(), func() { f.Return(Const(command.Done)) }, nil)
		f.If(AtomicLoad(at, failed), func() { f.Return(Const(command.Failed)) }, nil)
		f.If(AtomicLoad(at, stop), func() { f.Return(Const(command.Yield)) }, nil)
		// Tiles are counted on through the records beside each other.
		f.Set(t, AtomicAdd(at, tile, Const(1)))
		f.Set(part, rec)
		f.While(part, func() {
			f.If(t.Lt(LoadI(part, tiles)), func() {
				f.CallSlot(LoadI(part, kernel), part, t, ws)
				f.Branch(again)
			}, nil)
			f.Set(t, t.Sub(LoadI(part, tiles)))
			f.Set(part, LoadI(part, beside))
		})

		// The record has no tiles left. The last one here opens the next record.
		f.Set(seen, AtomicLoad(at, round))
		f.If(AtomicAdd(at, arrived, Const(1)).Eq(AtomicLoad(at, threads).Sub(Const(1))), func() {
			// Records of one tile are nothing to share: this thread works on those that follow
			// while the others still wait, which spares everyone a meeting for each. Not on too
			// many: who waits for long takes this thread for dead.
			f.Set(rec, LoadI(rec, next))
			f.Set(turns, Const(alone))
			f.Block(func(out Label) {
				f.While(rec, func() {
					f.BranchIf(out, turns.Not().Or(LoadI(rec, tiles).Ne(Const(1))).Or(LoadI(rec, beside)).Or(AtomicLoad(at, stop)))
					f.CallSlot(LoadI(rec, kernel), rec, Const(0), ws)
					f.Set(rec, LoadI(rec, next))
					f.Inc(turns, -1)
				})
			})
			f.AtomicStore(at, arrived, Const(0))
			f.AtomicStore(at, tile, Const(0))
			f.AtomicStore(at, pc, rec)
			f.Do(AtomicAdd(at, round, Const(1)))
			f.Do(AtomicNotify(at, round, Const(-1)))
			f.Branch(again)
		}, nil)
		began := f.Let(now.Apply())
		f.While(now.Apply().Sub(began).Lt(ConstF64(awake)), func() {
			f.Set(turns, Const(looks))
			f.While(turns.Gt(Const(0)), func() {
				f.If(AtomicLoad(at, round).Ne(seen), func() { f.Branch(again) }, nil)
				f.Inc(turns, -1)
			})
		})
		// Sleep in short turns, so that Stop is seen, and until patience ends. The clock is
		// asked, since a turn may be cut short; and a turn counts as two at most, since a
		// machine that was asleep, or gave this thread no time, says nothing of the others.
		waited, last := f.Let(ConstF64(0)), f.Let(now.Apply())
		f.While(waited.Lt(ConstF64(patience)), func() {
			f.Do(AtomicWait(at, round, seen, ConstI64(nap*1e6)))
			f.Set(took, now.Apply().Sub(last))
			f.Set(waited, waited.Add(took.Min(ConstF64(2*nap))))
			f.Set(last, last.Add(took))
			f.If(AtomicLoad(at, round).Ne(seen), func() { f.Branch(again) }, nil)
			f.If(AtomicLoad(at, stop), func() { f.Return(Const(command.Yield)) }, nil)
			f.If(AtomicLoad(at, failed), func() { f.Return(Const(command.Failed)) }, nil)
		})
		f.AtomicStore(at, failed, Const(1))
		f.Return(Const(command.Failed))
	})
	f.Return(Const(command.Failed))
}

const (
	alone    = 8    // records of one tile that one thread works on before the next meeting
	perLook  = 4    // tiles for each look at the clock: the smallest are as short as a look
	awake    = 0.05 // ms that a thread looks at the round before it sleeps: waking takes as long
	looks    = 1000 // at the round for each at the clock
	nap      = 50   // ms of one sleep
	patience = 4000 // ms until a thread that has not come counts as dead
)
