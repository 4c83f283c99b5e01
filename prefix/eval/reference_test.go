package eval

import (
	"encoding/json"
	"math"
	"os"
	"slices"
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
	if len(r.Tokens) == 0 || len(r.Texts) == 0 || len(r.Tags) == 0 || len(r.Labels) == 0 {
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
