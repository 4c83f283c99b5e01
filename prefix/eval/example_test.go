package eval_test

import (
	"fmt"

	"prelude/prefix/data"
	"prelude/prefix/eval"
)

func Example() {
	answers := []string{"The Wrestlers is a cheap pub.", "It is near the river."}
	references := [][]string{
		{"The Wrestlers is a cheap family pub."},
		{"It is by the river.", "It is near the river bank."},
	}
	bleu, err := eval.BLEU(answers, references, eval.Tokenize13a)
	if err != nil {
		fmt.Println(err)
		return
	}
	chrf, _ := eval.ChrF(answers, references)
	rouge, _ := eval.ROUGE(answers, references)
	fmt.Printf("BLEU %.1f (length %.2f) chrF %.1f ROUGE-L %.2f distinct-2 %.2f\n",
		bleu.Score, bleu.LengthRatio(), chrf, rouge.L, eval.DistinctN(answers, 2))
	// Output:
	// BLEU 73.8 (length 0.93) chrF 74.2 ROUGE-L 0.92 distinct-2 1.00
}

func ExampleNewConfusion() {
	c, err := eval.NewConfusion([]string{"good", "good", "bad"}, []string{"good", "bad", "bad"})
	if err != nil {
		fmt.Println(err)
		return
	}
	label, share := c.Majority()
	fmt.Println(c.Labels, c.Counts)
	fmt.Printf("accuracy %.2f, macro-F1 %.2f; always saying %q gives %.2f\n", c.Accuracy(), c.MacroF1(), label, share)
	// Output:
	// [bad good] [[1 0] [1 1]]
	// accuracy 0.67, macro-F1 0.67; always saying "good" gives 0.67
}

func ExampleEntities() {
	truth, _ := data.ParseEntities("EU | ORG ; German | MISC")
	answer, bad := data.ParseEntities("EU | ORG ; German | LOC")
	score, err := eval.Entities([][]data.Entity{truth}, [][]data.Entity{answer})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(score.F1, score.ByType["ORG"].F1, score.ByType["MISC"].F1, bad)
	// Output:
	// 0.5 1 0 0
}
