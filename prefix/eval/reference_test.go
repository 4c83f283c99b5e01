package eval

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"prelude/prefix/data"
)

// reference.json holds what sacrebleu, rouge_score, seqeval and scikit-learn say;
// testdata/reference.py writes it.
type reference struct {
	Tokens []struct {
		Line string
		T13a []string `json:"13a"`
		Zh   []string
	}
	Texts []struct {
		Name, Tokenize string
		Hypotheses     []string
		References     [][]string
		BLEU, BP, ChrF float64
		Precisions     [bleuOrder]float64
		HypLen, RefLen int
		ROUGE          [3]float64
		ASCII          bool
	}
	Tags []struct {
		Kind                  string
		Gold, Predicted       [][]string
		Precision, Recall, F1 float64
		ByType                map[string]float64
	}
	Labels []struct {
		Gold, Predicted   []string
		Accuracy, MacroF1 float64
	}
	Rankings []struct {
		Names, Gold, Seen      []string
		Logs                   [][]float64
		Accuracy, MacroF1, ECE float64
		Confusion              [][]int
		Counts                 []int
		Share, Mean            []float64 // of the bins that are not empty
	}
}

func readReference(t *testing.T) (r reference) {
	t.Helper()
	content, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Tokens) == 0 || len(r.Texts) == 0 || len(r.Tags) == 0 || len(r.Labels) == 0 || len(r.Rankings) == 0 {
		t.Fatal("a part of the reference is empty")
	}
	return r
}

// near checks to the rounding of a sum of a few logarithms.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-10*math.Max(1, math.Abs(want)) {
		t.Errorf("%s is %.15g, want %.15g", what, got, want)
	}
}

func TestTokenizersAgainstSacreBLEU(t *testing.T) {
	for _, test := range readReference(t).Tokens {
		if got := Tokenize13a(test.Line); !slices.Equal(got, test.T13a) {
			t.Errorf("13a: %q\n got %q\nwant %q", test.Line, got, test.T13a)
		}
		if got := TokenizeZh(test.Line); !slices.Equal(got, test.Zh) {
			t.Errorf("zh: %q\n got %q\nwant %q", test.Line, got, test.Zh)
		}
	}
}

func TestTextsAgainstPython(t *testing.T) {
	ascii := 0
	for _, test := range readReference(t).Texts {
		t.Run(test.Name, func(t *testing.T) {
			tokenize := Tokenize13a
			if test.Tokenize == "zh" {
				tokenize = TokenizeZh
			}
			bleu, err := BLEU(test.Hypotheses, test.References, tokenize)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "BLEU", bleu.Score, test.BLEU)
			near(t, "the brevity penalty", bleu.BrevityPenalty, test.BP)
			for n := range bleuOrder {
				near(t, "a precision", bleu.Precisions[n], test.Precisions[n])
			}
			if bleu.HypLen != test.HypLen || bleu.RefLen != test.RefLen {
				t.Errorf("%d and %d tokens, want %d and %d", bleu.HypLen, bleu.RefLen, test.HypLen, test.RefLen)
			}
			chrf, err := ChrF(test.Hypotheses, test.References)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "chrF", chrf, test.ChrF)
			if !test.ASCII {
				return // rouge_score drops all letters but a to z
			}
			ascii++
			rouge, err := ROUGE(test.Hypotheses, test.References)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "ROUGE-1", rouge.R1, test.ROUGE[0])
			near(t, "ROUGE-2", rouge.R2, test.ROUGE[1])
			near(t, "ROUGE-L", rouge.L, test.ROUGE[2])
		})
	}
	if ascii < 5 {
		t.Errorf("only %d corpora compare ROUGE", ascii)
	}
}

func TestSpansAgainstSeqeval(t *testing.T) {
	for _, test := range readReference(t).Tags {
		t.Run(test.Kind, func(t *testing.T) {
			read := func(sentences [][]string) (out [][]data.Span) {
				for _, tags := range sentences {
					out = append(out, data.Spans(tags))
				}
				return out
			}
			s, err := Spans(read(test.Gold), read(test.Predicted))
			if err != nil {
				t.Fatal(err)
			}
			near(t, "precision", s.Precision, test.Precision)
			near(t, "recall", s.Recall, test.Recall)
			near(t, "F1", s.F1, test.F1)
			for name, want := range test.ByType {
				near(t, "F1 of "+name, s.ByType[name].F1, want)
			}
		})
	}
}

func TestLabelsAgainstScikit(t *testing.T) {
	for _, test := range readReference(t).Labels {
		c, err := NewConfusion(test.Gold, test.Predicted)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "accuracy", c.Accuracy(), test.Accuracy)
		near(t, "macro-F1", c.MacroF1(), test.MacroF1)
	}
}

// Accuracy, macro-F1, confusion and reliability of ranked labels are scikit-learn's.
func TestRankingAgainstScikit(t *testing.T) {
	for _, test := range readReference(t).Rankings {
		j, c, err := Ranking{test.Names, test.Logs}.Judge(test.Gold)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []float64{test.Accuracy, test.MacroF1, test.ECE} {
			near(t, j.Figures[i].Name, j.Figures[i].Value, want)
			if f := j.Figures[i]; f.Low > f.High || f.Low < 0 || f.High > 1 {
				t.Errorf("%s is between %v and %v", f.Name, f.Low, f.High)
			}
		}
		if !slices.Equal(c.Confusion.Labels, test.Seen) || !reflect.DeepEqual(c.Confusion.Counts, test.Confusion) {
			t.Errorf("confusion %+v, want %v of %q", c.Confusion, test.Confusion, test.Seen)
		}
		at := 0
		for b, bin := range c.Bins {
			if bin.Count != test.Counts[b] {
				t.Errorf("%d rows are surer than %v and not surer than %v, want %d", bin.Count, bin.Low, bin.High, test.Counts[b])
			} else if bin.Count > 0 {
				near(t, "a bin's share of right picks", bin.Right, test.Share[at])
				near(t, "a bin's probability", bin.Sure, test.Mean[at])
				at++
			}
		}
	}
}

// Entities that are written out, and read again, have seqeval's figures where each word occurs
// once; so has the measure's judgement of a set.
func TestWrittenEntitiesAgainstSeqeval(t *testing.T) {
	for _, test := range readReference(t).Tags {
		var said, want []string
		for i, gold := range test.Gold {
			var words []string
			for j := range gold {
				words = append(words, fmt.Sprintf("w%d", j))
			}
			want = append(want, data.FormatEntities(words, data.Spans(gold)))
			said = append(said, data.FormatEntities(words, data.Spans(test.Predicted[i])))
		}
		j := Tags.Judge(said, want)
		for i, value := range []float64{test.F1, test.Precision, test.Recall} {
			near(t, j.Figures[i].Name, j.Figures[i].Value, value)
		}
		for _, f := range j.Figures[3:] {
			near(t, f.Name, f.Value, test.ByType[strings.TrimPrefix(f.Name, "F1 of ")])
		}
		if len(j.Figures) != 3+len(test.ByType) {
			t.Errorf("figures %+v", j.Figures)
		}
	}
}

// What the measure of free text says of a set is sacreBLEU's and rouge-score's.
func TestJudgedTextsAgainstPython(t *testing.T) {
	n := 0
	for _, test := range readReference(t).Texts {
		if test.Tokenize != "13a" || !test.ASCII || slices.ContainsFunc(test.References, func(r []string) bool { return len(r) > 1 }) {
			continue
		}
		// Judge trims what it compares, and so it may only differ where that matters.
		if slices.ContainsFunc(slices.Concat(append(test.References, test.Hypotheses)...), func(s string) bool { return s != strings.TrimSpace(s) }) {
			continue
		}
		n++
		var want []string
		for _, r := range test.References {
			want = append(want, r[0])
		}
		j := Text.Judge(test.Hypotheses, want)
		for i, value := range []float64{test.ROUGE[2], test.BLEU, test.ChrF} {
			near(t, test.Name+": "+j.Figures[i].Name, j.Figures[i].Value, value)
		}
	}
	if n < 5 {
		t.Errorf("only %d corpora are compared", n)
	}
}
