package prefix

import (
	"fmt"

	"prelude/engine"
)

// In models that have short convolutions in the place of some attentions (LFM2), keys and values
// are those of the layers that attend. A convolution of k taps looks back at k−1 rows: where the
// slots stand before the text like rows of it, it sees the inputs that the last of them have,
//
//	C [convolutions, min(k−1, slots), hidden]
//
// before every sequence. So a text that was read is exactly that text in context, and virtual
// tokens are what they are to PEFT. Where slots are weighed, hidden or chosen between, or a
// network makes their keys and values, convolutions see nothing of them.

// A source whose slots are rows to convolutions: it sets Build.Rows.
type convolved interface{ Convolved() }

// convolutions are the layers whose convolutions see slots.
func (m *Method) convolutions() []int {
	_, ok := m.source.(convolved)
	if _, parts := m.length.(loose); !ok || !m.hasSlots() || !m.isDefault("gate") || !m.isDefault("length") && !parts {
		return nil
	}
	return m.Info.Convolving()
}

// unseen says that convolutions see nothing of slots that they would see, were these not weighed
// or chosen between.
func (m *Method) unseen() bool {
	_, ok := m.source.(convolved)
	return ok && len(m.Info.Convolving()) > 0 && !m.hasRows()
}

// rowsShape is the shape of C.
func (m *Method) rowsShape(slots int) []int {
	return []int{len(m.convolutions()), min(m.Info.Taps-1, slots), m.Info.Hidden}
}

// hasRows says whether there is a C.
func (m *Method) hasRows() bool { return engine.Spec{Shape: m.rowsShape(1)}.Len() > 0 }

// RowsTensor is C as keys and values that stand ready have it, beside [SettledKV]; its shape is
// empty where there is none.
const RowsTensor = "settled.rows"

// RowsSpec is the shape of the tensor [RowsTensor].
func (m *Method) RowsSpec() engine.Spec {
	return engine.Spec{DType: engine.F32, Shape: m.rowsShape(m.slots)}
}

// ownRows are C where keys and values themselves train.
const ownRows = "prefix.rows before convolutions"

// lastRows are the inputs of a convolution that come last, of all slots'.
func (b *Build) lastRows(x engine.Buffer) engine.Buffer {
	n := min(b.Info.Taps-1, b.Slots)
	return b.View(x, (b.Slots-n)*b.Info.Hidden, n, b.Info.Hidden)
}

// rowsOf cuts C into layers.
func (m *Method) rowsOf(b *Build, c engine.Buffer) func(layer int) engine.Buffer {
	n := b.Dim(c, 1)
	return func(layer int) engine.Buffer {
		for at, l := range m.convolutions() {
			if l == layer {
				return b.Part(c, at*n*b.Info.Hidden, n, b.Info.Hidden)
			}
		}
		return engine.None
	}
}

// before is what convolutions see of the slots, a hook on their inputs.
func (m *Method) before(b *Build) func(layer int) engine.Buffer {
	switch {
	case !m.hasRows():
		return func(int) engine.Buffer { return engine.None }
	case b.Mode == Replay && m.Settles():
		return m.rowsOf(b, b.Persist(RowsTensor, m.RowsSpec()))
	case b.has(ownRows):
		return m.rowsOf(b, b.Tensor(ownRows))
	}
	return b.Rows
}

// noteConvolutions says what the model's convolutions see of the slots.
func (m *Method) noteConvolutions() {
	n, layers := len(m.Info.Convolving()), m.Info.Layers
	switch {
	case n == 0 || !m.hasSlots():
	case m.hasRows():
		m.notes = append(m.notes, fmt.Sprintf("%d of this model's %d layers are short convolutions, which have no keys and values: they see the inputs of the last %d slots before the text.", n, layers, min(m.Info.Taps-1, m.slots)))
	default:
		m.notes = append(m.notes, fmt.Sprintf("%d of this model's %d layers are short convolutions, which have no keys and values: they see nothing of this prefix.", n, layers))
	}
}
