package adapter

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// entry is one file of a zip made for a test.
type entry struct {
	name   string
	data   []byte
	header func(h *zip.FileHeader)
}

// archive zips entries, deflated, through archive/zip's ordinary writer.
func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.header != nil {
			e.header(h)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// parts are the two files that PEFT itself would write.
func parts(t testing.TB) (config, model entry) {
	t.Helper()
	a := tiny(t)
	text, err := indented(a.Config)
	if err != nil {
		t.Fatal(err)
	}
	tensors, _, err := a.encode()
	if err != nil {
		t.Fatal(err)
	}
	return entry{name: configFile, data: text}, entry{name: modelFile, data: tensors}
}

// patch overwrites bytes at an offset behind the nth (from 0) occurrence of a mark.
func patch(data []byte, mark string, nth, off int, with ...byte) []byte {
	data = bytes.Clone(data)
	at := 0
	for range nth {
		at += bytes.Index(data[at:], []byte(mark)) + 1
	}
	at += bytes.Index(data[at:], []byte(mark))
	copy(data[at+off:], with)
	return data
}

// Signatures of a zip's records, for patch.
const (
	local   = "PK\x03\x04"
	central = "PK\x01\x02"
	end     = "PK\x05\x06"
)

func TestReadsWhatPEFTWrites(t *testing.T) {
	config, model := parts(t)
	a, err := read(archive(t, config, model))
	if err != nil {
		t.Fatal(err)
	}
	if a.Prelude.Format != 0 || a.Config.NumVirtualTokens != 3 {
		t.Errorf("got %+v", a)
	}
}

func TestRefusesHostileArchives(t *testing.T) {
	config, model := parts(t)
	good := write(t, tiny(t))
	plain := archive(t, config, model)
	zeros := func(n int) []byte { return make([]byte, n) }
	named := func(e entry, name string) entry { e.name = name; return e }
	with := func(e entry, header func(h *zip.FileHeader)) entry { e.header = header; return e }
	le32 := func(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

	kinds := []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "not a whole zip archive"},
		{"text", []byte("<!doctype html>"), "not a whole zip archive"},
		{"first bytes alone", good[:200], "not a whole zip archive"},
		{"cut in the directory", good[:len(good)-30], "not a whole zip archive"},
		{"bytes in front", append([]byte("#!/bin/sh\n"), good...), "not a whole zip archive"},
		{"bytes behind", append(bytes.Clone(good), "more"...), "not a whole zip archive"},
		{"a zip behind a zip", append(write(t, lora()), plain...), "accounts for"},
		{"no config", archive(t, model), "no adapter_config.json"},
		{"no tensors", archive(t, config), `no tensor "prompt_embeddings"`},
		{"a file more", archive(t, config, model, entry{name: "run.py"}), `holds "run.py"`},
		{"in a folder", archive(t, named(config, "a/adapter_config.json"), model), `holds "a/adapter_config.json"`},
		{"climbing", archive(t, config, model, entry{name: "../README.md"}), `holds "../README.md"`},
		{"absolute", archive(t, config, model, entry{name: "/README.md"}), `holds "/README.md"`},
		{"backslash", archive(t, config, model, entry{name: `..\README.md`}), `holds "..\\README.md"`},
		{"folder entry", archive(t, config, model, entry{name: "README.md/"}), `holds "README.md/"`},
		{"zero in a name", archive(t, config, model, entry{name: "README.md\x00.py"}), `holds "README.md\x00.py"`},
		{"other case", archive(t, named(config, "Adapter_config.json"), model), `holds "Adapter_config.json"`},
		{"twice", archive(t, config, model, config), "twice"},
		{"link", archive(t, config, with(model, func(h *zip.FileHeader) { h.SetMode(os.ModeSymlink | 0o777) })), "not a plain file"},
		{"encrypted", patch(plain, central, 0, 8, 1), "is encrypted"},
		{"unknown method", patch(plain, central, 0, 10, 12), "compressed by method 12"},
		{"bomb in JSON", archive(t, entry{name: configFile, data: zeros(maxText + 1)}, model), "larger than"},
		{"bomb in tensors", archive(t, config, entry{name: modelFile, data: zeros(MaxTensors + 1)}), "larger than"},
		{"bomb in README", archive(t, config, model, entry{name: readmeFile, data: zeros(maxText + 1)}), "larger than"},
		{"bomb that claims little", patch(archive(t, config, entry{name: modelFile, data: zeros(8 << 20)}), central, 1, 24, le32(100)...), modelFile},
		{"claims 4 GB packed", patch(plain, central, 0, 20, le32(0xfffffff0)...), "claims 4294967280"},
		{"claims 4 GB unpacked", patch(plain, central, 1, 24, le32(0xfffffff0)...), "larger than"},
		{"zip64 without its record", patch(plain, central, 0, 24, le32(0xffffffff)...), "larger than"},
		{"directory of 65535 files", patch(plain, end, 0, 8, 0xff, 0xff, 0xff, 0xff), "not a whole zip archive"},
		{"wrong checksum", patch(plain, central, 0, 16, 1, 2, 3, 4), "checksum"},
		{"comment", patch(append(bytes.Clone(plain), "hi"...), end, 0, 20, 2, 0), "not a whole zip archive"},
		{"hidden content", archive(t, config, with(model, func(h *zip.FileHeader) { h.Comment = strings.Repeat("x", 3000) })), "accounts for"},
		{"config is not JSON", archive(t, entry{name: configFile, data: []byte("{")}, model), configFile},
		{"config of other types", archive(t, entry{name: configFile, data: []byte(`{"num_layers":"2"}`)}, model), `"num_layers"`},
		{"prelude.json without format", archive(t, config, model, entry{name: preludeFile, data: []byte("{}")}), "has no format"},
		{"prelude.json of other types", archive(t, config, model, entry{name: preludeFile, data: []byte(`{"format":1.5}`)}), preludeFile},
		{"tensors cut off", archive(t, config, entry{name: modelFile, data: model.data[:len(model.data)-4]}), modelFile},
		{"tensors claim 2^60", archive(t, config, entry{name: modelFile, data: append([]byte{0, 0, 0, 0, 0, 0, 0, 0x10}, model.data...)}), modelFile},
		{"own tensors in PEFT's file", archive(t, config, entry{name: modelFile, data: bytes.Replace(model.data, []byte("prompt_embeddings"), []byte("prelude.embedding"), 1)}), "does not belong"},
		{"drawing that runs", archive(t, config, model, entry{name: drawingFile, data: []byte("<svg><script>alert(1)</script></svg>")}), "it may hold lines and texts"},
		{"drawing that fetches", archive(t, config, model, entry{name: drawingFile, data: []byte(`<svg><image href="https://example.com/x"/></svg>`)}), "it may hold lines and texts"},
		{"bomb in the curve", archive(t, config, model, entry{name: curveFile, data: zeros(maxText + 1)}), "larger than"},
		{"bomb in the settings", archive(t, config, model, entry{name: settingsFile, data: zeros(maxText + 1)}), "larger than"},
	}
	if len(kinds) < 40 {
		t.Fatalf("%d kinds, want at least 40", len(kinds))
	}
	for _, c := range kinds {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(c.data)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want …%s…", err, c.want)
			}
		})
	}
}

func TestClaimsDoNotAllocate(t *testing.T) {
	config, _ := parts(t)
	bomb := archive(t, config, entry{name: modelFile, data: make([]byte, MaxTensors-1)})
	bomb = patch(bomb, central, 1, 24, 0xff, 0xff, 0xff, 0x03) // claims just what is allowed
	short := archive(t, config, entry{name: modelFile, data: []byte("short")})
	short = patch(short, central, 1, 24, 0xff, 0xff, 0xff, 0x03)
	for name, data := range map[string][]byte{"true claim": bomb, "false claim": short} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := ReadMax(bytes.NewReader(data), int64(len(data)), 1<<20); err == nil {
			t.Errorf("%s: no error", name)
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
			t.Errorf("%s: %d bytes were allocated under a limit of 1 MiB", name, used)
		}
	}
}

// FuzzRead holds [Read] to two promises: it never panics, and what it takes it
// writes back as an adapter that reads the same.
func FuzzRead(f *testing.F) {
	config, model := parts(f)
	f.Add(write(f, tiny(f)))
	f.Add(archive(f, config, model))
	f.Add(write(f, lora()))
	f.Add(write(f, adaption()))
	seeds, err := filepath.Glob("testdata/*.zip")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range seeds {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := ReadMax(bytes.NewReader(data), int64(len(data)), 1<<20)
		if err != nil {
			return
		}
		first := write(t, a)
		back, err := read(first)
		if err != nil {
			t.Fatalf("what was read and written is refused: %v", err)
		}
		if !bytes.Equal(write(t, back), first) {
			t.Fatal("written twice, the bytes differ")
		}
	})
}
