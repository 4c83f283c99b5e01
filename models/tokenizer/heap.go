package tokenizer

// A minHeap is a binary heap of values in the order of less; container/heap
// would box each value.
type minHeap[T any] struct {
	items []T
	less  func(a, b T) bool
}

func (h *minHeap[T]) push(x T) {
	h.items = append(h.items, x)
	s, i := h.items, len(h.items)-1
	for i > 0 {
		up := (i - 1) / 2
		if !h.less(s[i], s[up]) {
			break
		}
		s[i], s[up] = s[up], s[i]
		i = up
	}
}

func (h *minHeap[T]) pop() T {
	s := h.items
	top, last := s[0], len(s)-1
	s[0] = s[last]
	s = s[:last]
	h.items = s
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if h.less(s[child], s[least]) {
				least = child
			}
		}
		if least == i {
			return top
		}
		s[i], s[least] = s[least], s[i]
		i = least
	}
}
