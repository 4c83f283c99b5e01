//go:build !js

package simd

// copied is linear memory of Go's own, which is copied as it grows.
type copied struct {
	all  []byte
	most uint64
}

func (c *copied) Reallocate(size uint64) []byte {
	if size > c.most {
		return nil
	}
	if size > uint64(cap(c.all)) {
		all := make([]byte, size)
		copy(all, c.all)
		c.all = all
	}
	c.all = c.all[:size]
	return c.all
}

func (c *copied) Free() { c.all = nil }
