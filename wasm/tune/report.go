package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"prelude/ui/wire"
)

// report tells how a training goes. On a terminal its progress is one line that changes;
// with -json the results are JSON objects, one a line, on standard output.
type report struct {
	json     bool
	terminal bool
	what     string // of the loss
	base     string // of the model without the prefix
	width    int    // of the line that stands on the terminal
}

func (f *flags) report() *report {
	info, err := os.Stderr.Stat()
	return &report{json: f.json, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0, what: "validation", base: "base"}
}

// line is a piece of news on standard error.
func (r *report) line(format string, args ...any) {
	r.clear()
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

// clear takes the changing line off the terminal.
func (r *report) clear() {
	if r.width > 0 {
		fmt.Fprintf(os.Stderr, "\r%s\r", strings.Repeat(" ", r.width))
		r.width = 0
	}
}

// change replaces the changing line.
func (r *report) change(text string) {
	r.clear()
	fmt.Fprint(os.Stderr, text)
	r.width = len(text)
}

// result prints a result: as text, or as JSON of the message that the page would get.
func (r *report) result(m wire.Message, format string, args ...any) {
	r.clear()
	if !r.json {
		fmt.Printf(format+"\n", args...)
		return
	}
	text, err := wire.Encode(m)
	if err != nil {
		r.line("tune: %v", err)
		return
	}
	fmt.Println(text)
}

func (r *report) planned(p wire.Planned) {
	if p.StepMillis == 0 {
		r.line("%d slots, %d trainable parameters, learning rate %g, %.0f MB", p.Slots, p.Trainable, p.LR, float64(p.PeakBytes)/1e6)
	}
	for _, n := range p.Notes {
		if p.StepMillis == 0 {
			r.line("%s", n)
		}
	}
}

func (r *report) step(x wire.Step) {
	if x.Skipped > 0 {
		r.line("%d steps with a gradient that is not finite were skipped; the learning rate is halved for each", x.Skipped)
	}
	of := ""
	if x.Total > 0 {
		of = fmt.Sprintf(" of %d", x.Total)
	}
	text := fmt.Sprintf("step %d%s  loss %.4f  |g| %.3f  %.0f tokens/s  %s left", x.First+len(x.Loss)-1, of, x.Loss[len(x.Loss)-1], x.GradNorm, x.TokensSec, left(x.LeftSec))
	if r.terminal {
		r.change(text)
		return
	}
	r.line("%s", text)
}

func (r *report) eval(e wire.Eval) {
	best := ""
	if e.Best {
		best = "  best"
	}
	if by := e.By(); by != "" {
		best += " (" + by + ")"
	}
	r.result(e, "step %d  %s %.4f  %s %.4f%s", e.Step, r.what, e.Loss, r.base, e.Base, best)
}

func (r *report) trained(done wire.Trained) {
	r.result(done, "best %.4f at step %d of %d (%s, %.0f s); %s %.4f", done.BestLoss, done.BestStep, done.Steps, done.Why, done.Seconds, r.base, done.BaseLoss)
}

// lengths writes the table of lengths once one is picked.
func (r *report) lengths(l wire.Lengths) {
	if l.Picked == 0 {
		return
	}
	var rows []string
	for _, p := range l.Points {
		mark := ""
		if p.Slots == l.Picked {
			mark = "  picked"
		}
		rows = append(rows, fmt.Sprintf("%d slots  validation %.4f  ± %.4f%s", p.Slots, p.Loss, p.Error, mark))
	}
	r.result(l, "%s", strings.Join(rows, "\n"))
}

// left is a time to come, as people write it.
func left(seconds float64) string {
	return (time.Duration(seconds) * time.Second).String()
}

// printJSON writes a value on a line of its own.
func printJSON(v any) error {
	text, err := json.Marshal(v)
	if err == nil {
		fmt.Println(string(text))
	}
	return err
}
