package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"prelude/prefix/eval"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// runEval answers the held-out set as the page does, and writes the same table.
func runEval(ctx context.Context, args []string) error {
	f := newFlags("eval")
	f.examples()
	f.StringVar(&f.adapter, "adapter", "", "`folder` or .zip of a prefix")
	var o wire.Judge
	f.StringVar(&o.Measure, "measure", "", "what answers are `measured` by: "+measures()+"; empty: as the data suggests")
	f.IntVar(&o.MaxTokens, "max", 0, "longest answer in tokens; 0: twice the longest that is expected")
	f.BoolVar(&o.Losses, "losses", false, "measure losses alone: nobody answers")
	on := f.String("on", "validation", "the `set` that is answered: validation or test")
	f.BoolVar(&o.InContext, "context", true, "answer with the training examples in the context too, which takes the longest")
	rows := f.String("rows", "", "write every row with its answers to this `file`, a .csv or .jsonl")
	if err := f.parse(args, "model", "data"); err != nil {
		return err
	}
	o.Test = *on == "test"
	kind := strings.TrimPrefix(filepath.Ext(*rows), ".")
	switch {
	case *on != "test" && *on != "validation":
		return usageError{fmt.Errorf("-on %s: there are validation and test", *on)}
	case *rows != "" && kind != "csv" && kind != "jsonl":
		return usageError{fmt.Errorf("-rows %s: the file's name ends in .csv or .jsonl", *rows)}
	case *rows != "" && o.Losses:
		return usageError{fmt.Errorf("-rows and -losses exclude each other")}
	case o.MaxTokens < 0:
		return usageError{fmt.Errorf("-max %d is less than 0", o.MaxTokens)}
	}
	s, err := f.open(ctx)
	if err != nil {
		return err
	}
	j, err := f.judge(ctx, s, o)
	if err != nil {
		return err
	}
	if *rows != "" {
		text, err := j.Write(kind)
		if err != nil {
			return err
		}
		if err := os.WriteFile(*rows, text, 0o666); err != nil {
			return err
		}
	}
	if f.json {
		j.Rows = nil
		return printJSON(newEvaluation(j))
	}
	return table(os.Stdout, j)
}

// judge measures the base model, the examples in context and the session's prefix.
func (f *flags) judge(ctx context.Context, s *session.Session, o wire.Judge) (wire.Judged, error) {
	shelf, err := s.Shelf(ctx)
	if err != nil {
		return wire.Judged{}, err
	}
	o.Base = true
	if shelf.InUse != 0 {
		o.Keys = []int{shelf.InUse}
	}
	r := f.report()
	defer r.clear()
	return s.Judge(ctx, o, func(done, total int) bool {
		if r.terminal {
			r.change(fmt.Sprintf("%d of %d answers", done, total))
		}
		return ctx.Err() == nil
	})
}

// measures lists the names of all measures.
func measures() string {
	var all []string
	for _, m := range eval.Measures {
		all = append(all, string(m))
	}
	return strings.Join(all, ", ")
}

// evaluation is what eval writes with -json: the mean validation losses in nats a token, and
// all that the table says.
type evaluation struct {
	Base      float64 `json:"base"`
	Prefix    float64 `json:"prefix,omitempty"`
	InContext float64 `json:"inContext"`
	wire.Judged
}

func newEvaluation(j wire.Judged) evaluation {
	e := evaluation{Judged: j}
	for _, c := range j.Candidates {
		switch c.Which {
		case "base":
			e.Base = c.Loss.Value
		case "context":
			e.InContext = c.Loss.Value
		case "tuned":
			e.Prefix = c.Loss.Value
		}
	}
	return e
}

// table writes the candidates side by side, a line for each figure, and who is better.
func table(to io.Writer, j wire.Judged) error {
	w := tabwriter.NewWriter(to, 0, 8, 3, ' ', 0)
	for _, c := range j.Candidates {
		fmt.Fprint(w, "\t", j.Title(c))
	}
	fmt.Fprintln(w)
	for i, name := range j.Heads() {
		fmt.Fprint(w, name)
		for _, c := range j.Candidates {
			fmt.Fprint(w, "\t", c.Cells()[i])
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, c := range j.Candidates {
		if c.Ranking != nil {
			if err := rankingTable(to, c); err != nil {
				return err
			}
		}
	}
	for _, s := range j.Verdicts() {
		fmt.Fprintln(to, s)
	}
	_, err := fmt.Fprintf(to, "%d %s examples in %.1f s; in brackets 95 %% intervals by bootstrap.\n", j.Count, map[bool]string{false: "held-out", true: "test"}[j.Test], j.Seconds)
	return err
}

// rankingTable writes which labels were picked for which, and how often picks of a
// probability are right.
func rankingTable(to io.Writer, c wire.Candidate) error {
	w := tabwriter.NewWriter(to, 0, 8, 3, ' ', 0)
	fmt.Fprintf(w, "\n%s: true label, and what was picked for it\n", c.Name)
	for _, l := range c.Ranking.Labels {
		fmt.Fprint(w, "\t", l)
	}
	fmt.Fprintln(w)
	for i, row := range c.Ranking.Counts {
		fmt.Fprint(w, c.Ranking.Labels[i])
		for _, n := range row {
			fmt.Fprint(w, "\t", n)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\n%s: probability of the picked label\tright\trows\n", c.Name)
	for _, b := range c.Ranking.Bins {
		if b.Count > 0 {
			fmt.Fprintf(w, "%s\t%s\t%d\n", wire.Brief(b.Sure, 2), wire.Brief(b.Right, 2), b.Count)
		}
	}
	fmt.Fprintln(w)
	return w.Flush()
}
