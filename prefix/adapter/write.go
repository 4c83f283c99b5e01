package adapter

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"time"

	"prelude/engine/half"
	"prelude/engine/safetensors"
)

// Write writes the adapter as a zip, after checking it. The same adapter gives
// the same bytes: entries are stored in a fixed order with a fixed date, and
// not compressed (trained floats hardly are, and a compressor's output changes
// with its version).
func (a *Adapter) Write(w io.Writer) error {
	if err := a.Check(); err != nil {
		return err
	}
	config, err := indented(a.Config)
	if err != nil {
		return err
	}
	peft, own, err := a.encode()
	if err != nil {
		return err
	}
	files := []file{{configFile, config}, {modelFile, peft}}
	if a.Prelude.Format != 0 {
		prelude, err := indented(a.Prelude)
		if err != nil {
			return err
		}
		files = append(files, file{preludeFile, prelude})
	}
	if own != nil {
		files = append(files, file{ownFile, own})
	}
	files = append(files, file{readmeFile, a.readme()})
	if c := a.Prelude.Curve; !c.empty() {
		files = append(files, file{curveFile, c.CSV()}, file{drawingFile, c.SVG(a.Prelude.Run.Base)})
	}
	if a.Prelude.Settings != nil {
		settings, err := indented(a.Prelude.Settings)
		if err != nil {
			return err
		}
		files = append(files, file{settingsFile, settings})
	}
	return store(w, files)
}

type file struct {
	name string
	data []byte
}

// store writes a zip of files as they are.
func store(w io.Writer, files []file) error {
	archive := zip.NewWriter(w)
	for _, f := range files {
		// Raw, so that sizes and checksum stand before the data and any reader,
		// a streaming one too, knows them in time.
		entry, err := archive.CreateRaw(&zip.FileHeader{
			Name:               f.name,
			Method:             zip.Store,
			Modified:           time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), // a zip's earliest
			CRC32:              crc32.ChecksumIEEE(f.data),
			CompressedSize64:   uint64(len(f.data)),
			UncompressedSize64: uint64(len(f.data)),
		})
		if err != nil {
			return fmt.Errorf("adapter: %s: %w", f.name, err)
		}
		if _, err := entry.Write(f.data); err != nil {
			return fmt.Errorf("adapter: %s: %w", f.name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("adapter: %w", err)
	}
	return nil
}

func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("adapter: %w", err)
	}
	return b.Bytes(), nil
}

// encode writes PEFT's tensors and Prelude's own (nil without any) as safetensors.
func (a *Adapter) encode() (peft, own []byte, err error) {
	var groups [2][]safetensors.Tensor
	for name, t := range a.Tensors {
		group := 0
		if strings.HasPrefix(name, ownTensors) {
			group = 1
		}
		groups[group] = append(groups[group], t.encode(name))
	}
	var files [2]bytes.Buffer
	for i, tensors := range groups {
		if err := safetensors.Write(&files[i], tensors, map[string]string{"format": "pt"}); err != nil {
			return nil, nil, fmt.Errorf("adapter: %w", err)
		}
	}
	if len(groups[1]) == 0 {
		return files[0].Bytes(), nil, nil
	}
	return files[0].Bytes(), files[1].Bytes(), nil
}

func (t Tensor) encode(name string) safetensors.Tensor {
	narrow := half.F32ToF16
	switch t.DType {
	case safetensors.F16:
	case safetensors.BF16:
		narrow = half.F32ToBF16
	default:
		return safetensors.Float32(name, t.Shape, t.Data)
	}
	data := make([]byte, 0, 2*len(t.Data))
	for _, v := range t.Data {
		data = binary.LittleEndian.AppendUint16(data, narrow(v))
	}
	return safetensors.Tensor{Name: name, DType: t.DType, Shape: t.Shape, Data: data}
}
