package adapter

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Data is what a file says of the examples that it was trained on: enough to recognise them,
// and none of them.
type Data struct {
	Hash  string `json:"hash,omitempty"` // SHA-256 of their file, in hexadecimal
	Train int    `json:"train"`          // examples
	Val   int    `json:"val"`            // of them held out
}

// Curve is how a training went, step by step.
type Curve struct {
	Loss  []Point `json:"loss,omitempty"`  // of training; a long run is thinned out
	Evals []Point `json:"evals,omitempty"` // of validation
}

// Point is a loss in nats a completion token.
type Point struct {
	Step int     `json:"step"`
	Loss float64 `json:"loss"`
}

// mostPoints is how many points a curve has of each kind.
const mostPoints = 1000

// mostLoss bounds what can be a loss.
const mostLoss = 1e6

// Add adds the loss of a training step.
func (c *Curve) Add(step int, loss float64) { c.Loss = add(c.Loss, step, loss) }

// AddEval adds a validation loss.
func (c *Curve) AddEval(step int, loss float64) { c.Evals = add(c.Evals, step, loss) }

// add takes back what a training that went on from a checkpoint does again, and leaves out
// what is no number. Where there are too many points, each becomes the mean of two.
func add(points []Point, step int, loss float64) []Point {
	for len(points) > 0 && points[len(points)-1].Step >= step {
		points = points[:len(points)-1]
	}
	if !(math.Abs(loss) < mostLoss) {
		return points
	}
	points = append(points, Point{step, loss})
	if len(points) <= mostPoints {
		return points
	}
	half := points[:0]
	for i := 0; i+1 < len(points); i += 2 {
		a, b := points[i], points[i+1]
		half = append(half, Point{b.Step, (a.Loss + b.Loss) / 2})
	}
	return half
}

func (c Curve) check() error {
	for _, side := range [][]Point{c.Loss, c.Evals} {
		if len(side) > mostPoints {
			return fmt.Errorf("adapter: prelude.json: the curve has %d points, at most %d are taken", len(side), mostPoints)
		}
		for _, p := range side {
			if p.Step < 0 || !(math.Abs(p.Loss) < mostLoss) {
				return fmt.Errorf("adapter: prelude.json: the curve has the loss %v at step %d", p.Loss, p.Step)
			}
		}
	}
	return nil
}

func (c Curve) empty() bool { return len(c.Loss)+len(c.Evals) == 0 }

// CSV is a table of the curve: step, training loss, validation loss.
func (c Curve) CSV() []byte {
	rows := map[int][2]string{}
	for side, points := range [][]Point{c.Loss, c.Evals} {
		for _, p := range points {
			row := rows[p.Step]
			row[side] = fmt.Sprintf("%.6g", p.Loss)
			rows[p.Step] = row
		}
	}
	var b bytes.Buffer
	b.WriteString("step,training_loss,validation_loss\n")
	steps := make([]int, 0, len(rows))
	for step := range rows {
		steps = append(steps, step)
	}
	slices.Sort(steps)
	for _, step := range steps {
		fmt.Fprintf(&b, "%d,%s,%s\n", step, rows[step][0], rows[step][1])
	}
	return b.Bytes()
}

// SVG draws the curve, on a page of any colour.
func (c Curve) SVG(base float64) []byte {
	const width, height, left, bottom = 640, 320, 56, 36
	last, low, high := 1, math.Inf(1), math.Inf(-1)
	for _, p := range slices.Concat(c.Loss, c.Evals) {
		last, low, high = max(last, p.Step), min(low, p.Loss), max(high, p.Loss)
	}
	if base > 0 {
		low, high = min(low, base), max(high, base)
	}
	if !(high > low) {
		low, high = low-0.5, low+0.5
	}
	x := func(step int) float64 { return left + float64(step)/float64(last)*(width-left-16) }
	y := func(loss float64) float64 { return 16 + (high-loss)/(high-low)*(height-16-bottom) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" fill="none" stroke="none">`+"\n", width, height)
	b.WriteString("<title>Loss in nats a completion token, by step</title>\n")
	for i := range 5 {
		loss := low + (high-low)*float64(i)/4
		fmt.Fprintf(&b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#8a8f99" stroke-opacity="0.3"/>`+"\n", left, y(loss), width-16, y(loss))
		fmt.Fprintf(&b, `<text x="%d" y="%.1f" text-anchor="end" fill="#767b86">%.2f</text>`+"\n", left-8, y(loss)+4, loss)
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#767b86">0</text><text x="%d" y="%d" text-anchor="end" fill="#767b86">step %d</text>`+"\n", left, height-12, width-16, height-12, last)
	line := func(points []Point, colour, extra string) {
		if len(points) == 0 {
			return
		}
		b.WriteString(`<polyline points="`)
		for i, p := range points {
			if i > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%.1f,%.1f", x(p.Step), y(p.Loss))
		}
		fmt.Fprintf(&b, `" stroke="%s"%s/>`+"\n", colour, extra)
	}
	if base > 0 {
		line([]Point{{0, base}, {last, base}}, "#8a8f99", ` stroke-dasharray="4 4"`)
	}
	line(c.Loss, "#9aa5e8", ` stroke-width="1"`)
	line(c.Evals, "#3d4fd6", ` stroke-width="2"`)
	fmt.Fprintf(&b, `<text x="%d" y="14" fill="#9aa5e8">training</text><text x="%d" y="14" fill="#3d4fd6">validation</text>`, left+8, left+72)
	if base > 0 {
		fmt.Fprintf(&b, `<text x="%d" y="14" fill="#767b86">base model</text>`, left+148)
	}
	b.WriteString("\n</svg>\n")
	return []byte(b.String())
}

// What a drawing in an archive may consist of: shapes and texts. Everything else of SVG can
// run or fetch something.
var (
	drawn = []string{"svg", "title", "line", "text", "polyline"}
	marks = []string{"xmlns", "viewBox", "font-family", "font-size", "fill", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray",
		"text-anchor", "x", "y", "x1", "y1", "x2", "y2", "points"}
)

// checkDrawing refuses an SVG that is more than a drawing.
func checkDrawing(text []byte) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("adapter: %s: %w", drawingFile, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if !slices.Contains(drawn, t.Name.Local) {
				return fmt.Errorf("adapter: %s holds <%.40s>; it may hold lines and texts", drawingFile, t.Name.Local)
			}
			for _, a := range t.Attr {
				if a.Name.Space != "" || !slices.Contains(marks, a.Name.Local) || strings.Contains(a.Value, "url") {
					return fmt.Errorf("adapter: %s holds the attribute %.40q; it may hold lines and texts", drawingFile, a.Name.Local)
				}
			}
		case xml.ProcInst, xml.Directive:
			return fmt.Errorf("adapter: %s holds an instruction; it may hold lines and texts", drawingFile)
		}
	}
}

// kinds are the hub's tags for a method.
var kinds = map[string]string{PrefixTuning: "prefix-tuning", Cartridge: "cartridge", PromptTuning: "prompt-tuning", PTuning: "p-tuning",
	CPT: "cpt", AdaptionPrompt: "llama-adapter", LoRA: "lora"}

// frontMatter is the YAML that the hub reads of a model card. A JSON string is a YAML string.
func (a *Adapter) frontMatter() string {
	quote := func(s string) string {
		text, _ := json.Marshal(s) // a string always encodes
		return string(text)
	}
	p := a.Prelude
	var b strings.Builder
	b.WriteString("---\n")
	if a.Config.BaseModel != "" {
		fmt.Fprintf(&b, "base_model: %s\n", quote(a.Config.BaseModel))
	}
	if a.Config.PeftType != Own {
		b.WriteString("library_name: peft\n")
	}
	task := "text-generation"
	if a.Config.TaskType == SeqToSeq {
		task = "text2text-generation"
	}
	fmt.Fprintf(&b, "pipeline_tag: %s\ntags:\n  - prelude\n", task)
	if kind := kinds[a.Config.PeftType]; kind != "" {
		fmt.Fprintf(&b, "  - %s\n", kind)
	}
	if p.Run.ValLoss > 0 {
		fmt.Fprintf(&b, "model-index:\n  - name: %s\n    results:\n      - task:\n          type: %s\n        dataset:\n          name: held-out examples\n          type: private\n"+
			"        metrics:\n          - type: loss\n            name: Validation loss (nats a token)\n            value: %.6g\n", quote(cmp.Or(p.Name, "prefix")), task, p.Run.ValLoss)
		if p.Run.Base > 0 {
			fmt.Fprintf(&b, "          - type: loss\n            name: Validation loss of the base model (nats a token)\n            value: %.6g\n", p.Run.Base)
		}
	}
	b.WriteString("---\n\n")
	return b.String()
}

// account is what README.md says of the training.
func (a *Adapter) account() string {
	p := a.Prelude
	var b strings.Builder
	if r := p.Run; r.Steps > 0 {
		fmt.Fprintf(&b, "\n## Training\n\n| | |\n| --- | --- |\n")
		row := func(name, value string) { fmt.Fprintf(&b, "| %s | %s |\n", name, value) }
		row("steps made, step kept", fmt.Sprintf("%d, %d", r.Steps, r.Step))
		if r.ValLoss > 0 {
			row("validation loss, nats a token", fmt.Sprintf("%.4f", r.ValLoss))
		}
		if r.Base > 0 {
			row("validation loss of the base model", fmt.Sprintf("%.4f", r.Base))
		}
		if r.Seconds > 0 {
			row("seconds", fmt.Sprintf("%.0f", r.Seconds))
		}
		if r.Arithmetic != "" {
			row("products with frozen weights in", r.Arithmetic)
		}
		row("seed", fmt.Sprint(r.Seed))
	}
	if d := p.Data; d.Train > 0 {
		fmt.Fprintf(&b, "\nTrained on %d examples, %d more were held out.", d.Train, d.Val)
		if d.Hash != "" {
			fmt.Fprintf(&b, " The SHA-256 of their file is `%s`.", d.Hash)
		}
		b.WriteString(" The examples are not part of this folder.\n")
	}
	if !p.Curve.empty() {
		fmt.Fprintf(&b, "\n![Losses by step](%s)\n\nThe same as a table: `%s`.\n", drawingFile, curveFile)
	}
	if p.Settings != nil {
		fmt.Fprintf(&b, "\nThe same training again: `tune train -settings %s -model MODEL -data FILE -out FOLDER`.\n", settingsFile)
	}
	return b.String()
}
