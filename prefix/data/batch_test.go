package data

import (
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// letters is a tokenizer with a token a byte, and 1000 for <s>. Like SentencePiece it
// puts a space before the start of a sequence, so that a start taken for a
// continuation, or the reverse, shows.
type letters struct{}

func (l letters) Encode(text string, addSpecial bool) []int32 {
	if addSpecial {
		panic("the begin token is put by the Encoding")
	}
	return append([]int32{' '}, l.EncodeMore(text)...)
}

func (letters) Longest() int { return 4 }

func (letters) EncodeMore(text string) (ids []int32) {
	for i := 0; i < len(text); i++ {
		if strings.HasPrefix(text[i:], "<s>") {
			ids = append(ids, 1000)
			i += 2
			continue
		}
		ids = append(ids, int32(text[i]))
	}
	return ids
}

func ids(s string, more ...int32) []int32 { return append(letters{}.EncodeMore(s), more...) }

// deaf has no tokens for stars: some tokenizers drop what they don't know.
type deaf struct{ letters }

func (d deaf) Encode(text string, addSpecial bool) []int32 { return d.EncodeMore(text) }
func (deaf) EncodeMore(text string) []int32 {
	return letters{}.EncodeMore(strings.ReplaceAll(text, "*", ""))
}

// A completion that comes to no tokens is its end alone; where nothing ends it, or the prompt comes to
// nothing either, the line is named.
func TestACompletionOfNoTokens(t *testing.T) {
	render := func(messages []Message, open bool) (string, error) {
		text := "[" + messages[0].Content + "]"
		if !open {
			text += messages[1].Content
		}
		return text, nil
	}
	for _, chat := range []bool{false, true} {
		c := Encoding{Tokenizer: deaf{}, EOS: 7, Chat: chat, Render: render}
		e := Example{Line: 3, Prompt: "a", Completion: "***"}
		got, err := c.Tokenise(e)
		if err != nil || len(got.IDs) != got.Start+1 || got.IDs[got.Start] != 7 || got.Targets() != 1 {
			t.Errorf("chat %v: %+v, %v", chat, got, err)
		}
		c.EOS = -1
		var line LineError
		if _, err := c.Tokenise(e); !errors.As(err, &line) || line.Line != 3 || !strings.Contains(err.Error(), "no token to predict") {
			t.Errorf("chat %v, without an end: %v", chat, err)
		}
	}
	c := Encoding{Tokenizer: deaf{}, EOS: 7}
	if _, err := c.Tokenise(Example{Line: 1, Prompt: "*", Completion: "*"}); err == nil {
		t.Error("an example of no tokens is taken")
	}
}

func TestTokenise(t *testing.T) {
	render := func(ms []Message, _ bool) (string, error) {
		var b strings.Builder
		for _, m := range ms {
			if m.Role == "alien" {
				return "", errors.New("unknown role")
			}
			fmt.Fprintf(&b, "<s>%s:%s\n", m.Role[:1], m.Content)
		}
		return b.String() + "<s>a:", nil
	}
	base := Encoding{Tokenizer: letters{}, EOS: 0, Render: render}
	with := func(change func(*Encoding)) Encoding { c := base; change(&c); return c }
	messages := Example{Line: 4, Shape: Messages, Messages: []Message{{Role: "user", Content: "hi"}, {Role: "assistant", Content: "yo"}}}
	silent := Example{Line: 6, Shape: Messages, Messages: []Message{{Role: "user", Content: "hi"}, {Role: "assistant"}}}
	long := Example{Line: 9, Prompt: "abcdef", Completion: "ghij"}
	soft := Example{Line: 1, Prompt: "ab", Completion: "c", Soft: []Soft{{0, 0, 2}, {1, 2, 1}}}
	tests := []struct {
		name string
		enc  Encoding
		in   Example
		want Tokens
		err  string
	}{
		{"plain", base, Example{Line: 3, Prompt: "ab", Completion: " c"}, Tokens{Line: 3, IDs: ids(" ab c", 0), Start: 3, Bytes: 2}, ""},
		{"text only", base, Example{Completion: "abc"}, Tokens{IDs: ids(" abc", 0), Start: 0, Bytes: 3}, ""},
		{"bos", with(func(c *Encoding) { c.BOS = []int32{7} }), Example{Completion: "a"}, Tokens{IDs: []int32{7, ' ', 'a', 0}, Start: 1, Bytes: 1}, ""},
		{"messages", with(func(c *Encoding) { c.BOS = []int32{7} }), messages, Tokens{Line: 4, IDs: ids(" <s>u:hi\n<s>a:yo", 0), Start: 10, Bytes: 2}, ""},
		{"wrapped", with(func(c *Encoding) { c.Chat = true }), Example{Prompt: "hi\n", Completion: " yo"}, Tokens{IDs: ids(" <s>u:hi\n<s>a:yo", 0), Start: 10, Bytes: 2}, ""},
		{"no prompt to wrap", with(func(c *Encoding) { c.Chat = true }), Example{Completion: "yo"}, Tokens{IDs: ids(" yo", 0), Bytes: 2}, ""},
		{"an answer of nothing ends at once", base, silent, Tokens{Line: 6, IDs: ids(" <s>u:hi\n<s>a:", 0), Start: 10}, ""},
		{"an answer of nothing, and no end", with(func(c *Encoding) { c.EOS = -1 }), silent, Tokens{}, "line 6: is too short: there is no token to predict"},
		{"blank in the template, and no end", with(func(c *Encoding) { c.Chat, c.EOS = true, -1 }), Example{Line: 7, Prompt: "hi", Completion: " \n"}, Tokens{}, "line 7: is too short"},
		{"no template", Encoding{Tokenizer: letters{}}, messages, Tokens{}, "line 4: is a conversation, and this model has no chat template"},
		{"template refuses", base, Example{Line: 5, Shape: Messages, Messages: []Message{{Role: "alien"}, {Role: "assistant", Content: "x"}}}, Tokens{}, "line 5: the chat template refuses it: unknown role"},
		{"too long", with(func(c *Encoding) { c.Context = 11 }), long, Tokens{}, "line 9: has 12 tokens (prompt 7, completion 5), and the model has room for 11 beside the prefix"},
		{"just fits", with(func(c *Encoding) { c.Context = 12 }), long, Tokens{Line: 9, IDs: ids(" abcdefghij", 0), Start: 7, Bytes: 4}, ""},
		{"prompt cut", with(func(c *Encoding) { c.Context, c.Cut = 8, true }), long, Tokens{Line: 9, IDs: ids("defghij", 0), Start: 3, Bytes: 4, Cut: true}, ""},
		{"prompt cut after bos", with(func(c *Encoding) { c.Context, c.Cut, c.BOS = 8, true, []int32{7} }), long, Tokens{Line: 9, IDs: append([]int32{7}, ids("efghij", 0)...), Start: 3, Bytes: 4, Cut: true}, ""},
		{"completion cut", with(func(c *Encoding) { c.Context, c.Cut = 4, true }), long, Tokens{Line: 9, IDs: ids("fghi"), Start: 1, Bytes: 4, Cut: true}, ""},
		{"text cut", with(func(c *Encoding) { c.Context, c.Cut = 3, true }), Example{Completion: "abc"}, Tokens{IDs: ids(" ab"), Start: 0, Bytes: 3, Cut: true}, ""},
		{"nothing to predict", with(func(c *Encoding) { c.Context, c.Cut = 1, true }), Example{Line: 2, Completion: "abc"}, Tokens{}, "line 2: is too short"},
		{"soft slots", base, soft, Tokens{Line: 1, IDs: []int32{0, 0, ' ', 'a', 0, 'b', 'c', 0}, Start: 6, Soft: []int32{0, 1, -1, -1, 2, -1, -1, -1}, Bytes: 1}, ""},
		{"soft slots cut", with(func(c *Encoding) { c.Context, c.Cut = 5, true }), soft, Tokens{Line: 1, IDs: []int32{'a', 0, 'b', 'c', 0}, Start: 3, Soft: []int32{-1, 2, -1, -1, -1}, Bytes: 1, Cut: true}, ""},
		{"soft slots alone", base, Example{Completion: "c", Soft: []Soft{{0, 0, 1}}}, Tokens{IDs: []int32{0, ' ', 'c', 0}, Start: 1, Soft: []int32{0, -1, -1, -1}, Bytes: 1}, ""},
		{"soft slots in a chat", with(func(c *Encoding) { c.Chat = true }), soft, Tokens{}, "can't be wrapped in a chat template"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.enc.Tokenise(test.in)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("error %v, want %q in it", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
			prompt, err := test.enc.Prompt(test.in)
			if err != nil {
				t.Fatal(err)
			}
			if !test.want.Cut && !slices.Equal(prompt.IDs, got.IDs[:got.Start]) {
				t.Errorf("at generation the prompt is %v, in training %v", prompt.IDs, got.IDs[:got.Start])
			}
		})
	}
	tokens, bad := with(func(c *Encoding) { c.Context = 10 }).All([]Example{long, {Line: 1, Completion: "x"}, soft})
	if len(tokens) != 2 || len(bad) != 1 || bad[0].Line != 9 {
		t.Errorf("%d examples, errors %v", len(tokens), bad)
	}
}

func TestBatch(t *testing.T) {
	tokens := []Tokens{
		{IDs: []int32{1, 2, 3, 4, 9}, Start: 3},
		{IDs: []int32{5, 6, 7, 9}, Start: 0},
	}
	got := *NewBatcher(tokens, BatchOptions{Size: 2, PosOffset: 10}).At(0)
	fifth := float32(1) / 5
	want := Batch{
		IDs:      []int32{1, 2, 3, 4, 5, 6, 7},
		Pos:      []int32{10, 11, 12, 13, 10, 11, 12},
		Lo:       []int32{0, 0, 0, 0, 4, 4, 4},
		Hi:       []int32{1, 2, 3, 4, 5, 6, 7},
		LossRows: []int32{2, 3, 4, 5, 6},
		Targets:  []int32{4, 9, 6, 7, 9},
		Weights:  []float32{fifth, fifth, fifth, fifth, fifth},
		Rows:     7, Loss: 5, Examples: []int{0, 1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	soft := NewBatcher([]Tokens{{IDs: []int32{1, 2, 9}, Start: 1, Soft: []int32{0, -1, -1}}, {IDs: []int32{3, 9}, Start: 1}}, BatchOptions{Size: 2}).At(0)
	if !slices.Equal(soft.Soft, []int32{0, -1, -1}) {
		t.Errorf("soft slots %v", soft.Soft)
	}
}

func TestBounds(t *testing.T) {
	// Five examples in batches of two make batches of two, two and one.
	lengths := []Tokens{
		{IDs: make([]int32, 3), Start: 0}, // 2 rows, 2 with loss
		{IDs: make([]int32, 9), Start: 8}, // 8, 1
		{IDs: make([]int32, 6), Start: 1}, // 5, 5
		{IDs: make([]int32, 7), Start: 3}, // 6, 4
		{IDs: make([]int32, 2), Start: 1}, // 1, 1
	}
	for size, want := range map[int]Bounds{1: {Rows: 8, Loss: 5}, 2: {Rows: 14, Loss: 9}, 3: {Rows: 19, Loss: 11}, 5: {Rows: 22, Loss: 13}} {
		if got := NewBatcher(lengths, BatchOptions{Size: size}).Bounds(); got != want {
			t.Errorf("batches of %d: %v, want %v", size, got, want)
		}
	}
	if got := NewBatcher(nil, BatchOptions{Size: 2}).Bounds(); got != (Bounds{}) {
		t.Errorf("of nothing: %v", got)
	}
}

// numbered makes n examples of various lengths; example i has the id i throughout.
func numbered(n int) []Tokens {
	var out []Tokens
	for i := range n {
		ids := slices.Repeat([]int32{int32(i)}, 3+i*7%11)
		out = append(out, Tokens{IDs: ids, Start: 1 + i%3})
	}
	return out
}

func TestBatcherEpochs(t *testing.T) {
	for _, test := range []struct{ n, size, batches int }{{1, 8, 1}, {7, 8, 1}, {8, 8, 1}, {9, 8, 2}, {70, 8, 9}, {5, 0, 5}} {
		b := NewBatcher(numbered(test.n), BatchOptions{Size: test.size, Shuffle: true, Seed: 3})
		if b.Len() != test.batches {
			t.Errorf("%d examples in batches of %d: %d batches, want %d", test.n, test.size, b.Len(), test.batches)
		}
		bounds := b.Bounds()
		var orders [3][]int
		for epoch := range orders {
			for i := range b.Len() {
				x := b.At(epoch*b.Len() + i)
				if n := len(x.Examples); n > max(test.size, 1) || n < test.n/b.Len() {
					t.Errorf("a batch of %d", n)
				}
				if x.Rows > bounds.Rows || x.Loss > bounds.Loss {
					t.Errorf("%d rows, %d with loss, over the bounds %v", x.Rows, x.Loss, bounds)
				}
				sum := 0.0
				for j := range x.Weights {
					sum += float64(x.Weights[j])
					if x.Targets[j] != x.IDs[x.LossRows[j]] {
						t.Errorf("row %d of example %d is to predict a token of example %d", x.LossRows[j], x.IDs[x.LossRows[j]], x.Targets[j])
					}
				}
				if math.Abs(sum-1) > 1e-6 {
					t.Errorf("weights sum to %v", sum)
				}
				orders[epoch] = append(orders[epoch], x.Examples...)
			}
			sorted := slices.Sorted(slices.Values(orders[epoch]))
			for i := range sorted {
				if sorted[i] != i {
					t.Fatalf("epoch %d has the examples %v", epoch, sorted)
				}
			}
		}
		if test.n > 8 && slices.Equal(orders[0], orders[1]) {
			t.Error("two epochs in the same order")
		}
	}
}

func TestBatcherIsAFunctionOfTheStep(t *testing.T) {
	opts := BatchOptions{Size: 4, Shuffle: true, Seed: 5}
	a, b := NewBatcher(numbered(10), opts), NewBatcher(numbered(10), opts)
	for step := range 9 {
		a.At(step)
	}
	if x, y := a.At(7), b.At(7); !reflect.DeepEqual(x.IDs, y.IDs) {
		t.Errorf("step 7 has %v after others, %v by itself", x.IDs, y.IDs)
	}
	opts.Seed++
	if x, y := a.At(7), NewBatcher(numbered(10), opts).At(7); reflect.DeepEqual(x.Examples, y.Examples) {
		t.Error("another seed gives the same batch")
	}
	var order []int
	fixed := NewBatcher(numbered(10), BatchOptions{Size: 4})
	for i := range fixed.Len() {
		order = append(order, fixed.At(i).Examples...)
	}
	if !slices.IsSorted(order) || len(order) != 10 {
		t.Errorf("without shuffling the order is %v", order)
	}
}

// Halved batches are epochs too, and whole ones follow, shuffled by other numbers.
func TestHalvedBatches(t *testing.T) {
	for _, x := range []struct{ n, size, steps, halves int }{{10, 4, 10, 5}, {9, 4, 7, 5}, {3, 8, 4, 1}, {5, 1, 5, 5}} {
		b := NewBatcher(numbered(x.n), BatchOptions{Size: x.size, Shuffle: true, Seed: 3})
		b.Halve(x.steps)
		var seen [][]int
		for i := range x.steps + 2*b.Len() {
			at := b.At(i)
			if most := max(x.size/2, 1); i < x.steps && len(at.Examples) > most || i >= x.steps && len(at.Examples) > x.size {
				t.Errorf("%+v: step %d has %d examples", x, i, len(at.Examples))
			}
			seen = append(seen, slices.Clone(at.Examples))
		}
		whole := func(from, batches int) {
			if all := slices.Concat(seen[from : from+batches]...); len(all) != x.n || len(slices.Compact(slices.Sorted(slices.Values(all)))) != x.n {
				t.Errorf("%+v: an epoch from step %d has %v", x, from, all)
			}
		}
		if x.steps >= x.halves {
			whole(0, x.halves)
		}
		whole(x.steps, b.Len())
		whole(x.steps+b.Len(), b.Len())
		if first, last := slices.Concat(seen[:x.halves]...), slices.Concat(seen[x.steps:x.steps+b.Len()]...); x.n > 5 && slices.Equal(first, last) {
			t.Errorf("%+v: the first whole epoch has the order of the first: %v", x, first)
		}
	}
}

func TestBatcherReusesBuffers(t *testing.T) {
	b := NewBatcher(numbered(16), BatchOptions{Size: 8})
	b.At(0)
	b.At(1)
	step := 0
	if n := testing.AllocsPerRun(20, func() { b.At(step % 2); step++ }); n > 0 {
		t.Errorf("%v allocations a batch", n)
	}
}

func TestSplit(t *testing.T) {
	var labelled, grouped, same []Example
	for i := range 120 {
		label := "common"
		if i%6 == 0 {
			label = "rare"
		}
		labelled = append(labelled, Example{Line: i + 1, Prompt: fmt.Sprint("p", i), Completion: label, Label: label})
		grouped = append(grouped, Example{Line: i + 1, Prompt: fmt.Sprint("p", i/8), Completion: fmt.Sprint("c", i)})
		same = append(same, Example{Line: i + 1, Prompt: "p", Completion: fmt.Sprint("c", i)})
	}
	t.Run("stratified", func(t *testing.T) {
		train, val, notes := Split(labelled, 0, 1)
		rare := 0
		for _, e := range val {
			if e.Label == "rare" {
				rare++
			}
		}
		if len(train) != 96 || len(val) != 24 || rare != 4 || notes != nil {
			t.Errorf("%d and %d, %d of them rare, notes %q", len(train), len(val), rare, notes)
		}
	})
	t.Run("seeded", func(t *testing.T) {
		_, a, _ := Split(labelled, 0, 1)
		_, b, _ := Split(labelled, 0, 1)
		_, c, _ := Split(labelled, 0, 2)
		if !reflect.DeepEqual(a, b) || reflect.DeepEqual(a, c) {
			t.Error("the split is not a function of the seed")
		}
	})
	t.Run("same prompt, same side", func(t *testing.T) {
		train, val, _ := Split(grouped, 0.25, 1)
		side := map[string]bool{}
		for _, e := range train {
			side[e.Prompt] = true
		}
		for _, e := range val {
			if side[e.Prompt] {
				t.Fatalf("%q is on both sides", e.Prompt)
			}
		}
		if len(val) < 30 || len(val) > 40 || len(train)+len(val) != 120 {
			t.Errorf("%d and %d", len(train), len(val))
		}
	})
	t.Run("conversations with the same start", func(t *testing.T) {
		var es []Example
		for i := range 60 {
			es = append(es, Example{Shape: Messages, Messages: []Message{{Role: "user", Content: fmt.Sprint(i / 4)}, {Role: "assistant", Content: fmt.Sprint(i)}}})
		}
		train, val, _ := Split(es, 0.2, 1)
		for _, a := range train {
			for _, b := range val {
				if a.Messages[0] == b.Messages[0] {
					t.Fatalf("%v is on both sides", a.Messages[0])
				}
			}
		}
	})
	t.Run("one prompt", func(t *testing.T) {
		train, val, notes := Split(same, 0, 1)
		checkParts(t, "notes", notes, []string{"almost all examples have the same prompt"})
		if len(train) != 96 || len(val) != 24 {
			t.Errorf("%d and %d", len(train), len(val))
		}
	})
	t.Run("duplicates", func(t *testing.T) {
		train, val, notes := Split(append(slices.Clone(labelled), labelled[:7]...), 0, 1)
		if len(train)+len(val) != 120 {
			t.Errorf("%d and %d", len(train), len(val))
		}
		checkParts(t, "notes", notes, []string{"7 exact duplicates dropped (lines 1, 2, 3, 4, 5 and 2 more)"})
	})
	t.Run("one of its label", func(t *testing.T) {
		es := slices.Clone(labelled[:30])
		es[29].Label = "single"
		for seed := range uint64(20) {
			_, val, _ := Split(es, 0.33, seed)
			for _, e := range val {
				if e.Label == "single" {
					t.Fatalf("seed %d: the only example of its label is in validation", seed)
				}
			}
		}
	})
	t.Run("a prompt with most of the examples", func(t *testing.T) {
		es := slices.Clone(grouped[:60])
		for i := range 40 {
			es[i].Prompt = "the same"
		}
		for seed := range uint64(20) {
			_, val, _ := Split(es, 0.3, seed)
			if len(val) == 0 || len(val) > 20 {
				t.Fatalf("seed %d: %d of 60 in validation", seed, len(val))
			}
		}
	})
	for n, want := range map[int]int{0: 0, 1: 0, 2: 0, 3: 1, 10: 3, 30: 10, 48: 16, 100: 20} {
		t.Run(fmt.Sprint("of ", n), func(t *testing.T) {
			train, val, notes := Split(labelled[:n], 0, 1)
			if len(val) != want || len(train) != n-want {
				t.Errorf("%d and %d, want %d for validation", len(train), len(val), want)
			}
			if want < MinVal && len(notes) != 1 {
				t.Errorf("notes %q, want one about so few", notes)
			}
		})
	}
}

// The E2E file of the shared data: 420 prompts, 3,522 references.
func TestSharedE2E(t *testing.T) {
	const path = "../../../shared/data/e2e/train.jsonl"
	content, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("the shared data is not here: %v", err)
	}
	set, err := Parse("train.jsonl", content, Options{})
	if err != nil || len(set.Errors) > 0 {
		t.Fatal(err, set.Errors)
	}
	if len(set.Examples) != 3522 || set.Shape != PromptCompletion || !MissingSpace(set.Examples) {
		t.Errorf("%d examples of %s, missing space %v", len(set.Examples), set.Shape, MissingSpace(set.Examples))
	}
	AddSpace(set.Examples)
	train, val, notes := Split(set.Examples, 0, 1)
	t.Logf("%d and %d; %q", len(train), len(val), notes)
	if share := float64(len(val)) / float64(len(train)+len(val)); share < 0.19 || share > 0.22 {
		t.Errorf("validation share %v", share)
	}
}
