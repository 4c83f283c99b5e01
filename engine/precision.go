package engine

import "fmt"

// Precision is how exactly a device computes a program's products with frozen weights,
// which are nearly all of a step: y = x·Wᵀ on the way forward and dx = dy·W on the way
// back. No weight's gradient depends on it, which is why 8 bits are enough (SwitchBack,
// Wortsman et al. 2023, arXiv 2304.13013). Everything else is float32 at any precision:
// norms, softmax, attention, losses, the optimiser, and products with what is trained.
type Precision uint8

const (
	// Exact computes in float32.
	Exact Precision = iota
	// Fast lets the device round both factors of such a product to 8 or 16 bits, with a
	// scale for each row and block of the sum, where it measures that to be faster. A
	// factor that is not finite makes all the results that depend on it not finite.
	Fast
)

var precisions = [...]string{"exact", "fast"}

// ParsePrecision reads "exact" or "fast".
func ParsePrecision(s string) (Precision, error) {
	for i, name := range precisions {
		if s == name {
			return Precision(i), nil
		}
	}
	return 0, fmt.Errorf("engine: no precision %q, there are %q", s, precisions)
}

func (p Precision) String() string {
	if int(p) < len(precisions) {
		return precisions[p]
	}
	return fmt.Sprintf("precision %d", uint8(p))
}

// Arithmetic is an optional method of devices: in which numbers products with frozen
// weights are computed at a precision, such as "float32" or "8-bit integers". It is what
// a record of a run says.
type Arithmetic interface {
	Arithmetic(Precision) string
}

// ArithmeticOf asks a device that knows; others compute in float32 at any precision.
func ArithmeticOf(d Device, p Precision) string {
	if a, ok := d.(Arithmetic); ok {
		return a.Arithmetic(p)
	}
	return "float32"
}

// SetPrecision chooses how exactly products with frozen weights are computed. A new
// program is Exact.
func (p *Program) SetPrecision(to Precision) { p.precision = to }

// Precision is what SetPrecision chose.
func (p *Program) Precision() Precision { return p.precision }

// MayRound says whether a product with w may be rounded: the program is Fast and w is a
// tensor of the device that the program does not train.
func (p *Program) MayRound(w Buffer) bool {
	i := p.buffers[w]
	return p.precision == Fast && i.Life == Persist && !i.train && i.Root == None
}

// SetSteady says that the program runs many times over the same frozen weights, with few rows: a
// device that brings them into another form to multiply them, forward or back, may keep that form,
// memory for time, as long as such programs' plans are there.
func (p *Program) SetSteady() { p.steady = true }

// Steady says whether SetSteady was called.
func (p *Program) Steady() bool { return p.steady }
