package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"prelude/prefix/reproduce/compare/runs"
)

// comparison is the table of the runs: an arm a row, a rate a column, the best arm first.
func comparison(all []runs.Run) string {
	if len(all) == 0 {
		return ""
	}
	slices.SortStableFunc(all, func(a, b runs.Run) int { return cmp.Compare(a.Best, b.Best) })
	name := func(r runs.Run) string { return r.By + " | " + r.Arm }
	var rates []float64
	var arms []string
	for _, r := range all {
		if !slices.Contains(arms, name(r)) {
			arms = append(arms, name(r))
		}
		rates = append(rates, r.Rate)
	}
	slices.Sort(rates)
	rates = slices.Compact(rates)
	find := func(arm string, rate float64) int {
		return slices.IndexFunc(all, func(r runs.Run) bool { return name(r) == arm && (rate == 0 || r.Rate == rate) })
	}
	var b strings.Builder
	b.WriteString(comparisonPreface + "\n| by | arm | slots | numbers |")
	for _, rate := range rates {
		fmt.Fprintf(&b, " %g |", rate)
	}
	b.WriteString("\n" + strings.Repeat("| --- ", 4+len(rates)) + "|\n")
	for _, arm := range arms {
		best := find(arm, 0)
		fmt.Fprintf(&b, "| %s | %d | %d |", arm, all[best].Slots, all[best].Trainable)
		for _, rate := range rates {
			i := find(arm, rate)
			if i < 0 {
				b.WriteString(" |")
				continue
			}
			cell := fmt.Sprintf("%.3f at %d", all[i].Best, all[i].BestStep)
			if i == best {
				cell = "**" + cell + "**"
			}
			if all[i].Steps < runs.Steps {
				cell += " †"
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteString("\n")
	}
	return b.String()
}
