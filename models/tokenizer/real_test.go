package tokenizer

import (
	"encoding/base64"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dice is Knuth's linear congruential generator (MMIX), the high bits, as real.py has it.
type dice uint64

func (d *dice) roll(n int) int {
	*d = *d*6364136223846793005 + 1442695040888963407
	return int(*d >> 33 % dice(n))
}

// real is testdata/real.json.gz: parts of texts, and 16 bits of the hash of ids and of the text
// that they decode to, for each text, by tokenizer.
type real struct {
	Seed  uint64
	Texts int
	Check uint32
	Pools [][]string
	Want  map[string]string
}

func (r *real) texts() []string {
	d := dice(r.Seed)
	texts := make([]string, r.Texts)
	for i := range texts {
		var text strings.Builder
		for range 1 + d.roll(16) {
			pool := r.Pools[d.roll(len(r.Pools))]
			part := pool[d.roll(len(pool))]
			times := 1
			if d.roll(40) == 0 {
				times += d.roll(40)
			}
			text.WriteString(strings.Repeat(part, times))
			if d.roll(2) == 0 {
				text.WriteByte(' ')
			}
			if d.roll(12) == 0 {
				text.WriteRune(rune(d.roll(0xd800)))
			}
		}
		texts[i] = text.String()
	}
	return texts
}

func folded(b []byte) uint16 {
	h := hash(b)
	return uint16(h ^ h>>16)
}

// 2,000 texts through each of twelve real tokenizers, as the Python package tokenizers cuts them.
// The texts are always made; the tokenizers are too large to be in the repository, and
// "make build/tokenizers" fetches them. [TestReference] has small ones of every kind.
func TestRealTokenizers(t *testing.T) {
	var r real
	unpack(t, "testdata/real.json.gz", &r)
	texts := r.texts()
	if got := folded([]byte(strings.Join(texts, "\n"))); uint32(got) != r.Check {
		t.Fatalf("the texts are others than those of the file: %d, want %d", got, r.Check)
	}
	if len(r.Want) < 10 {
		t.Fatalf("%d tokenizers, want at least 10", len(r.Want))
	}
	const dir = "../../build/tokenizers"
	for name, want := range r.Want {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name, "tokenizer.json")
			file, err := os.Open(path)
			if err != nil {
				t.Skipf("no %s: make build/tokenizers fetches it", path)
			}
			defer file.Close()
			tok, err := FromJSON(file)
			if err != nil {
				t.Fatal(err)
			}
			bytes, err := base64.StdEncoding.DecodeString(want)
			if err != nil || len(bytes) != 4*len(texts) {
				t.Fatalf("%d bytes of hashes for %d texts: %v", len(bytes), len(texts), err)
			}
			wrong := 0
			for i, text := range texts {
				ids := tok.Encode(text, true)
				switch {
				case folded(idBytes(ids)) != binary.LittleEndian.Uint16(bytes[4*i:]):
					if wrong++; wrong <= 5 {
						t.Errorf("text %d, %q: ids %v differ", i, text, ids)
					}
				case folded([]byte(tok.Decode(ids))) != binary.LittleEndian.Uint16(bytes[4*i+2:]):
					if wrong++; wrong <= 5 {
						t.Errorf("text %d, %q: decoded %q differs", i, text, tok.Decode(ids))
					}
				}
			}
			if wrong > 0 {
				t.Errorf("%d of %d texts differ", wrong, len(texts))
			}
		})
	}
}
