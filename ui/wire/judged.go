package wire

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// heads name what every candidate is measured by, before the measure's own figures.
var heads = []string{"loss", "perplexity", "bits a byte"}

// Heads name the figures of a table of candidates, in the order of [Judged.Cells].
func (j Judged) Heads() []string {
	all := append([]string(nil), heads...)
	if len(j.Candidates) > 0 {
		for _, f := range j.Candidates[0].Figures {
			all = append(all, f.Name)
		}
	}
	return all
}

// Cells are a candidate's figures as people read them.
func (c Candidate) Cells() []string {
	var cells []string
	for i := range 3 + len(c.Figures) {
		cells = append(cells, c.Row(i).String())
	}
	return cells
}

// Row is figure i, in the order of [Judged.Heads].
func (c Candidate) Row(i int) Figure {
	return append([]Figure{c.Loss, c.Perplexity, c.BitsPerByte}, c.Figures...)[i]
}

// String writes a figure with its interval: "0.83 (0.71 to 0.92)".
func (f Figure) String() string {
	value, low, high := f.Numbers()
	return value + " (" + low + " to " + high + ")"
}

// Numbers writes a figure and the ends of its interval with the same number of decimals:
// three significant digits of the largest, at most three decimals.
func (f Figure) Numbers() (value, low, high string) {
	most := max(math.Abs(f.Value), math.Abs(f.Low), math.Abs(f.High))
	if math.IsNaN(most) || math.IsInf(most, 0) || most >= 1e6 || most < 1e-3 {
		return Brief(f.Value, 3), Brief(f.Low, 3), Brief(f.High, 3)
	}
	decimals := max(0, min(3, 2-int(math.Floor(math.Log10(most)))))
	write := func(v float64) string { return strconv.FormatFloat(v, 'f', decimals, 64) }
	return write(f.Value), write(f.Low), write(f.High)
}

// Title is a candidate's name in a table.
func (j Judged) Title(c Candidate) string {
	if c.Which == "context" {
		return fmt.Sprintf("%s (%d)", c.Name, j.Shots)
	}
	return c.Name
}

// Verdicts say who is better than whom, a sentence for each pair.
func (j Judged) Verdicts() (all []string) {
	for _, p := range j.Pairs {
		a, b := j.Candidates[p.First], j.Candidates[p.Second]
		s := fmt.Sprintf("%s is better than %s in %.0f of 100 resamples by loss", a.Name, b.Name, p.Loss)
		if len(a.Figures) > 0 {
			s += fmt.Sprintf(", in %.0f by %s", p.Score, a.Figures[0].Name)
		}
		all = append(all, s+".")
	}
	return all
}

// Write writes the rows with every answer, its score and its loss, as "csv" or "jsonl".
func (j Judged) Write(kind string) ([]byte, error) {
	var out bytes.Buffer
	if kind == "jsonl" {
		e := json.NewEncoder(&out)
		e.SetEscapeHTML(false)
		for _, r := range j.Rows {
			if err := e.Encode(r); err != nil {
				return nil, err
			}
		}
		return out.Bytes(), nil
	}
	if kind != "csv" {
		return nil, fmt.Errorf("rows are written as csv or jsonl, not as %q", kind)
	}
	w := csv.NewWriter(&out)
	head := []string{"prompt", "expected"}
	for _, c := range j.Candidates {
		head = append(head, unformula(c.Name), unformula(c.Name)+" score", unformula(c.Name)+" loss")
		if c.Ranking != nil {
			head = append(head, unformula(c.Name)+" label", unformula(c.Name)+" label's probability")
		}
	}
	w.Write(head)
	for _, r := range j.Rows {
		line := []string{unformula(r.Prompt), unformula(r.Expected)}
		for i, a := range r.Answers {
			line = append(line, unformula(a.Text), decimal(a.Score), decimal(a.Loss))
			if j.Candidates[i].Ranking != nil {
				line = append(line, unformula(a.Label), decimal(a.Sure))
			}
		}
		w.Write(line)
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

// unformula keeps a spreadsheet from taking a text for a formula.
func unformula(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// decimal writes a number for programs; what is none is empty.
func decimal(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// Brief writes v with at most n significant digits and no exponent where that is readable.
func Brief(v float64, n int) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return "0"
	}
	if a := math.Abs(v); a < 1e-4 || a >= 1e6 {
		return strconv.FormatFloat(v, 'g', n, 64)
	}
	digits := max(0, n-1-int(math.Floor(math.Log10(math.Abs(v)))))
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
