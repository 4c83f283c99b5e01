package main

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// run is a line of compare.csv: one arm at one learning rate.
type run struct {
	arm              string // with who trains it
	slots, trainable string
	rate, best       float64
	steps, at        int // steps taken, and the best one
}

// allSteps is how many steps a run has that was not given up.
const allSteps = 200

// readComparison reads compare.csv; there are no runs where there is no file.
func readComparison(folder string) ([]run, error) {
	f, err := os.Open(filepath.Join(folder, "compare", "compare.csv"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	var all []run
	for _, x := range lines[1:] {
		r := run{arm: x[0] + " | " + x[1], slots: x[3], trainable: x[4]}
		var bad [4]error
		r.rate, bad[0] = strconv.ParseFloat(x[2], 64)
		r.steps, bad[1] = strconv.Atoi(x[5])
		r.best, bad[2] = strconv.ParseFloat(x[8], 64)
		r.at, bad[3] = strconv.Atoi(x[9])
		if err := errors.Join(bad[:]...); err != nil {
			return nil, fmt.Errorf("compare.csv: %w", err)
		}
		all = append(all, r)
	}
	return all, nil
}

// comparison is the table of the runs: an arm a row, a rate a column, the best arm first.
func comparison(all []run) string {
	if len(all) == 0 {
		return ""
	}
	slices.SortStableFunc(all, func(a, b run) int { return cmp.Compare(a.best, b.best) })
	var rates []float64
	var arms []string
	for _, r := range all {
		if !slices.Contains(arms, r.arm) {
			arms = append(arms, r.arm)
		}
		rates = append(rates, r.rate)
	}
	slices.Sort(rates)
	rates = slices.Compact(rates)
	find := func(arm string, rate float64) int {
		return slices.IndexFunc(all, func(r run) bool { return r.arm == arm && (rate == 0 || r.rate == rate) })
	}
	var b strings.Builder
	b.WriteString(comparisonPreface + "\n| by | arm | slots | numbers |")
	for _, rate := range rates {
		fmt.Fprintf(&b, " %g |", rate)
	}
	b.WriteString("\n" + strings.Repeat("| --- ", 4+len(rates)) + "|\n")
	for _, arm := range arms {
		best := find(arm, 0)
		fmt.Fprintf(&b, "| %s | %s | %s |", arm, all[best].slots, all[best].trainable)
		for _, rate := range rates {
			i := find(arm, rate)
			if i < 0 {
				b.WriteString(" |")
				continue
			}
			cell := fmt.Sprintf("%.3f at %d", all[i].best, all[i].at)
			if i == best {
				cell = "**" + cell + "**"
			}
			if all[i].steps < allSteps {
				cell += " †"
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteString("\n")
	}
	return b.String()
}
