package adapter

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"prelude/engine/half"
	"prelude/engine/safetensors"
)

// The files of an adapter.
const (
	configFile  = "adapter_config.json"
	modelFile   = "adapter_model.safetensors"
	preludeFile = "prelude.json"
	ownFile     = "prelude.safetensors"
	readmeFile  = "README.md"

	// These follow from prelude.json: people and other programs read them.
	curveFile    = "curve.csv"
	drawingFile  = "curve.svg"
	settingsFile = "settings.json"
)

var known = []string{configFile, modelFile, preludeFile, ownFile, readmeFile, curveFile, drawingFile, settingsFile}

// Files are the files that [Read] reads an adapter from; the first two are always there.
var Files = []string{configFile, modelFile, preludeFile, ownFile}

// MaxTensors bounds the tensor bytes of one adapter that [Read] takes, inflated.
const MaxTensors = 64 << 20

// Bounds on the rest of an archive, in bytes.
const (
	maxText     = 256 << 10 // of each JSON or Markdown file, inflated
	maxOverhead = 2 << 10   // of the archive that is not file content
	maxNames    = 4096      // tensors
	endRecord   = 22        // length of a zip's end record without a comment
)

// ErrNotZip is wrapped by the errors of [Read] about a file that is not a zip at all.
var ErrNotZip = errors.New("not a whole zip archive")

// Read reads a zipped adapter of size bytes and checks it whole ([Adapter.Check]).
func Read(r io.ReaderAt, size int64) (*Adapter, error) { return ReadMax(r, size, MaxTensors) }

// ReadMax is [Read] with another bound on the tensor bytes. Whatever the archive
// claims, it takes about twice that bound in memory, 16-bit types three times.
func ReadMax(r io.ReaderAt, size, maxTensors int64) (*Adapter, error) {
	files, err := entries(r, size)
	if err != nil {
		return nil, err
	}
	a := &Adapter{Tensors: map[string]Tensor{}}
	if files[configFile] == nil {
		return nil, fmt.Errorf("adapter: the archive has no %s", configFile)
	}
	if err := readJSON(files[configFile], &a.Config); err != nil {
		return nil, err
	}
	if f := files[preludeFile]; f != nil {
		if err := readJSON(f, &a.Prelude); err != nil {
			return nil, err
		}
		if a.Prelude.Format == 0 {
			return nil, fmt.Errorf("adapter: %s has no format", preludeFile)
		}
	}
	for _, name := range []string{modelFile, ownFile} {
		if f := files[name]; f != nil {
			data, err := inflate(f, maxTensors)
			if err != nil {
				return nil, err
			}
			maxTensors -= int64(len(data))
			if err := a.decode(name, data); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range []string{readmeFile, curveFile, drawingFile, settingsFile} {
		f := files[name]
		if f == nil {
			continue
		}
		text, err := inflate(f, maxText)
		if err == nil && name == drawingFile {
			err = checkDrawing(text)
		}
		if err != nil {
			return nil, err
		}
	}
	return a, a.Check()
}

// entries lists an archive's files by name, refusing whatever a plain zip of an
// adapter does not have. Nothing is inflated yet.
func entries(r io.ReaderAt, size int64) (map[string]*zip.File, error) {
	// A file that is nothing but a zip begins with a local header and ends with
	// the end record, which an archive comment or other data would follow.
	if !at(r, 0, "PK\x03\x04") {
		return nil, fmt.Errorf("adapter: %w: it does not begin as a zip does", ErrNotZip)
	}
	if !at(r, size-endRecord, "PK\x05\x06") {
		return nil, fmt.Errorf("adapter: %w: it is cut off, or more than a zip", ErrNotZip)
	}
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("adapter: %w: %w", ErrNotZip, err)
	}
	files := map[string]*zip.File{}
	content := uint64(0)
	for _, f := range archive.File {
		if !slices.Contains(known, f.Name) {
			return nil, fmt.Errorf("adapter: the archive holds %q; an adapter is %s, in no folder and with nothing else", f.Name, strings.Join(known, ", "))
		}
		if files[f.Name] != nil {
			return nil, fmt.Errorf("adapter: the archive holds %s twice", f.Name)
		}
		if f.Flags&(1|1<<6|1<<13) != 0 { // encrypted, strongly encrypted, masked headers
			return nil, fmt.Errorf("adapter: %s is encrypted", f.Name)
		}
		if f.Method != zip.Store && f.Method != zip.Deflate {
			return nil, fmt.Errorf("adapter: %s is compressed by method %d; want stored or deflated", f.Name, f.Method)
		}
		if !f.Mode().IsRegular() {
			return nil, fmt.Errorf("adapter: %s is not a plain file", f.Name)
		}
		if f.CompressedSize64 > uint64(size) {
			return nil, fmt.Errorf("adapter: %s claims %d compressed bytes of an archive of %d", f.Name, f.CompressedSize64, size)
		}
		content += f.CompressedSize64
		files[f.Name] = f
	}
	// More content than archive means overlapping entries, much less hidden data.
	if content > uint64(size) || uint64(size)-content > maxOverhead {
		return nil, fmt.Errorf("adapter: the archive of %d bytes accounts for %d; zip the files alone", size, content)
	}
	return files, nil
}

// at reports whether a mark stands at an offset.
func at(r io.ReaderAt, off int64, mark string) bool {
	got := make([]byte, len(mark))
	n, _ := r.ReadAt(got, off) // an error beside all the bytes is the end of the file
	return off >= 0 && n == len(mark) && string(got) == mark
}

// inflate reads one file of the archive, never more than limit bytes of it.
func inflate(f *zip.File, limit int64) ([]byte, error) {
	tooLarge := fmt.Errorf("adapter: %s is larger than the %d bytes allowed", f.Name, limit)
	if f.UncompressedSize64 > uint64(limit) {
		return nil, tooLarge
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("adapter: %s: %w", f.Name, err)
	}
	defer r.Close()
	var data bytes.Buffer
	if f.Method == zip.Store {
		// What is stored is there: its size is no mere claim, entries has held it
		// against the archive's.
		data.Grow(int(min(f.UncompressedSize64, f.CompressedSize64)) + bytes.MinRead)
	}
	if _, err := data.ReadFrom(io.LimitReader(r, limit+1)); err != nil {
		return nil, fmt.Errorf("adapter: %s: %w", f.Name, err)
	}
	if int64(data.Len()) > limit {
		return nil, tooLarge
	}
	return data.Bytes(), nil
}

func readJSON(f *zip.File, into any) error {
	text, err := inflate(f, maxText)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("adapter: %s: %w", f.Name, err)
	}
	return nil
}

// decode adds the tensors of one safetensors file.
func (a *Adapter) decode(name string, data []byte) error {
	file, err := safetensors.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return fmt.Errorf("adapter: %s: %w", name, err)
	}
	if len(file.Tensors) > maxNames {
		return fmt.Errorf("adapter: %s holds %d tensors, at most %d are taken", name, len(file.Tensors), maxNames)
	}
	for _, info := range file.Tensors {
		if strings.HasPrefix(info.Name, ownTensors) != (name == ownFile) {
			return fmt.Errorf("adapter: tensor %q does not belong in %s: those named %s… go into %s", info.Name, name, ownTensors, ownFile)
		}
		t := Tensor{Shape: info.Shape, DType: info.DType}
		if t.Data, err = widen(data[info.Offset:][:info.Size], t.DType); err != nil {
			return fmt.Errorf("adapter: tensor %q %w", info.Name, err)
		}
		a.Tensors[info.Name] = t
	}
	return nil
}

// widen reads little-endian elements as float32.
func widen(data []byte, d safetensors.DType) ([]float32, error) {
	switch d {
	case safetensors.F32:
		out := make([]float32, len(data)/4)
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		return out, nil
	case safetensors.F16, safetensors.BF16:
		one := half.F16ToF32
		if d == safetensors.BF16 {
			one = half.BF16ToF32
		}
		out := make([]float32, len(data)/2)
		for i := range out {
			out[i] = one(binary.LittleEndian.Uint16(data[2*i:]))
		}
		return out, nil
	}
	return nil, fmt.Errorf("is %s; want F32, F16 or BF16", d)
}
