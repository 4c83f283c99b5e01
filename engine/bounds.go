package engine

import (
	"errors"
	"fmt"
)

// ErrArgs is the error of a run whose arguments do not fit the program. The run has
// changed nothing.
var ErrArgs = errors.New("engine: bad arguments")

// bound is the range that an operation allows for the values of an integer argument.
// Operations index memory with such arguments, so [Program.CheckArgs] checks every bound
// before each run, and devices rely on it. The integers of a tensor, which outlives the
// run, are not checked.
type bound struct {
	use   string // the operation and what the argument is to it, for messages
	arg   Buffer
	rows  Buffer // values count the live rows of this buffer: low ≤ x < rows
	end   bool   // values are ends of ranges of rows: x = rows is allowed too
	least int    // smallest value
	most  int    // largest value, where rows is None
	above Buffer // each value exceeds the value of this argument at the same place
}

// bounded is an operation that indexes memory with integer arguments.
type bounded interface {
	bounds() []bound
}

// index bounds an argument whose values are row indices.
func index(use string, arg, rows Buffer) bound { return bound{use: use, arg: arg, rows: rows} }

// ranges bounds two arguments that are the beginnings and ends of ranges [lo, hi) of rows.
// A range with hi ≤ lo is empty.
func ranges(use string, lo, hi, rows Buffer) []bound {
	return []bound{{use: use + ": range start", arg: lo, rows: rows, end: true}, {use: use + ": range end", arg: hi, rows: rows, end: true}}
}

// maxPosition keeps differences of two positions within 32 bits.
const maxPosition = 1 << 29

// position bounds an argument whose values are positions that may be negative.
func position(use string, arg Buffer) bound {
	return bound{use: use, arg: arg, least: -maxPosition, most: maxPosition}
}

// boundsOf lists the bounds of op's arguments, without those of absent ones.
func boundsOf(op Op) (all []bound) {
	if o, ok := op.(bounded); ok {
		for _, k := range o.bounds() {
			if k.arg != None {
				all = append(all, k)
			}
		}
	}
	return all
}

// collectBounds lists the bounds of all operations, each once.
func (p *Program) collectBounds() (all []bound) {
	type key struct {
		arg         Buffer
		rows        Domain
		n           int
		end         bool
		least, most int
		above       Buffer
	}
	seen := map[key]bool{}
	for _, op := range p.ops {
		for _, k := range boundsOf(op) {
			if p.Info(k.arg).Life != Argument {
				continue // whoever writes a tensor of integers answers for them
			}
			id := key{arg: k.arg, end: k.end, least: k.least, most: k.most, above: k.above}
			if k.rows != None {
				id.rows, id.n = p.Info(k.rows).Rows, p.Spec(k.rows).Rows()
			}
			if !seen[id] {
				seen[id] = true
				all = append(all, k)
			}
		}
	}
	return all
}

// CheckArgs reports arguments that do not fit p, as an error that wraps [ErrArgs]: of an
// unknown buffer, of the wrong type, too long, or out of an operation's bounds. Bounds
// hold for live rows; what comes after them is not looked at. Arguments that have bounds
// must be given with every run, a value for each live row.
func (p *Program) CheckArgs(in Args) error {
	if err := p.checkArgs(in); err != nil {
		return fmt.Errorf("%w: %w", ErrArgs, err)
	}
	return nil
}

func (p *Program) checkArgs(in Args) error {
	for b, v := range in.Ints {
		if err := p.checkArg(b, I32, len(v)); err != nil {
			return err
		}
	}
	for b, v := range in.Floats {
		if err := p.checkArg(b, F32, len(v)); err != nil {
			return err
		}
	}
	for d, n := range in.Live {
		if d <= AllRows || int(d) >= len(p.domains) {
			return fmt.Errorf("no domain %d in this program", d)
		}
		if n < 0 || n > p.domains[d].max {
			return fmt.Errorf("%d live rows in domain %q, which is bounded by %d", n, p.domains[d].name, p.domains[d].max)
		}
	}
	limits := p.limits
	if !p.ended {
		limits = p.collectBounds()
	}
	for _, k := range limits {
		if err := p.checkBound(k, in); err != nil {
			return err
		}
	}
	return nil
}

func (p *Program) checkArg(b Buffer, t DType, n int) error {
	if b <= None || int(b) >= len(p.buffers) || p.buffers[b].Life != Argument || p.buffers[b].Root != None {
		return fmt.Errorf("buffer %d is not an argument of this program", b)
	}
	if i := p.buffers[b]; i.Spec.DType != t || n > i.Spec.Len() {
		return fmt.Errorf("argument %q takes %v, not %d values of %v", i.Name, i.Spec, n, t)
	}
	return nil
}

func (p *Program) checkBound(k bound, in Args) error {
	name, n := p.Info(k.arg).Name, p.live(k.arg, p.Spec(k.arg).Len(), in)
	values := p.ints(k.arg, in)
	if len(values) < n {
		return fmt.Errorf("%s: argument %q has %d values for %d", k.use, name, len(values), n)
	}
	above := p.ints(k.above, in)
	least, most := k.least, k.most
	if k.rows != None {
		most = p.live(k.rows, p.Spec(k.rows).Rows(), in)
		if !k.end {
			most--
		}
	}
	for i, x := range values[:n] {
		if int(x) < least || int(x) > most {
			return fmt.Errorf("%s: %q[%d] is %d, want %d ≤ x ≤ %d", k.use, name, i, x, least, most)
		}
		if i < len(above) && x <= above[i] {
			return fmt.Errorf("%s: %q[%d] is %d, want x > %d", k.use, name, i, x, above[i])
		}
	}
	return nil
}

// ints are the values given for b, which may be a view of an argument.
func (p *Program) ints(b Buffer, in Args) []int32 {
	if b == None {
		return nil
	}
	root, off := p.Root(b)
	v := in.Ints[root]
	return v[min(off, len(v)):]
}

// live is how many of b's n rows or elements are live.
func (p *Program) live(b Buffer, n int, in Args) int {
	d := p.Info(b).Rows
	if d == AllRows {
		return n
	}
	rows, ok := in.Live[d]
	if !ok {
		rows = p.domains[d].max
	}
	return min(n, rows*(n/max(1, p.Dim(b, 0))))
}
