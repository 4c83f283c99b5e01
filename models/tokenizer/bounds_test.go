package tokenizer

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"prelude/models/hostile"
)

// file writes a tokenizer.json of two bytes and their merge with some parts of its own.
func hostileFile(parts ...string) string {
	return "{" + strings.Join(append(parts, `"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}`), ",") + "}"
}

const someBytes = `"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false}`

// items writes n values made by item, with commas between.
func items(n int, item func(i int) string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(item(i))
	}
	return b.String()
}

func always(s string) func(int) string { return func(int) string { return s } }

// nested puts a part into n Sequences, in each other.
func nested(n int, key, part string) string {
	return strings.Repeat(`{"type":"Sequence","`+key+`":[`, n) + part + strings.Repeat("]}", n)
}

func replacing(old, new string) string {
	return fmt.Sprintf(`{"type":"Replace","pattern":{"String":%q},"content":%q}`, old, new)
}

func charsmapOf(text string) string {
	data := binary.LittleEndian.AppendUint32(nil, 4*512)
	units := make([]uint32, 512)
	for i := range units {
		units[i] = uint32(i&0xff) | 1<<8
	}
	for _, u := range units {
		data = binary.LittleEndian.AppendUint32(data, u)
	}
	return base64.StdEncoding.EncodeToString(append(data, text...))
}

// TestHostile: no file and no text take more than 5 s or 500 MB, and what is refused
// says which part it is.
func TestHostile(t *testing.T) {
	doubling := replacing("a", "aa")
	long := strings.Repeat("ab", 1<<20)
	bpe := `"model":{"type":"BPE","vocab":{`
	for _, c := range []struct {
		kind string
		file func() string
		want string
	}{
		{"normalisers that double", func() string {
			return hostileFile(`"normalizer":{"type":"Sequence","normalizers":[`+items(30, always(doubling))+`]}`, someBytes)
		}, "normalizer.normalizers[7]: the normalisers could make a text more than 128 times as long"},
		{"a normaliser that replaces by much", func() string {
			return hostileFile(`"normalizer":`+replacing("a", strings.Repeat("a", 1000)), someBytes)
		}, "normalizer: the normalisers could make"},
		{"a normaliser that puts much before", func() string { return hostileFile(`"normalizer":{"type":"Prepend","prepend":"`+long+`"}`, someBytes) }, "normalizer.prepend has 2097152 bytes"},
		{"normalisers for spaces", func() string {
			return hostileFile(`"normalizer":{"type":"Sequence","normalizers":[`+items(30, always(`{"type":"Replace","pattern":{"Regex":" {2,}"},"content":"        "}`))+`]}`, someBytes)
		}, "could make a text more than"},
		{"compatibility forms in a row", func() string {
			return hostileFile(`"normalizer":{"type":"Sequence","normalizers":[`+items(4, always(`{"type":"NFKD"}`))+`]}`, someBytes)
		}, "could make a text more than"},
		{"a charsmap with a long replacement", func() string {
			return hostileFile(`"normalizer":{"type":"Precompiled","precompiled_charsmap":"`+charsmapOf(long)+`"}`, someBytes)
		}, "normalizer: the normalisers could make"},
		{"many normalisers", func() string {
			return hostileFile(`"normalizer":{"type":"Sequence","normalizers":[`+items(100_000, always(`{"type":"NFC"}`))+`]}`, someBytes)
		}, "normalizer"},
		{"nested normalisers", func() string {
			return hostileFile(`"normalizer":`+nested(4000, "normalizers", `{"type":"NFC"}`), someBytes)
		}, "normalizer has Sequences nested more than 4 deep"},
		{"very deep normalisers", func() string {
			return hostileFile(`"normalizer":`+nested(9000, "normalizers", `{"type":"NFC"}`), someBytes)
		}, "exceeded max depth"},
		{"nested pre-tokenisers", func() string {
			return hostileFile(`"pre_tokenizer":` + nested(4000, "pretokenizers", `{"type":"ByteLevel"}`))
		}, "pre_tokenizer has Sequences nested"},
		{"many pre-tokenisers", func() string {
			return hostileFile(`"pre_tokenizer":{"type":"Sequence","pretokenizers":[` + items(100_000, always(`{"type":"Digits","individual_digits":true}`)) + `]}`)
		}, "pre_tokenizer has more than 32 parts"},
		{"nested decoders", func() string {
			return hostileFile(someBytes, `"decoder":`+nested(4000, "decoders", `{"type":"ByteLevel"}`))
		}, "decoder has Sequences nested"},
		{"decoders that double", func() string {
			return hostileFile(someBytes, `"decoder":{"type":"Sequence","decoders":[`+items(31, always(doubling))+`]}`)
		}, "the tokens' texts have more than"},
		{"a decoder that replaces by much", func() string {
			return hostileFile(someBytes, `"decoder":{"type":"Sequence","decoders":[`+items(5, always(replacing("a", strings.Repeat("a", 1000))))+`]}`)
		}, "the tokens' texts have more than"},
		{"nested post-processors", func() string {
			return hostileFile(someBytes, `"post_processor":`+nested(4000, "processors", `{"type":"ByteLevel"}`))
		}, "post_processor has Sequences nested"},
		{"a template of many ids", func() string {
			return hostileFile(someBytes, `"post_processor":{"type":"TemplateProcessing","single":[`+items(20_000, always(`{"SpecialToken":{"id":"x"}}`))+`,{"Sequence":{"id":"A"}}],"special_tokens":{"x":{"ids":[`+items(500_000, always("0"))+`]}}}`)
		}, "post_processor puts more than 64 tokens around a text"},
		{"templates in a row", func() string {
			return hostileFile(someBytes, `"post_processor":{"type":"Sequence","processors":[`+items(30, always(`{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}},{"Sequence":{"id":"A"}}],"special_tokens":{"x":{"ids":[0,0,0,0,0,0,0,0]}}}`))+`]}`)
		}, "puts more than 64 tokens around a text"},
		{"a long added token", func() string { return hostileFile(someBytes, `"added_tokens":[{"id":3,"content":"`+long+`"}]`) }, "added_tokens[0].content has 2097152 bytes"},
		{"many added tokens", func() string {
			return hostileFile(someBytes, `"added_tokens":[`+items(100_000, func(i int) string { return fmt.Sprintf(`{"id":%d,"content":"t%d","special":true}`, i+3, i) })+`]`)
		}, "added_tokens has 100000 entries"},
		{"added tokens that begin alike", func() string {
			return hostileFile(someBytes, `"added_tokens":[`+items(500, func(i int) string {
				return fmt.Sprintf(`{"id":%d,"content":"%s%d"}`, i+3, strings.Repeat("a", 250), i)
			})+`]`)
		}, ""},
		{"added tokens that take spaces", func() string {
			return hostileFile(someBytes, `"added_tokens":[{"id":3,"content":"b a","lstrip":true,"rstrip":true,"single_word":true}]`)
		}, ""},
		{"many values", func() string { return `{"x":[` + items(5_000_000, always("0")) + `]}` }, "more than 2097152 values"},
		{"a long file", func() string { return `{"x":"` + strings.Repeat("x", maxFile) + `"}` }, "more than 67108864 bytes"},
		{"a deep file", func() string { return strings.Repeat(`[`, 1<<20) }, "exceeded max depth"},
		{"many tokens", func() string {
			return "{" + someBytes + "," + bpe + items(1_200_000, func(i int) string { return fmt.Sprintf(`"%x":%d`, i, i) }) + `},"merges":[]}}`
		}, "model.vocab has about 1199999 tokens"},
		{"many merges", func() string {
			return "{" + someBytes + "," + bpe + `"a":0,"aa":1},"merges":[` + items(1_500_000, always(`"a a"`)) + `]}}`
		}, "model.merges has 1500000 entries"},
		{"a long token to find", func() string {
			return `{"pre_tokenizer":{"type":"Metaspace","replacement":"▁"},"decoder":{"type":"Fuse"},"model":{"type":"Unigram","vocab":[["` + long + `",0]]}}`
		}, "model.vocab[0] has 2097152 bytes"},
		{"tokens of every length", func() string {
			return `{"pre_tokenizer":{"type":"Metaspace","replacement":"▁"},"decoder":{"type":"Fuse"},"model":{"type":"Unigram","vocab":[` + items(256, func(i int) string { return fmt.Sprintf(`["%s",0]`, strings.Repeat("a", i+1)) }) + `]}}`
		}, ""},
		{"merges of one letter", func() string {
			return "{" + someBytes + "," + bpe + items(20, func(i int) string { return fmt.Sprintf(`"%s":%d`, strings.Repeat("a", 1<<i), i) }) + `},"merges":[` + items(19, func(i int) string {
				return fmt.Sprintf(`["%s","%s"]`, strings.Repeat("a", 1<<i), strings.Repeat("a", 1<<i))
			}) + `]}}`
		}, ""},
	} {
		t.Run(c.kind, func(t *testing.T) {
			text := c.file()
			hostile.Within(t, 5*time.Second, 500<<20, func() {
				tok, err := FromJSON(strings.NewReader(text))
				if c.want != "" {
					if err == nil || !strings.Contains(err.Error(), c.want) {
						t.Errorf("error %v, want one with %q", err, c.want)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, text := range []string{strings.Repeat("a", 1<<14), strings.Repeat("  b a", 1<<13), strings.Repeat(" ", 1<<16), strings.Repeat("a\u0301\u0327", 1<<14)} {
					tok.Decode(tok.Encode(text, true))
				}
			})
		})
	}
}
