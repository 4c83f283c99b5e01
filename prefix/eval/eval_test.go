package eval

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"prelude/prefix/data"
)

// By hand: of "the cat sat on a mat" five of six words are in "the cat sat on the
// mat" (no "a"), three of five pairs, two of four triples, one of three fours.
func TestBLEUByHand(t *testing.T) {
	s, err := BLEU([]string{"the cat sat on a mat"}, [][]string{{"the cat sat on the mat"}}, Tokenize13a)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "BLEU", s.Score, 100*math.Pow(5.0/6*3/5*2/4*1/3, 0.25))
	near(t, "length ratio", s.LengthRatio(), 1)

	// Five words of six, all right: only the brevity penalty exp(1 − 6/5) is lost.
	s, err = BLEU([]string{"the cat sat on the"}, [][]string{{"the cat sat on the mat"}}, Tokenize13a)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "BLEU", s.Score, 100*math.Exp(-0.2))
	near(t, "length ratio", s.LengthRatio(), 5.0/6)

	// No triple and no four match: exp smoothing gives 1/(2·3) and 1/(4·2).
	s, err = BLEU([]string{"a b x c d"}, [][]string{{"a b y c d"}}, Tokenize13a)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "BLEU", s.Score, 100*math.Pow(4.0/5*2/4*1/(2*3)*1/(4*2), 0.25))
}

// By hand: "ab" against "abc" has precision 1 in both orders that it has; recall is
// 2/3 and 1/2, and the third order, which only the reference has, does not count.
func TestChrFByHand(t *testing.T) {
	got, err := ChrF([]string{"a b"}, [][]string{{"abc"}})
	if err != nil {
		t.Fatal(err)
	}
	p, r := 1.0, (2.0/3+1.0/2)/2
	near(t, "chrF", got, 100*5*p*r/(4*p+r))
}

func TestROUGEByHand(t *testing.T) {
	for _, test := range []struct {
		name, hyp string
		refs      []string
		want      ROUGEScore
	}{
		{"same", "The cat.", []string{"the cat"}, ROUGEScore{1, 1, 1}},
		// 3 of 4 and of 3 words, 1 of 3 and of 2 pairs ("police killed"), a sequence of 3.
		{"a word more", "police killed the gunman", []string{"police killed gunman"}, ROUGEScore{6.0 / 7, 2.0 / 5, 6.0 / 7}},
		{"order", "b a", []string{"a b"}, ROUGEScore{1, 0, 0.5}},
		{"best of two", "a b", []string{"c", "b a"}, ROUGEScore{1, 0, 0.5}},
		{"counts are clipped", "a a a", []string{"a"}, ROUGEScore{0.5, 0, 0.5}},
		{"chinese", "我爱北京", []string{"我爱上海"}, ROUGEScore{0.5, 1.0 / 3, 0.5}},
		{"accents", "café crème", []string{"CAFÉ"}, ROUGEScore{2.0 / 3, 0, 2.0 / 3}},
		{"empty", "", []string{"a"}, ROUGEScore{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ROUGE([]string{test.hyp}, [][]string{test.refs})
			if err != nil {
				t.Fatal(err)
			}
			near(t, "ROUGE-1", got.R1, test.want.R1)
			near(t, "ROUGE-2", got.R2, test.want.R2)
			near(t, "ROUGE-L", got.L, test.want.L)
		})
	}
}

func TestDistinctN(t *testing.T) {
	texts := []string{"a b a b", "a b"} // words a b of 6; pairs ab ba of 4
	near(t, "distinct-1", DistinctN(texts, 1), 2.0/6)
	near(t, "distinct-2", DistinctN(texts, 2), 2.0/4)
	near(t, "distinct-5", DistinctN(texts, 5), 0)
}

func TestExactMatch(t *testing.T) {
	for in, want := range map[string]string{
		"The  Eiffel Tower!": "eiffel tower",
		"an $12.50 apple":    "1250 apple",
		"Theatre":            "theatre",
		"“Café”":             "café",
		"42":                 "42",
	} {
		if got := Normalize(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	got, err := ExactMatch([]string{"The cat", "dog", "x"}, [][]string{{"a dog", "Cat."}, {"dogs"}, {"X"}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "exact match", got, 2.0/3)
}

func TestBadCorpora(t *testing.T) {
	for name, test := range map[string]struct {
		hyps []string
		refs [][]string
		want string
	}{
		"none":         {nil, nil, "no hypotheses"},
		"uneven":       {[]string{"a"}, nil, "1 hypotheses, and references for 0"},
		"no reference": {[]string{"a", "b"}, [][]string{{"a"}, {}}, "hypothesis 1 has no reference"},
	} {
		_, bleu := BLEU(test.hyps, test.refs, Tokenize13a)
		_, chrf := ChrF(test.hyps, test.refs)
		_, rouge := ROUGE(test.hyps, test.refs)
		_, exact := ExactMatch(test.hyps, test.refs)
		for _, err := range []error{bleu, chrf, rouge, exact} {
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: error %v, want %q in it", name, err, test.want)
			}
		}
	}
	if _, err := NewConfusion([]string{"a"}, nil); err == nil {
		t.Error("uneven labels are scored")
	}
	if _, err := NewConfusion(nil, nil); err == nil {
		t.Error("no labels are scored")
	}
	if _, err := Spans(make([][]data.Span, 2), nil); err == nil {
		t.Error("uneven sentences are scored")
	}
}

func TestConfusion(t *testing.T) {
	c, err := NewConfusion(strings.Fields("pos pos pos neg neg neu"), strings.Fields("pos pos neg neg pos odd"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"neg", "neu", "odd", "pos"}; !slices.Equal(c.Labels, want) {
		t.Fatalf("labels %q, want %q", c.Labels, want)
	}
	if want := [][]int{{1, 0, 0, 1}, {0, 0, 1, 0}, {0, 0, 0, 0}, {1, 0, 0, 2}}; !reflect.DeepEqual(c.Counts, want) {
		t.Errorf("counts %v, want %v", c.Counts, want)
	}
	near(t, "accuracy", c.Accuracy(), 3.0/6)
	near(t, "macro-F1", c.MacroF1(), (0.5+0+0+2.0/3)/4)
	if label, share := c.Majority(); label != "pos" || share != 0.5 {
		t.Errorf("majority %q with %v", label, share)
	}
	if got, want := c.Score(3), (PRF{2.0 / 3, 2.0 / 3, 2.0 / 3, 3}); got != want {
		t.Errorf("pos has %v, want %v", got, want)
	}
}

func TestEntities(t *testing.T) {
	gold := [][]data.Entity{{{Text: "Paris", Type: "LOC"}, {Text: "Paris", Type: "LOC"}, {Text: "Anna", Type: "PER"}}, nil}
	pred := [][]data.Entity{{{Text: "Paris", Type: "LOC"}, {Text: "Anna", Type: "LOC"}}, {{Text: "Anna", Type: "PER"}}}
	s, err := Entities(gold, pred)
	if err != nil {
		t.Fatal(err)
	}
	want := EntityScore{PRF{1.0 / 3, 1.0 / 3, 1.0 / 3, 3}, map[string]PRF{"LOC": {0.5, 0.5, 0.5, 2}, "PER": {0, 0, 0, 1}}}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("%v, want %v", s, want)
	}
	// Said twice, an entity that is there once is right once.
	s, err = Entities([][]data.Entity{{{Text: "a", Type: "X"}}}, [][]data.Entity{{{Text: "a", Type: "X"}, {Text: "a", Type: "X"}}})
	if err != nil || s.Precision != 0.5 || s.Recall != 1 {
		t.Errorf("%v %v", s, err)
	}
}

func TestLossUnits(t *testing.T) {
	near(t, "perplexity of a fair die", Perplexity(math.Log(6)), 6)
	near(t, "bits a byte of fair bytes", BitsPerByte(10*math.Log(256), 10), 8)
}

// FuzzTexts: whatever people's texts hold, scores stay in their range, and a text is
// perfect beside itself.
func FuzzTexts(f *testing.F) {
	f.Add("The cat sat.", "the  cat\x1c sat")
	f.Add("我爱&amp;lt;北京", "\xff\x00-\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, tokenize := range []func(string) []string{Tokenize13a, TokenizeZh} {
			for _, ref := range []string{a, b} {
				s, err := BLEU([]string{a}, [][]string{{ref}}, tokenize)
				if err != nil || !(s.Score >= 0 && s.Score <= 100+1e-9) {
					t.Fatalf("BLEU %v %v", s, err)
				}
				if ref == a && len(tokenize(a)) >= bleuOrder && s.Score < 100-1e-9 {
					t.Fatalf("BLEU with itself is %v", s.Score)
				}
			}
		}
		chrf, err := ChrF([]string{a}, [][]string{{b}})
		if err != nil || !(chrf >= 0 && chrf <= 100+1e-9) {
			t.Fatalf("chrF %v %v", chrf, err)
		}
		rouge, err := ROUGE([]string{a}, [][]string{{b}})
		if err != nil || !(rouge.L >= 0 && rouge.L <= rouge.R1+1e-12 && rouge.R1 <= 1+1e-12) {
			t.Fatalf("ROUGE %v %v", rouge, err)
		}
		if Normalize(Normalize(a)) != Normalize(a) {
			t.Fatalf("%q is normalised twice to another", a)
		}
	})
}
