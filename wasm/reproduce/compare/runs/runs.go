// Package runs reads compare.csv, the lines that compare and compare.py write.
package runs

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Steps is how many a run has that was not given up.
const Steps = 200

// A Run is one arm at one learning rate, with one seed.
type Run struct {
	By, Arm          string // who trains: "prelude" or "peft"; a method
	Rate             float64
	Seed             uint64 // of the order of the examples and what is drawn; the split has its own
	Slots, Trainable int64
	Steps, BestStep  int
	Early, Best      float64 // validation losses in nats a token; Early is at step 60
}

// File is the table's path in its folder.
func File(folder string) string { return filepath.Join(folder, "compare.csv") }

// Read reads the table, whose first line names the columns. Where there is none, the error is
// [os.ErrNotExist].
func Read(folder string) ([]Run, error) {
	f, err := os.Open(File(folder))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	const columns = 12
	var all []Run
	for i, x := range lines[1:] {
		if len(x) != columns {
			return nil, fmt.Errorf("%s: %d columns, want %d", File(folder), len(x), columns)
		}
		var bad error
		number := func(s string) float64 {
			v, err := strconv.ParseFloat(s, 64)
			bad = errors.Join(bad, err)
			return v
		}
		r := Run{By: x[0], Arm: x[1], Rate: number(x[2]), Seed: uint64(number(x[3])), Slots: int64(number(x[4])), Trainable: int64(number(x[5])),
			Steps: int(number(x[6])), Early: number(x[8]), Best: number(x[9]), BestStep: int(number(x[10]))}
		if bad != nil {
			return nil, fmt.Errorf("%s, line %d: %w", File(folder), i+2, bad)
		}
		all = append(all, r)
	}
	return all, nil
}
