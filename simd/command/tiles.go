package command

// Record is a record that knows how its work is cut.
type Record interface {
	// For is the record for kernel k: its head filled in but for the links, and where it is
	// not given the size of a tile. A record without tiles has nothing to do.
	For(k Kernel) (r Record, tiles uint32)
}

// Chunk is how many elements an elementwise tile has: some tens of microseconds.
const Chunk = 8192

// columns is how many columns a tile has of kernels that go down columns.
const columns = 64

func ceil(n, by uint32) uint32 { return (n + by - 1) / by }

// rowsOf is how many rows of so many elements make a tile.
func rowsOf(width uint32) uint32 { return max(1, Chunk/width) }

func (h *Head) set(k Kernel, tiles uint32) uint32 {
	h.Kernel, h.Tiles = k, tiles
	return tiles
}

func (r Map) For(k Kernel) (Record, uint32) {
	if r.Chunk == 0 {
		r.Chunk = Chunk
		if r.Cols > 0 {
			r.Chunk = rowsOf(r.Cols)
		}
	}
	tiles := r.set(k, ceil(r.Max, r.Chunk))
	return r, tiles
}

func (r Rows) For(k Kernel) (Record, uint32) {
	n := r.Max
	if k == ScatterAdd {
		n = r.Bytes / 4
	}
	if r.Chunk == 0 {
		r.Chunk = columns
	}
	tiles := r.set(k, ceil(n, r.Chunk))
	return r, tiles
}

func (r Sum) For(k Kernel) (Record, uint32) {
	r.Chunk = columns
	tiles := r.set(k, ceil(r.Cols, columns))
	return r, tiles
}

func (r Normal) For(k Kernel) (Record, uint32) {
	n := r.Max
	r.Chunk = rowsOf(r.N)
	if k == NormGain {
		n, r.Chunk = r.N, columns
	}
	tiles := r.set(k, ceil(n, r.Chunk))
	return r, tiles
}

func (r Rotate) For(k Kernel) (Record, uint32) {
	r.Chunk = rowsOf(r.Cols)
	tiles := r.set(k, ceil(r.Max, r.Chunk))
	return r, tiles
}

func (r Lookup) For(k Kernel) (Record, uint32) {
	r.Chunk = rowsOf(r.W.Width)
	tiles := r.set(k, ceil(r.Max, r.Chunk))
	return r, tiles
}

func (r Check) For(k Kernel) (Record, uint32) {
	r.Chunk = Chunk
	n := uint32(1)
	if k == Squares {
		n = ceil(r.Len, Chunk)
	}
	tiles := r.set(k, n)
	return r, tiles
}

func (r Adam) For(k Kernel) (Record, uint32) {
	r.Chunk = Chunk
	tiles := r.set(k, ceil(r.Len, Chunk))
	return r, tiles
}

func (r Matrices) For(k Kernel) (Record, uint32) {
	tiles := r.set(k, r.Count)
	return r, tiles
}

func (r Loss) For(k Kernel) (Record, uint32) {
	tiles := r.set(k, r.Max)
	return r, tiles
}

func (r Logits) For(k Kernel) (Record, uint32) {
	tiles := r.set(k, r.Max)
	return r, tiles
}

func (r Conv) For(k Kernel) (Record, uint32) {
	r.Chunk = columns
	tiles := r.set(k, ceil(r.Bytes/4, columns))
	return r, tiles
}

func (r Rounding) For(k Kernel) (Record, uint32) {
	tiles := r.set(k, r.Max)
	return r, tiles
}

func (r Pick) For(k Kernel) (Record, uint32) {
	n := uint32(1)
	if k == ColumnTops {
		n = ceil(r.K, columns)
	}
	tiles := r.set(k, n)
	return r, tiles
}

func (r Blocks) For(k Kernel) (Record, uint32) {
	r.Chunk = rowsOf(r.K)
	tiles := r.set(k, ceil(r.Max, r.Chunk))
	return r, tiles
}

// Attention's tiles are given: they depend on what the kernels share.
func (r Attention) For(k Kernel) (Record, uint32) {
	tiles := r.set(k, r.Tiles)
	return r, tiles
}

func (r Product) For(k Kernel) (Record, uint32) {
	tiles := r.set(k, r.RowTiles*ceil(r.N, r.Cols))
	return r, tiles
}
