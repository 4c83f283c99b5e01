// Package eval holds the measures by which answers, labels and entities are judged.
//
//	score, err := eval.BLEU(hypotheses, references, eval.Tokenize13a)   // references[i] are those of hypotheses[i]
//	fmt.Println(score.Score, score.BrevityPenalty, score.LengthRatio())
//	chrf, err := eval.ChrF(hypotheses, references)
//	rouge, err := eval.ROUGE(hypotheses, references)
//	confusion, err := eval.NewConfusion(gold, predicted)
//	fmt.Println(confusion.Accuracy(), confusion.MacroF1(), confusion.Majority())
//	judgement := eval.Choose(completions).Judge(answers, completions)   // scores of rows, figures with intervals
//
// BLEU and chrF are those of sacreBLEU 2.6, in percent as there.
// Everything else is a share from 0 to 1, or says its unit.
//
//   - BLEU: Papineni et al. 2002; Post 2018 for tokenisation and signature
//     (nrefs:…|case:mixed|eff:no|tok:13a|smooth:exp)
//   - chrF: Popović 2015, character 6-grams, β = 2, no word n-grams
//   - ROUGE-1, -2, -L: Lin 2004, F1, without a stemmer
//   - distinct-n: Li et al. 2016
//   - exact match: after SQuAD's normalisation (Rajpurkar et al. 2016)
//   - labels ranked by likelihood: accuracy, macro-F1, expected calibration error (Naeini et al.
//     2015; Guo et al. 2017) over ten bins of equal width
//   - intervals and comparisons: bootstrap over rows (Efron and Tibshirani 1993; Koehn 2004)
//   - entities: exact span and type, as the CoNLL-2000 scorer counts
package eval
