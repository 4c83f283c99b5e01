package weights_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"prelude/models/weights"
)

// buffer is a file in memory to write to.
type buffer struct {
	bytes.Buffer
	files map[string][]byte
	name  string
}

func (b *buffer) Close() error {
	b.files[b.name] = b.Bytes()
	return nil
}

// cut splits data and returns the pieces with their manifest.
func cut(t testing.TB, name string, data []byte, size int64) (*weights.Manifest, map[string][]byte) {
	t.Helper()
	files := map[string][]byte{}
	m, err := weights.Split(bytes.NewReader(data), name, size, func(name string) (io.WriteCloser, error) {
		return &buffer{files: files, name: name}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, files
}

func TestPieces(t *testing.T) {
	whole := file(t, "testdata/tiny.gguf")
	for _, size := range []int64{1000, int64(len(whole)) / 2, int64(len(whole)), int64(len(whole)) + 1} {
		m, files := cut(t, "tiny.gguf", whole, size)
		sum := sha256.Sum256(whole)
		if m.Size != int64(len(whole)) || m.SHA256 != hex.EncodeToString(sum[:]) || int64(len(m.Pieces)) != (m.Size+size-1)/size {
			t.Fatalf("pieces of %d: %+v", size, m)
		}
		p := weights.OpenPieces(m, memory(files))
		if err := p.Verify(ctx); err != nil {
			t.Error(err)
		}
		for _, r := range [][2]int{{0, 4}, {990, 1020}, {0, len(whole)}, {999, 1000}, {1000, 1001}, {2500, 7001}, {len(whole), len(whole)}} {
			got := make([]byte, r[1]-r[0])
			if err := p.ReadRange(ctx, int64(r[0]), got); err != nil || !bytes.Equal(got, whole[r[0]:r[1]]) {
				t.Errorf("pieces of %d: bytes %v differ: %v", size, r, err)
			}
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		c, err := weights.Open(ctx, &weights.Bytes{Label: weights.ManifestName, Data: text}, memory(files))
		if err != nil || len(c.Tensors) != 12 {
			t.Errorf("pieces of %d: %v", size, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestDamagedPieces(t *testing.T) {
	whole := file(t, "testdata/tiny.gguf")
	m, files := cut(t, "tiny.gguf", whole, 5000)
	read := func() error {
		return weights.OpenPieces(m, memory(files)).ReadRange(ctx, 4990, make([]byte, 20))
	}
	second := files["tiny.gguf.001"]
	files["tiny.gguf.001"] = second[:4999]
	refused(t, "short piece", read(), "tiny.gguf.001 has 4999 bytes, pieces.json says 5000")
	delete(files, "tiny.gguf.001")
	refused(t, "missing piece", read(), "piece 1 of tiny.gguf", "not exist")
	files["tiny.gguf.001"] = bytes.Clone(second)
	files["tiny.gguf.001"][7] ^= 1
	refused(t, "flipped bit", weights.OpenPieces(m, memory(files)).Verify(ctx), "tiny.gguf.001 has sha256", "fetch it again")
	files["tiny.gguf.001"] = second
	m.SHA256 = strings.Repeat("0", 64)
	refused(t, "wrong sum of all", weights.OpenPieces(m, memory(files)).Verify(ctx), "tiny.gguf has sha256")
}

var hostileManifests = []struct{ text, want string }{
	{`{`, "JSON"},
	{`{}`, "no pieces"},
	{`{"name":"m","size":2,"sha256":"SUM","pieces":[{"name":"a","size":1,"sha256":"SUM"}]}`, "the pieces have 1 bytes, the file 2"},
	{`{"name":"m","size":1,"sha256":"SUM","pieces":[{"name":"a","size":2,"sha256":"SUM"}]}`, "a has 2 bytes, with 1 of the file's 1 to go"},
	{`{"name":"m","size":0,"sha256":"SUM","pieces":[{"name":"a","size":0,"sha256":"SUM"}]}`, "a has 0 bytes"},
	{`{"name":"m","size":1,"sha256":"SUM","pieces":[{"name":"a","size":-1,"sha256":"SUM"},{"name":"b","size":2,"sha256":"SUM"}]}`, "a has -1 bytes"},
	{`{"name":"m","size":-1,"sha256":"SUM","pieces":[{"name":"a","size":1,"sha256":"SUM"}]}`, "1 bytes, with -1"},
	{`{"name":"m","size":1,"sha256":"SUM","pieces":[{"name":"../a","size":1,"sha256":"SUM"}]}`, `"../a" is no plain file name`},
	{`{"name":"x/m","size":1,"sha256":"SUM","pieces":[{"name":"a","size":1,"sha256":"SUM"}]}`, `"x/m" is no plain`},
	{`{"name":"m","size":1,"sha256":"SUM","pieces":[{"name":"a","size":1,"sha256":"abc"}]}`, `a has sha256 "abc"`},
	{`{"name":"m","size":1,"sha256":"","pieces":[{"name":"a","size":1,"sha256":"SUM"}]}`, `m has sha256 ""`},
	{`{"name":"m","size":1152921504606846976,"sha256":"SUM","pieces":[{"name":"a","size":9223372036854775807,"sha256":"SUM"}]}`, "a has 9223372036854775807 bytes"},
}

// manifest puts a sum of the right form into a test's text.
func manifest(text string) []byte {
	return []byte(strings.ReplaceAll(text, "SUM", strings.Repeat("0a", 32)))
}

func TestHostileManifests(t *testing.T) {
	for _, c := range hostileManifests {
		_, err := weights.ParseManifest(manifest(c.text))
		refused(t, c.text, err, c.want)
	}
	// One that leads to itself, or to an index, is not followed.
	_, err := weights.Open(ctx, &weights.Bytes{Label: "pieces.json", Data: manifest(`{"name":"pieces.json","size":1,"sha256":"SUM","pieces":[{"name":"a","size":1,"sha256":"SUM"}]}`)}, memory(nil))
	refused(t, "a manifest of itself", err, "pieces.json is no weight file")
	// A piece of 2^60 bytes that isn't there costs nothing.
	_, err = weights.Open(ctx, &weights.Bytes{Label: "pieces.json", Data: manifest(`{"name":"m.gguf","size":1152921504606846976,"sha256":"SUM","pieces":[{"name":"a","size":1152921504606846976,"sha256":"SUM"}]}`)}, memory(map[string][]byte{"a": {1}}))
	refused(t, "2^60 bytes", err, "piece a has 1 bytes, pieces.json says 1152921504606846976")
}

// FuzzManifest: what is accepted adds up, and its names stay in the folder.
func FuzzManifest(f *testing.F) {
	for _, c := range hostileManifests {
		f.Add(manifest(c.text))
	}
	f.Add(manifest(`{"name":"m.gguf","size":3,"sha256":"SUM","pieces":[{"name":"m.gguf.000","size":2,"sha256":"SUM"},{"name":"m.gguf.001","size":1,"sha256":"SUM"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := weights.ParseManifest(data)
		if err != nil {
			return
		}
		var sum int64
		for _, p := range m.Pieces {
			if p.Size <= 0 || strings.Contains(p.Name, "/") {
				t.Fatalf("piece %+v", p)
			}
			sum += p.Size
		}
		if sum != m.Size {
			t.Fatalf("pieces of %d bytes in all, the file has %d", sum, m.Size)
		}
	})
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := weights.Dir(dir)(ctx, "f")
	if err != nil {
		t.Fatal(err)
	}
	f := src.(*weights.File)
	got := make([]byte, 3)
	if err := f.ReadRange(ctx, 7, got); err != nil || string(got) != "789" || f.Size() != 10 || f.Name() != "f" {
		t.Errorf("%q %v", got, err)
	}
	refused(t, "behind the end", f.ReadRange(ctx, 8, got), "f has 10 bytes, asked for 3 from byte 8")
	refused(t, "before the beginning", f.ReadRange(ctx, -1, got), "from byte -1")
	done, cancel := context.WithCancel(ctx)
	cancel()
	if err := f.ReadRange(done, 0, got); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := os.Truncate(filepath.Join(dir, "f"), 8); err != nil {
		t.Fatal(err)
	}
	refused(t, "cut off while open", f.ReadRange(ctx, 7, got), "f at byte 8: EOF")
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"../f", "", "..", `a\b`, "absent"} {
		if _, err := weights.Dir(dir)(ctx, name); err == nil {
			t.Errorf("opened %q", name)
		}
	}
	_, err = weights.OpenFile(dir)
	refused(t, "a folder", err, "is not a file")
	_, err = weights.Open(ctx, big{}, memory(nil))
	refused(t, "an index of 2^60 bytes", err, fmt.Sprint(1<<60), "the limit is")
}

// big is a file that claims 2^60 bytes and can't be read.
type big struct{}

func (big) ReadRange(context.Context, int64, []byte) error { return io.ErrUnexpectedEOF }
func (big) Size() int64                                    { return 1 << 60 }
func (big) Name() string                                   { return "big.json" }
