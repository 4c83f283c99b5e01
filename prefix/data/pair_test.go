package data

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// ending is letters with an end token, 2000, that its post-processor puts after a text,
// and texts that normalise to nothing.
type ending struct{ letters }

func (e ending) Encode(text string, addSpecial bool) []int32 {
	if text == "\u200b" {
		return nil
	}
	ids := e.letters.Encode(text, false)
	if addSpecial {
		ids = append(ids, 2000)
	}
	return ids
}

func TestPairs(t *testing.T) {
	base := Encoding{Tokenizer: ending{}, EOS: 0, EncDec: true, First: 7, BOS: []int32{99}}
	short, cut := base, base
	short.Context, cut.Context, cut.Cut = 4, 4, true
	pair := Example{Line: 3, Prompt: "abc\n", Completion: "  xy"}
	long := Example{Line: 9, Prompt: "abcdef", Completion: "vwxyz"}
	for _, x := range []struct {
		name string
		enc  Encoding
		in   Example
		want Tokens
		err  string
	}{
		{name: "prompt for the encoder, completion for the decoder", enc: base, in: pair,
			want: Tokens{Line: 3, Source: ids(" abc", 2000), IDs: append([]int32{7}, ids(" xy", 0)...), Start: 1, Bytes: 2}},
		{name: "a prompt's end and an answer's end stay", enc: cut, in: long,
			want: Tokens{Line: 9, Source: ids("def", 2000), IDs: append([]int32{7}, ids(" vwx")...), Start: 1, Bytes: 5, Cut: true}},
		{name: "text alone", enc: base, in: Example{Line: 2, Shape: Text, Completion: "abc"}, err: "line 2: is a text alone"},
		{name: "a prompt of white space", enc: base, in: Example{Line: 2, Prompt: " \n", Completion: "abc"}, err: "is a text alone"},
		{name: "a prompt without tokens", enc: base, in: Example{Line: 2, Prompt: "\u200b", Completion: "abc"}, err: "is a text alone"},
		{name: "soft slots", enc: base, in: Example{Prompt: "ab", Completion: "c", Soft: []Soft{{0, 0, 2}}}, err: "needs a decoder-only model"},
		{name: "a conversation", enc: base, in: Example{Line: 4, Shape: Messages, Messages: []Message{{Role: "user", Content: "hi"}, {Role: "assistant", Content: "yo"}}}, err: "no chat template"},
		{name: "a long prompt", enc: short, in: long, err: "has a prompt of 8 tokens"},
		{name: "a long completion", enc: short, in: Example{Line: 9, Prompt: "a", Completion: "vwxyz"}, err: "has a completion of 7 tokens"},
	} {
		got, err := x.enc.Tokenise(x.in)
		if x.err != "" {
			if err == nil || !strings.Contains(err.Error(), x.err) {
				t.Errorf("%s: error %v, want …%s…", x.name, err, x.err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, x.want) {
			t.Errorf("%s: %+v, %v, want %+v", x.name, got, err, x.want)
		}
		asked, err := x.enc.Prompt(x.in)
		if err != nil || !slices.Equal(asked.Source, got.Source) || !slices.Equal(asked.IDs, got.IDs[:1]) {
			t.Errorf("%s: asked, it is %+v, %v", x.name, asked, err)
		}
	}
	_, bad := base.All([]Example{pair, {Line: 2, Completion: "abc"}})
	var line LineError
	if len(bad) != 1 || !errors.As(error(bad[0]), &line) || line.Line != 2 {
		t.Errorf("texts alone are errors %v", bad)
	}
	if p, c, _ := base.Text(pair); p != "abc" || c != "xy" {
		t.Errorf("shown as %q and %q", p, c)
	}
	whole, _ := base.Tokenise(pair)
	if want := ids(" abc", append([]int32{2000}, ids(" xy", 0)...)...); !slices.Equal(whole.Whole(), want) {
		t.Errorf("as one sequence %v, want %v", whole.Whole(), want)
	}
}

func TestBatchOfPairs(t *testing.T) {
	tokens := []Tokens{
		{Source: []int32{21, 22, 23}, IDs: []int32{7, 2, 3, 0}, Start: 1},
		{Source: []int32{24}, IDs: []int32{7, 5, 0}, Start: 1},
	}
	b := NewBatcher(tokens, BatchOptions{Size: 2, PosOffset: 10, Front: 1, Before: 2})
	got := *b.At(0)
	fifth := float32(1) / 5
	want := Batch{
		Source:     []int32{21, 21, 21, 22, 23, 24, 24, 24},
		SourcePos:  []int32{0, 1, 2, 3, 4, 0, 1, 2},
		SourceLo:   []int32{0, 0, 0, 0, 0, 5, 5, 5},
		SourceHi:   []int32{5, 5, 5, 5, 5, 8, 8, 8},
		SourceSoft: []int32{0, 1, -1, -1, -1, 0, 1, -1},
		IDs:        []int32{7, 7, 2, 3, 7, 7, 5},
		Pos:        []int32{10, 11, 12, 13, 10, 11, 12},
		Lo:         []int32{0, 0, 0, 0, 4, 4, 4},
		Hi:         []int32{1, 2, 3, 4, 5, 6, 7},
		Soft:       []int32{0, -1, -1, -1, 0, -1, -1},
		CrossLo:    []int32{0, 0, 0, 0, 5, 5, 5},
		CrossHi:    []int32{5, 5, 5, 5, 8, 8, 8},
		LossRows:   []int32{1, 2, 3, 5, 6},
		Targets:    []int32{2, 3, 0, 5, 0},
		Weights:    []float32{fifth, fifth, fifth, fifth, fifth},
		Rows:       7, Loss: 5, SourceRows: 8, Examples: []int{0, 1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if b := b.Bounds(); b != (Bounds{Rows: 7, Loss: 5, Source: 8}) {
		t.Errorf("bounds %+v", b)
	}
}
