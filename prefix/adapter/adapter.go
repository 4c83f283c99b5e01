package adapter

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"prelude/engine/safetensors"
)

// Adapter is a trained prefix, or another small change of a frozen model.
type Adapter struct {
	Config  Config
	Tensors map[string]Tensor // by name; those named "prelude.…" are not PEFT's
	Prelude Prelude           // the zero value where a file has no prelude.json

	// Before and After are the text around a prompt, as training wrote it: for the README and
	// its lines of Python. They are not read back.
	Before, After string
	// Begins says that the tokenizer puts its begin token before these texts by itself.
	Begins bool
}

// Tensor is one tensor of an adapter, widened to float32. DType (F32, F16 or
// BF16) is its type in a file; zero means F32. Writing in a 16-bit type rounds;
// what was read from one is written back bit for bit.
type Tensor struct {
	Shape []int // row-major
	DType safetensors.DType
	Data  []float32
}

// Prefix of the names of tensors that only Prelude reads.
const ownTensors = "prelude."

// Len is the number of elements that the shape claims; false where a dimension
// is not positive or the product leaves int.
func (t Tensor) Len() (int, bool) {
	n := 1
	for _, d := range t.Shape {
		if d <= 0 || n > math.MaxInt/d {
			return 0, false
		}
		n *= d
	}
	return n, true
}

func (t Tensor) check(name string) error {
	if n, ok := t.Len(); !ok || n != len(t.Data) {
		return fmt.Errorf("adapter: tensor %q has shape %v and %d values", name, t.Shape, len(t.Data))
	}
	if _, ok := overflow[t.DType]; !ok {
		return fmt.Errorf("adapter: tensor %q is %s; want F32, F16 or BF16", name, t.DType)
	}
	for i, v := range t.Data {
		if v-v != 0 {
			return fmt.Errorf("adapter: tensor %q holds %v at element %d; a trained adapter has finite values only", name, v, i)
		}
		if math.Abs(float64(v)) >= overflow[t.DType] {
			return fmt.Errorf("adapter: tensor %q holds %v at element %d, beyond %s; write it as F32", name, v, i, t.DType)
		}
	}
	return nil
}

// overflow is the least magnitude that rounds to infinity, for each type taken.
var overflow = map[safetensors.DType]float64{
	"": math.Inf(1), safetensors.F32: math.Inf(1), safetensors.F16: 65520, safetensors.BF16: 0x1.ffp127,
}

// Check holds an adapter to its own configuration: names, shapes, finite values.
func (a *Adapter) Check() error {
	if err := a.Config.check(); err != nil {
		return err
	}
	if err := a.Prelude.check(a.Config); err != nil {
		return err
	}
	var peft []string
	for name, t := range a.Tensors {
		if err := t.check(name); err != nil {
			return err
		}
		if !strings.HasPrefix(name, ownTensors) {
			peft = append(peft, name)
		}
	}
	if len(peft) < len(a.Tensors) && a.Config.PeftType != Own {
		return fmt.Errorf("adapter: %s has tensors that PEFT does not know and would leave out silently; its peft_type must be %s", a.Config.PeftType, Own)
	}
	slices.Sort(peft)
	return methods[a.Config.PeftType](a, peft)
}

// tensor looks a tensor up and holds it to a shape, in which 0 stands for any size.
func (a *Adapter) tensor(name string, shape ...int) (Tensor, error) {
	t, ok := a.Tensors[name]
	if !ok {
		return t, fmt.Errorf("adapter: %s has no tensor %q", a.Config.PeftType, name)
	}
	same := len(t.Shape) == len(shape)
	for i := 0; same && i < len(shape); i++ {
		same = shape[i] == 0 || shape[i] == t.Shape[i]
	}
	if !same {
		return t, fmt.Errorf("adapter: tensor %q has shape %v, want %v by adapter_config.json", name, t.Shape, shape)
	}
	return t, nil
}
