package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"prelude/prefix/reproduce"
	"prelude/wasm/reproduce/compare/runs"
)

// comparison is the table of the first seed's runs, an arm a row, a rate a column, the best
// arm first, and behind it what more seeds say.
func comparison(every []runs.Run) string {
	var all []runs.Run
	for _, r := range every {
		if r.Seed == 1 {
			all = append(all, r)
		}
	}
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
	b.WriteString(repeated(every))
	return b.String()
}

// repeated is the table of what was run with several seeds.
func repeated(all []runs.Run) string {
	type setting struct {
		by, arm string
		rate    float64
	}
	seeds := map[setting][]runs.Run{}
	for _, r := range all {
		x := setting{r.By, r.Arm, r.Rate}
		seeds[x] = append(seeds[x], r)
	}
	maps.DeleteFunc(seeds, func(_ setting, r []runs.Run) bool { return len(r) < 2 })
	if len(seeds) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(repeatedPreface + "\n| by | arm | rate | seeds 1, 2, … | mean ± standard deviation |\n| --- | --- | --- | --- | --- |\n")
	order := slices.SortedFunc(maps.Keys(seeds), func(a, b setting) int {
		return cmp.Or(cmp.Compare(a.arm, b.arm), cmp.Compare(a.by, b.by), cmp.Compare(a.rate, b.rate))
	})
	for _, x := range order {
		slices.SortFunc(seeds[x], func(a, b runs.Run) int { return cmp.Compare(a.Seed, b.Seed) })
		var best []float64
		var said []string
		for _, r := range seeds[x] {
			best = append(best, r.Best)
			said = append(said, fmt.Sprintf("%.4f", r.Best))
		}
		fmt.Fprintf(&b, "| %s | %s | %g | %s | %s |\n", x.by, x.arm, x.rate, strings.Join(said, ", "), reproduce.Spread(best, "%.4f"))
	}
	return b.String()
}
