package weights

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
)

const (
	// ManifestName is the file that lists the pieces of another.
	ManifestName = "pieces.json"
	// PieceSize is the most that one piece has: static hosts cap a file's size.
	PieceSize = 24 << 20
)

// A Manifest says which pieces, in order, make up a file.
type Manifest struct {
	Name   string  `json:"name"`
	Size   int64   `json:"size"`
	SHA256 string  `json:"sha256"` // hex, of the whole file
	Pieces []Piece `json:"pieces"`
}

// A Piece is one file of a manifest.
type Piece struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// ParseManifest reads and checks a pieces.json.
func ParseManifest(data []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("weights: %s: %w", ManifestName, err)
	}
	if len(m.Pieces) == 0 {
		return nil, fmt.Errorf("weights: %s lists no pieces", ManifestName)
	}
	left := m.Size
	for i, p := range append(m.Pieces, Piece{m.Name, m.Size, m.SHA256}) {
		if err := plainName(p.Name); err != nil {
			return nil, fmt.Errorf("weights: %s: piece %d: %w", ManifestName, i, err)
		}
		if b, err := hex.DecodeString(p.SHA256); err != nil || len(b) != sha256.Size {
			return nil, fmt.Errorf("weights: %s: %s has sha256 %q, want 64 hex digits", ManifestName, p.Name, p.SHA256)
		}
		if i == len(m.Pieces) {
			break
		}
		if p.Size <= 0 || p.Size > left {
			return nil, fmt.Errorf("weights: %s: piece %s has %d bytes, with %d of the file's %d to go", ManifestName, p.Name, p.Size, left, m.Size)
		}
		left -= p.Size
	}
	if left != 0 {
		return nil, fmt.Errorf("weights: %s: the pieces have %d bytes, the file %d", ManifestName, m.Size-left, m.Size)
	}
	return &m, nil
}

// Pieces is a file in pieces. A piece is opened when it is first read, and its
// size held against the manifest.
type Pieces struct {
	manifest *Manifest
	open     Opener
	mu       sync.Mutex
	opened   []Source
}

// OpenPieces is the file that m describes; open opens its pieces.
func OpenPieces(m *Manifest, open Opener) *Pieces {
	return &Pieces{manifest: m, open: open, opened: make([]Source, len(m.Pieces))}
}

func (p *Pieces) Size() int64  { return p.manifest.Size }
func (p *Pieces) Name() string { return p.manifest.Name }

func (p *Pieces) ReadRange(ctx context.Context, off int64, dst []byte) error {
	if err := checkRange(ctx, p, off, len(dst)); err != nil {
		return err
	}
	for i, piece := range p.manifest.Pieces {
		if len(dst) == 0 {
			break
		}
		if off >= piece.Size {
			off -= piece.Size
			continue
		}
		src, err := p.piece(ctx, i)
		if err != nil {
			return err
		}
		n := int(min(int64(len(dst)), piece.Size-off))
		if err := src.ReadRange(ctx, off, dst[:n]); err != nil {
			return err
		}
		dst, off = dst[n:], 0
	}
	return nil
}

// piece opens piece i, once.
func (p *Pieces) piece(ctx context.Context, i int) (Source, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.opened[i] != nil {
		return p.opened[i], nil
	}
	want := p.manifest.Pieces[i]
	src, err := p.open(ctx, want.Name)
	if err != nil {
		return nil, fmt.Errorf("weights: piece %d of %s: %w", i, p.Name(), err)
	}
	if src.Size() != want.Size {
		return nil, fmt.Errorf("weights: piece %s has %d bytes, %s says %d: fetch it again", want.Name, src.Size(), ManifestName, want.Size)
	}
	p.opened[i] = src
	return src, nil
}

// Close closes the pieces that can be closed.
func (p *Pieces) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for i, src := range p.opened {
		if c, ok := src.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
		p.opened[i] = nil
	}
	return errors.Join(errs...)
}

// Verify reads everything and holds it against the manifest's hashes.
func (p *Pieces) Verify(ctx context.Context) error {
	whole := sha256.New()
	for i, piece := range p.manifest.Pieces {
		src, err := p.piece(ctx, i)
		if err != nil {
			return err
		}
		one := sha256.New()
		r := io.NewSectionReader(readerAt{ctx, src}, 0, piece.Size)
		if _, err := io.CopyBuffer(io.MultiWriter(one, whole), onlyReader{r}, make([]byte, 1<<20)); err != nil {
			return err
		}
		if err := checkSum(piece.Name, one, piece.SHA256); err != nil {
			return err
		}
	}
	return checkSum(p.Name(), whole, p.manifest.SHA256)
}

// onlyReader hides WriteTo, which would not use the buffer.
type onlyReader struct{ io.Reader }

func checkSum(name string, h hash.Hash, want string) error {
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("weights: %s has sha256 %s, %s says %s: fetch it again", name, got, ManifestName, want)
	}
	return nil
}

// Split cuts r into pieces of at most pieceSize bytes named name.000, name.001
// and so on, writes each with what create returns, and returns the manifest.
func Split(r io.Reader, name string, pieceSize int64, create func(name string) (io.WriteCloser, error)) (*Manifest, error) {
	m := &Manifest{Name: name}
	whole := sha256.New()
	for {
		// One byte ahead tells whether there is another piece.
		var ahead [1]byte
		if _, err := io.ReadFull(r, ahead[:]); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("weights: %s: %w", name, err)
		}
		piece := Piece{Name: fmt.Sprintf("%s.%03d", name, len(m.Pieces))}
		w, err := create(piece.Name)
		if err != nil {
			return nil, fmt.Errorf("weights: %w", err)
		}
		one := sha256.New()
		all := io.MultiWriter(w, one, whole)
		_, err = all.Write(ahead[:])
		n, copyErr := io.CopyN(all, r, pieceSize-1)
		if copyErr == io.EOF { // the last piece is shorter
			copyErr = nil
		}
		if err := cmp.Or(err, copyErr, w.Close()); err != nil {
			return nil, fmt.Errorf("weights: %s: %w", piece.Name, err)
		}
		piece.Size, piece.SHA256 = n+1, hex.EncodeToString(one.Sum(nil))
		m.Pieces = append(m.Pieces, piece)
		m.Size += piece.Size
	}
	m.SHA256 = hex.EncodeToString(whole.Sum(nil))
	return m, nil
}
