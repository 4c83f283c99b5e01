package engine

import "testing"

func TestPrecisionIsOfFrozenTensors(t *testing.T) {
	p := NewProgram()
	s := Spec{Shape: []int{2, 2}}
	frozen, trained, scratch := p.Persist("w", s), p.Persist("v", s), p.Temp("t", AllRows, 2, 2)
	p.Train(trained)
	if p.MayRound(frozen) {
		t.Error("a new program rounds")
	}
	p.SetPrecision(Fast)
	if !p.MayRound(frozen) || p.MayRound(trained) || p.MayRound(scratch) {
		t.Errorf("fast rounds products with a frozen tensor: %t, a trained one: %t, a scratch buffer: %t; want the first alone",
			p.MayRound(frozen), p.MayRound(trained), p.MayRound(scratch))
	}
}

func TestPrecisionNames(t *testing.T) {
	for _, p := range []Precision{Exact, Fast} {
		if got, err := ParsePrecision(p.String()); got != p || err != nil {
			t.Errorf("%v reads as %v, %v", p, got, err)
		}
	}
	if _, err := ParsePrecision("sloppy"); err == nil {
		t.Error("no error for an unknown precision")
	}
}
