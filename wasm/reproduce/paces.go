package main

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A pace is one line of pace/pace.csv: how validation fell in one training.
type pace struct {
	model, data, method, schedule, rate string

	batch, seed, steps, held int
	base                     float64
	validations              []validation
}

type validation struct {
	step int
	loss float64
}

func (p pace) best() validation {
	return slices.MinFunc(p.validations, func(a, b validation) int { return cmp.Compare(a.loss, b.loss) })
}

// cost is what a training has taken by a step, validations included, in examples trained on:
// one that is only read costs a third.
func (p pace) cost(step int) float64 {
	c := float64(step * p.batch)
	for _, v := range p.validations {
		if v.step <= step {
			c += float64(p.held) / 3
		}
	}
	return c
}

// reach is the cost until a loss is no higher than wanted, NaN where none is.
func (p pace) reach(loss float64) float64 {
	for _, v := range p.validations {
		if v.loss <= loss {
			return p.cost(v.step)
		}
	}
	return math.NaN()
}

// readPaces reads pace.csv in a folder; there are none where there is no file.
func readPaces(folder string) ([]pace, error) {
	name := filepath.Join(folder, "pace.csv")
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = 11
	lines, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var all []pace
	for i, x := range lines[1:] {
		p := pace{model: x[0], data: x[1], method: x[2], schedule: x[3], rate: x[4]}
		var bad error
		for at, to := range map[int]*int{5: &p.batch, 6: &p.seed, 7: &p.steps, 8: &p.held} {
			v, err := strconv.Atoi(x[at])
			*to, bad = v, errors.Join(bad, err)
		}
		p.base, err = strconv.ParseFloat(x[9], 64)
		bad = errors.Join(bad, err)
		for _, pair := range strings.Fields(x[10]) {
			var v validation
			_, err := fmt.Sscanf(pair, "%d:%f", &v.step, &v.loss)
			p.validations, bad = append(p.validations, v), errors.Join(bad, err)
		}
		if bad != nil || len(p.validations) == 0 {
			return nil, fmt.Errorf("%s, line %d: %w", name, i+2, cmp.Or(bad, errors.New("no validations")))
		}
		all = append(all, p)
	}
	return all, nil
}

// pacing is a table for each model and data set: the training that was soonest within 1 % of
// the best of all first.
func pacing(all []pace) string {
	if len(all) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(pacePreface)
	of := func(p pace) string { return p.model + ", " + p.data }
	var groups []string
	for _, p := range all {
		if !slices.Contains(groups, of(p)) {
			groups = append(groups, of(p))
		}
	}
	for _, g := range groups {
		var rows []pace
		best := math.Inf(1)
		for _, p := range all {
			if of(p) == g {
				rows, best = append(rows, p), min(best, p.best().loss)
			}
		}
		near := 1.01 * best
		soonest := func(p pace) float64 {
			if c := p.reach(near); !math.IsNaN(c) {
				return c
			}
			return math.Inf(1)
		}
		slices.SortStableFunc(rows, func(a, b pace) int {
			return cmp.Or(cmp.Compare(soonest(a), soonest(b)), cmp.Compare(a.best().loss, b.best().loss))
		})
		fmt.Fprintf(&b, "\n%s: without a prefix %.3f, at the start %.3f\n\n", g, rows[0].base, rows[0].validations[0].loss)
		b.WriteString("| method | schedule | rate | a step | seed | best | at step | until within 1 % | in all |\n" + strings.Repeat("| --- ", 9) + "|\n")
		for _, p := range rows {
			until := "–"
			if c := p.reach(near); !math.IsNaN(c) {
				until = fmt.Sprintf("%.0f", c)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %d | %d | %.3f | %d | %s | %.0f |\n", p.method, p.schedule, p.rate, p.batch, p.seed, p.best().loss, p.best().step, until, p.cost(p.steps))
		}
	}
	b.WriteString(paceRounds)
	return b.String()
}
