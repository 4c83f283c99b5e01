package adapter

import (
	"encoding/json"
	"strings"
	"testing"
)

// trainedTiny is [tiny] with all that a training says of itself.
func trainedTiny(t testing.TB) *Adapter {
	a := tiny(t)
	a.Prelude.Data = Data{Hash: strings.Repeat("ab", 32), Train: 40, Val: 10}
	for step := range 60 {
		a.Prelude.Curve.Add(step+1, 3-float64(step)/30)
	}
	a.Prelude.Curve.AddEval(0, 3.5)
	a.Prelude.Curve.AddEval(60, 1.5)
	a.Prelude.Settings = json.RawMessage(`{"train":{"batch":4}}`)
	return a
}

func TestModelCard(t *testing.T) {
	a := trainedTiny(t)
	data := write(t, a)
	back, err := read(data)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(back.Prelude.Curve.Loss), 60; got != want || back.Prelude.Data != a.Prelude.Data {
		t.Errorf("%d points came back, want %d; %+v", got, want, back.Prelude.Data)
	}
	text := string(a.readme())
	head, _, ok := strings.Cut(strings.TrimPrefix(text, "---\n"), "---\n")
	if !ok || !strings.HasPrefix(text, "---\n") {
		t.Fatalf("no front matter:\n%s", text)
	}
	for _, want := range []string{`base_model: "tiny"`, "library_name: peft", "  - prefix-tuning", "value: 1.5\n", "value: 3.02\n", `- name: "Café \"notes\" `} {
		if !strings.Contains(head, want) {
			t.Errorf("the front matter lacks %s:\n%s", want, head)
		}
	}
	for _, want := range []string{"Trained on 40 examples, 10 more were held out.", a.Prelude.Data.Hash, "![Losses by step](curve.svg)", "-settings settings.json"} {
		if !strings.Contains(text, want) {
			t.Errorf("README.md lacks %s:\n%s", want, text)
		}
	}
	// A name with a line break can't add a key: it is refused.
	a.Prelude.Name = "x\nlicense: mit"
	if err := a.Check(); err == nil {
		t.Error("a name of two lines was taken")
	}
}

func TestCurve(t *testing.T) {
	var c Curve
	for step := 1; step <= 5000; step++ {
		c.Add(step, float64(step))
	}
	if n := len(c.Loss); n > mostPoints || n < mostPoints/4 || c.check() != nil {
		t.Errorf("5,000 steps became %d points: %v", n, c.check())
	}
	for i, p := range c.Loss[1:] {
		if p.Step <= c.Loss[i].Step || p.Loss > float64(p.Step) || p.Loss < float64(c.Loss[i].Step) {
			t.Fatalf("point %d is %v after %v", i+1, p, c.Loss[i])
		}
	}
	c = Curve{}
	c.Add(1, 3)
	c.Add(2, 2)
	c.Add(3, 1)
	c.Add(2, 2.5) // again, from a checkpoint
	c.AddEval(2, 2.25)
	if got, want := string(c.CSV()), "step,training_loss,validation_loss\n1,3,\n2,2.5,2.25\n"; got != want {
		t.Errorf("the table is %q, want %q", got, want)
	}
}

func TestDrawings(t *testing.T) {
	a := trainedTiny(t)
	if err := checkDrawing(a.Prelude.Curve.SVG(3.02)); err != nil {
		t.Errorf("our own: %v", err)
	}
	for _, bad := range []string{
		`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`,
		`<svg onload="alert(1)"></svg>`,
		`<svg><image href="https://example.com/x"/></svg>`,
		`<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>`,
		`<svg><text style="background:url(//x)">x</text></svg>`,
		`<svg><line fill="url(https://example.com/x)"/></svg>`,
		`<svg><foreignObject/></svg>`,
		`<?xml-stylesheet href="https://example.com/x"?><svg/>`,
		`<!DOCTYPE svg [<!ENTITY x "y">]><svg/>`,
		`<svg><`,
		`<svg xml:base="https://example.com/"/>`,
	} {
		if checkDrawing([]byte(bad)) == nil {
			t.Errorf("taken: %s", bad)
		}
	}
}

func TestHostileCurves(t *testing.T) {
	for name, c := range map[string]Curve{
		"many":     {Loss: make([]Point, mostPoints+1)},
		"negative": {Evals: []Point{{-1, 2}}},
		"huge":     {Loss: []Point{{1, 1e300}}},
	} {
		a := tiny(t)
		a.Prelude.Curve = c
		if a.Check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
