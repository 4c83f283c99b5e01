package weights

import (
	"context"
	"fmt"
)

// PieceBytes is the most that a piece of a streamed tensor has.
const PieceBytes = 4 << 20

// plainBytes is the most where rows need not be put in another order: whoever streams a
// model holds one piece of it, and a larger one is no faster.
const plainBytes = 1 << 20

// Stream hands piece the view's bytes in the device's form, front to back: off
// counts from the beginning of the tensor, data is at most [PieceBytes] long and
// whole rows (whole blocks, where a row is longer than that). data is reused:
// it's valid until piece returns. A NaN or an infinity among the weights is an
// error that names the tensor.
func (v View) Stream(ctx context.Context, piece func(off int64, data []byte) error) error {
	s := &streamer{}
	return s.stream(ctx, v, piece)
}

// A streamer has the buffers that every tensor goes through.
type streamer struct {
	ctx   context.Context
	piece func(off int64, data []byte) error
	off   int64  // of out in the tensor
	most  int    // bytes of a piece
	n     int    // bytes of out that are filled
	out   []byte // what piece is handed
	lost  Rounding
	sum   *Rounded // of the span, nil: none
	raw   []byte   // what was read, where it isn't read into out
	parts []byte   // elements and scales, where the file has them apart
}

func (s *streamer) stream(ctx context.Context, v View, piece func(off int64, data []byte) error) error {
	if err := v.Err(); err != nil {
		return err
	}
	s.ctx, s.piece, s.off, s.n, s.most = ctx, piece, 0, 0, plainBytes
	for _, p := range v.spans {
		if p.transpose || max(1, p.pairs)*p.rowBytes() > plainBytes {
			s.most = PieceBytes
		}
	}
	s.out = grow(s.out, min(v.Spec().Bytes(), s.most))
	for _, p := range v.spans {
		if p.row() == 0 || p.from == p.to {
			continue
		}
		if err := s.span(p); err != nil {
			return &fileError{p.t.source.Name(), fmt.Errorf("tensor %q: %w", p.t.Name, err)}
		}
	}
	return s.flush()
}

func (s *streamer) span(p span) error {
	row := p.rowBytes()
	s.sum = s.lost.of(p)
	switch {
	case !p.transpose && p.pairs == 0:
		return s.copyRows(p, row)
	case row > PieceBytes || p.transpose && p.enc.fileBytes(p.t.elements()/p.row()) > PieceBytes:
		return fmt.Errorf("shape %v has rows longer than %d bytes, which can't be put in another order", p.t.Shape, PieceBytes)
	case p.transpose:
		return s.transposeColumns(p)
	}
	return s.unpermuteRows(p)
}

// rowBytes is what a row takes, in the file or on the device, whichever is more.
func (p span) rowBytes() int { return max(p.enc.fileBytes(p.row()), p.enc.deviceBytes(p.row())) }

// copyRows streams rows in the order they have in the file.
func (s *streamer) copyRows(p span, rowBytes int) error {
	unit := p.row() // elements that stay together
	if rowBytes > PieceBytes {
		unit = p.enc.block
	}
	at := p.from * p.row()
	for end := p.to * p.row(); at < end; {
		n, err := s.room(p.enc.deviceBytes(unit))
		if err != nil {
			return err
		}
		n = unit * min(n, (end-at)/unit, s.most/p.enc.fileBytes(unit))
		dst := s.take(p.enc.deviceBytes(n))
		if !p.enc.convert {
			err = s.read(p, at, dst)
		} else {
			s.raw = grow(s.raw, p.enc.fileBytes(n))
			raw := s.raw[:p.enc.fileBytes(n)]
			if err = s.read(p, at, raw); err == nil {
				err = p.toDevice(dst, raw, at, s.sum)
			}
		}
		if err != nil {
			return err
		}
		at += n
	}
	return nil
}

// unpermuteRows streams rows that the file has interleaved: whole heads at a
// time, row by row where the range begins or ends inside one, or where one is
// longer than a piece.
func (s *streamer) unpermuteRows(p span) error {
	row := p.row()
	fileRow, deviceRow := p.enc.fileBytes(row), p.enc.deviceBytes(row)
	for r := p.from; r < p.to; {
		unit := p.pairs
		if r%p.pairs != 0 || p.to-r < p.pairs || p.pairs*max(fileRow, deviceRow) > PieceBytes {
			unit = 1
		}
		n, err := s.room(unit * deviceRow)
		if err != nil {
			return err
		}
		n = unit * min(n, (p.to-r)/unit, s.most/(unit*fileRow))
		first := r // the row in the file that raw begins with
		if unit == 1 {
			n, first = 1, p.fileRow(r)
		}
		s.raw = grow(s.raw, n*fileRow)
		if err := s.read(p, first*row, s.raw[:n*fileRow]); err != nil {
			return err
		}
		for ; n > 0; n-- {
			from := p.fileRow(r)
			if err := p.toDevice(s.take(deviceRow), s.raw[(from-first)*fileRow:][:fileRow], from*row, s.sum); err != nil {
				return err
			}
			r++
		}
	}
	return nil
}

// fileRow is where llama.cpp put row r.
func (p span) fileRow(r int) int {
	head, i := r/p.pairs, r%p.pairs
	half := p.pairs / 2
	return head*p.pairs + i%half*2 + i/half
}

// transposeColumns streams columns as rows: as many as a piece holds, for which
// the matrix is read once from top to bottom.
func (s *streamer) transposeColumns(p span) error {
	rows, cols, size := p.row(), p.t.elements()/p.row(), p.enc.bytes
	for c := p.from; c < p.to; {
		n, err := s.room(rows * size)
		if err != nil {
			return err
		}
		n = min(n, p.to-c)
		dst := s.take(n * rows * size)
		for r := 0; r < rows; {
			m := min(rows-r, PieceBytes/(cols*size))
			s.raw = grow(s.raw, m*cols*size)
			raw := s.raw[:m*cols*size]
			if err := s.read(p, r*cols, raw); err != nil {
				return err
			}
			for i := range m {
				for j := range n {
					copy(dst[(j*rows+r+i)*size:][:size], raw[(i*cols+c+j)*size:])
				}
			}
			r += m
		}
		c += n
	}
	return nil
}

// read fills dst with the file's bytes from element at on and checks them.
func (s *streamer) read(p span, at int, dst []byte) error {
	var err error
	if p.t.scales > 0 {
		s.parts = grow(s.parts, len(dst))
		err = p.t.readBlocks(s.ctx, at, dst, s.parts)
	} else {
		err = p.t.source.ReadRange(s.ctx, p.t.offset+int64(p.enc.fileBytes(at)), dst)
	}
	if err != nil {
		return err
	}
	if i := p.enc.notFinite(dst); i >= 0 {
		return fmt.Errorf("the weight at element %d of %v is not a finite number: the file is damaged", at+i, p.t.Shape)
	}
	return nil
}

// toDevice converts file bytes that begin at element at, and sums what is lost.
func (p span) toDevice(dst, src []byte, at int, sum *Rounded) error {
	p.enc.toDevice(dst, src, sum)
	if p.enc.convert {
		if i := encodings["Q8_0"].notFinite(dst); i >= 0 {
			return fmt.Errorf("the weights at element %d of %v are too large for Q8_0", at+i, p.t.Shape)
		}
	}
	return nil
}

// room is how many units of so many bytes fit into what is left of out, at
// least one: a full buffer is handed on first.
func (s *streamer) room(unit int) (int, error) {
	if len(s.out)-s.n < unit {
		if err := s.flush(); err != nil {
			return 0, err
		}
	}
	return (len(s.out) - s.n) / unit, nil
}

// take is the next n bytes of out.
func (s *streamer) take(n int) []byte {
	dst := s.out[s.n : s.n+n]
	s.n += n
	return dst
}

// flush hands on what is in out.
func (s *streamer) flush() error {
	if s.n == 0 {
		return nil
	}
	if err := s.piece(s.off, s.out[:s.n]); err != nil {
		return err
	}
	s.off += int64(s.n)
	s.n = 0
	return nil
}

// grow makes a buffer of at least n bytes, or of a whole piece if n is more.
func grow(buf []byte, n int) []byte {
	if n = min(n, PieceBytes); len(buf) < n {
		return make([]byte, n)
	}
	return buf
}
