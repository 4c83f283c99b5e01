package prefix

import (
	"prelude/engine"
	"prelude/prefix/adapter"
)

// This file lists what an option can be: one interface an axis, and small optional interfaces
// by which an option says what is particular to it. [Method] asks for these and knows no
// option by name, so a new one needs no change elsewhere.

// Source is an option of the axis "source": what produces the prefix. It has slots if its
// settings list [SlotsSetting].
type Source interface {
	// Params lists the tensors with their initial values.
	Params(s *Initial) ([]Param, error)
	// Build appends what produces the prefix: it sets b.KV, or hooks of its own.
	Build(b *Build)
}

// Gate is an option of the axis "gate": how much of the prefix comes through.
type Gate interface {
	Params(s *Initial) ([]Param, error)
	// Bias is added to the scores of a layer's slots: [1, 1, slots], or None.
	Bias(b *Build, layer int) engine.Buffer
}

// Length is an option of the axis "length": how many slots there are.
type Length interface {
	Params(s *Initial) ([]Param, error)
	// Bias is added to the scores of the slots: [rows|1, 1, slots], or None.
	Bias(b *Build, at engine.At) engine.Buffer
	// Keep says which slots remain after training, by the trained values; nil: all.
	Keep(slots int, value func(name string) []float32) []bool
}

// Weights is an option of the axis "weights": which few weights of the model train.
type Weights interface {
	Params(s *Initial) ([]Param, error)
	// Build sets the hooks on linear maps and on the model's tensors.
	Build(b *Build)
}

// What a source can add. Without any of these it makes keys and values of a decoder-only
// model, which are computed once after training and frozen as such.
type (
	// Stored marks a source whose keys and values are tensors: nothing produces them, so
	// there is nothing to settle.
	Stored interface{ Stored() }

	// Former is a source that is frozen as something other than keys and values.
	Former interface {
		// Form is the id of the source that the frozen prefix has. Slots may have been cut out
		// of it or its keys and values scaled by factors.
		Form(cut, scaled bool) (source string, err error)
	}

	// Producer is a source whose form has tensors that training had not.
	Producer interface {
		// Produce appends what computes these tensors, by name.
		Produce(b *Build) map[string]engine.Buffer
	}

	// UpperLayers is a source that leaves lower layers without a prefix.
	UpperLayers interface {
		FirstLayer(info engine.ModelInfo) int
	}

	// AtEveryAttention marks a source that an encoder-decoder can have at each of its three
	// kinds of attention.
	AtEveryAttention interface{ AtEveryAttention() }

	// InputRows is a source that an encoder-decoder reads as rows of its inputs.
	InputRows interface {
		// Embeddings are these rows, [inputs·slots, hidden].
		Embeddings(b *Build) engine.Buffer
	}
)

// What a gate can add.
type (
	// OwnSoftmax is a gate that gives the prefix a softmax of its own, Δ, whose output is
	// weighed and added to the attention's: o + g·Δ.
	OwnSoftmax interface {
		// Weigh is g·Δ.
		Weigh(b *Build, at engine.At, delta engine.Buffer) engine.Buffer
	}

	// Scaler is a gate that multiplies keys and values. Freezing multiplies them once, and
	// leaves no gate.
	Scaler interface {
		Scale(b *Build, layer int, x engine.Buffer) engine.Buffer
	}
)

// What a length can add. Without any of these, the slots it keeps are a prefix of fixed length.
type (
	// Leaver is a length that leaves a bias on the scores of the slots it keeps.
	Leaver interface {
		Leave(slot int, value func(name string) []float32) float64
	}

	// Lasting marks a length that goes on choosing after training.
	Lasting interface{ Lasts() }

	// Settable is a length that can be set after training: the tensor "length.mask" is a
	// bias that hides slots.
	Settable interface {
		// Mask is that bias for the first n slots.
		Mask(slots, n int) []float32
	}

	// Trials is a length that is found by training with several, in ascending order.
	Trials interface{ Lengths() []int }
)

// What weights can add.
type (
	// Copies are weights that train as copies of the model's tensors.
	Copies interface {
		// Which gives the copies' shapes by the tensors' names.
		Which(a engine.Architecture) map[string][]int
	}

	// AfterBlocks marks weights that leave every block's keys and values as they are.
	AfterBlocks interface{ AfterBlocks() }
)

// What an option of any axis can say.
type (
	// PEFTFormat is a source or weights that PEFT has formats for. Anything else is exported
	// as tensors in a format of Prelude's own.
	PEFTFormat interface {
		// PEFTTypes lists the peft_types that hold the frozen method, the best first, or says
		// why none does.
		PEFTTypes(m *Method) (types []string, why string)
		// WritePEFT adds the tensors and the configuration that a's peft_type asks for.
		WritePEFT(m *Method, a *adapter.Adapter) error
	}

	// NotPEFT is a gate or length that says why PEFT can't hold it.
	NotPEFT interface{ WhyNotPEFT() string }

	// Unmixable is a length or source that says why its prefix can't stand beside another.
	Unmixable interface{ WhyUnmixable() string }
)
