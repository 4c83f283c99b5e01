package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// result is what an experiment found.
type result struct {
	ID      string
	Seconds float64 // 0: stopped before its end
	keep    func() error
	failed  error // the first that keep gave
	Notes   []string
	Rows    []row
	Curves  []curve
}

// row is one figure beside the paper's.
type row struct {
	What  string
	Paper string
	Ours  string
	Want  string // what has to be reached; empty: nothing
	Met   bool
}

// curve is a training loss, thinned.
type curve struct {
	What   string
	Steps  int
	Points []float64
}

// none stands for a figure that the paper does not have.
const none = -1

// bound is what a figure has to reach, in percent.
type bound struct {
	least bool
	value float64
}

func atLeast(x float64) *bound { return &bound{true, x} }
func atMost(x float64) *bound  { return &bound{false, x} }

func (b *bound) met(x float64) bool {
	if b.least {
		return x >= b.value
	}
	return x <= b.value
}

func (b *bound) String() string {
	if b.least {
		return fmt.Sprintf("≥ %.4g %%", b.value)
	}
	return fmt.Sprintf("≤ %.4g %%", b.value)
}

// percent adds a share between 0 and 1, and the paper's in percent.
func (r *result) percent(what string, paper, ours float64, b *bound) {
	x := row{What: what, Ours: fmt.Sprintf("%.2f %%", 100*ours)}
	if paper != none {
		x.Paper = fmt.Sprintf("%.2f %%", paper)
	}
	if b != nil {
		x.Want, x.Met = b.String(), b.met(100*ours)
	}
	r.add(x)
}

func (r *result) add(x row) {
	r.Rows = append(r.Rows, x)
	r.save()
	fmt.Printf("%s | %s | paper %s | here %s | %s\n", r.ID, x.What, x.Paper, x.Ours, x.Want)
}

// save keeps what there is so far, since an experiment may take long.
func (r *result) save() {
	if r.keep == nil || r.failed != nil {
		return
	}
	r.failed = r.keep()
}

// curve adds a loss curve of twelve points.
func (r *result) curve(what string, loss []float64) {
	c := curve{What: what, Steps: len(loss), Points: points(loss, 12)}
	for i, v := range c.Points {
		c.Points[i] = math.Round(v*1e4) / 1e4
	}
	r.Curves = append(r.Curves, c)
	r.save()
	fmt.Println(r.ID, "|", what, "|", c.Points)
}

// pretraining says how the checkpoint was made.
func (r *result) pretraining(m *model) {
	r.Notes = append(r.Notes, fmt.Sprintf("Pretrained for %s steps of %s.", m.meta["steps"], m.meta["batch"]))
}

// results are those of all experiments that were run, in their order.
type results []*result

const resultsFile, pageFile = "results.json", "RESULTS.md"

func readResults(folder string) (*results, error) {
	all := &results{}
	raw, err := os.ReadFile(filepath.Join(folder, resultsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(raw, all)
}

func (all *results) put(r *result) {
	if i := slices.IndexFunc(*all, func(x *result) bool { return x.ID == r.ID }); i >= 0 {
		(*all)[i] = r
		return
	}
	*all = append(*all, r)
	slices.SortFunc(*all, func(a, b *result) int { return order(a.ID) - order(b.ID) })
}

func order(id string) int {
	return slices.IndexFunc(experiments, func(x experiment) bool { return x.id == id })
}

func (all *results) write(folder string) error {
	raw, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, resultsFile), append(raw, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, pageFile), []byte(all.page()), 0o644)
}

// page is RESULTS.md.
func (all *results) page() string {
	var b strings.Builder
	b.WriteString(preface)
	for _, x := range experiments {
		if !slices.ContainsFunc(*all, func(r *result) bool { return r.ID == x.id }) {
			fmt.Fprintf(&b, "\nNot run yet: %s, %s.\n", x.id, titles[x.id])
		}
	}
	for _, r := range *all {
		fmt.Fprintf(&b, "\n## %s · %s\n\n", r.ID, titles[r.ID])
		for _, n := range r.Notes {
			fmt.Fprintf(&b, "%s ", n)
		}
		took := "Stopped before its end."
		if r.Seconds > 0 {
			took = fmt.Sprintf("Took %.0f s.", r.Seconds)
		}
		fmt.Fprintf(&b, "%s\n\n| what | paper | here | wanted | |\n| --- | --- | --- | --- | --- |\n", took)
		for _, x := range r.Rows {
			mark := ""
			if x.Want != "" {
				mark = map[bool]string{true: "reached", false: "**missed**"}[x.Met]
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", x.What, x.Paper, x.Ours, x.Want, mark)
		}
		if len(r.Curves) > 0 {
			b.WriteString("\nTraining loss in nats, means over twelfths of the steps:\n\n")
		}
		for _, c := range r.Curves {
			fmt.Fprintf(&b, "- %s, %d steps: %s\n", c.What, c.Steps, strings.Trim(fmt.Sprint(c.Points), "[]"))
		}
	}
	return b.String()
}
