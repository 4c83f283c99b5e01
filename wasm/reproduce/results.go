package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"prelude/prefix/reproduce"
	"prelude/wasm/reproduce/compare/runs"
)

// results are those of all experiments that were run, in their order.
type results []*reproduce.Result

// folders are where results.json and RESULTS.md stand, where compare.csv and where pace.csv.
type folders struct{ results, compared, paced string }

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

func (all *results) put(r *reproduce.Result) {
	if i := slices.IndexFunc(*all, func(x *reproduce.Result) bool { return x.ID == r.ID }); i >= 0 {
		(*all)[i] = r
		return
	}
	*all = append(*all, r)
	slices.SortFunc(*all, func(a, b *reproduce.Result) int { return order(a.ID) - order(b.ID) })
}

func order(id string) int {
	return slices.IndexFunc(reproduce.All, func(x reproduce.Experiment) bool { return x.ID == id })
}

func title(id string) string {
	x, _ := reproduce.Find(id)
	return x.Title
}

func (all *results) write(at folders) error {
	raw, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(at.results, resultsFile), append(raw, '\n'), 0o644); err != nil {
		return err
	}
	page, err := all.page(at)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(at.results, pageFile), []byte(page), 0o644)
}

// page is RESULTS.md, with the runs of compare.csv and pace.csv.
func (all *results) page(at folders) (string, error) {
	rows, err := runs.Read(at.compared)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	paces, err := readPaces(at.paced)
	if err != nil {
		return "", err
	}
	seconds := 0.0
	for _, r := range *all {
		seconds += r.Seconds
	}
	var b strings.Builder
	fmt.Fprintf(&b, preface, seconds/60)
	for _, x := range reproduce.All {
		if !slices.ContainsFunc(*all, func(r *reproduce.Result) bool { return r.ID == x.ID }) {
			fmt.Fprintf(&b, "\nNot run yet: %s, %s.\n", x.ID, x.Title)
		}
	}
	for _, r := range *all {
		fmt.Fprintf(&b, "\n## %s · %s\n\n", r.ID, title(r.ID))
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
	b.WriteString(comparison(rows))
	b.WriteString(pacing(paces))
	return b.String(), nil
}
