package train

import (
	"context"
	"math"
	"testing"

	"prelude/engine/cpu"
	"prelude/models/tiny"
	"prelude/prefix"
	"prelude/prefix/data"
)

// The rate that a run takes by itself is the method's, by "plateau" at its peak; Muon's has no peak
// above it and grows less in narrow models, and where there is nothing for Muon the rate is AdamW's.
func TestTheRateByItself(t *testing.T) {
	f := tiny.Llama(t, cpu.New[float32]())
	hidden := float64(f.Arch.Info().Hidden)
	narrow := math.Pow(hidden/576, muonNarrow)
	for _, x := range []struct {
		source, schedule, optimizer string
		want                        float64
	}{
		{"kv", plateau, adamW, plateauPeak}, {"kv", plateau, muon, narrow}, {"kv", "linear", adamW, 1}, {"kv", "linear", muon, narrow},
		{"embedding", plateau, muon, plateauPeak}, {"embedding", plateau, "", plateauPeak},
	} {
		m, err := prefix.New(prefix.Choice{"source": x.source}, f.Arch.Info())
		if err != nil {
			t.Fatal(err)
		}
		d := Data{Train: []data.Tokens{{IDs: []int32{2, 14, 1, 14, 2, 0}, Start: 3}}}
		r, err := New(context.Background(), f, m, d, prefix.StartFrom{}, Options{Steps: 2, Schedule: x.schedule, Optimizer: x.optimizer})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.LR() / m.RateFor(int(hidden)); math.Abs(got-x.want) > 1e-9 {
			t.Errorf("%s by %s and %s: %g of the method's rate, want %g", x.source, x.schedule, x.optimizer, got, x.want)
		}
		r.Close()
	}
}
