package generate

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Options of a generation. The zero value is greedy without limits but MaxTokens.
type Options struct {
	MaxTokens     int
	Temperature   float64 // 0: greedy
	TopK          int     // 0: off
	TopP          float64 // 0 or 1: off
	MinP          float64 // 0: off
	RepeatPenalty float64 // 0 or 1: off (Keskar et al. 2019, arXiv 1909.05858, §4.1)
	Seed          uint64
	Stop          []int32 // tokens that end the answer
	Soft          []int32 // by prompt token: the template's soft slot that it stands for, or −1; nil: none
}

// sampler picks tokens from logits. The order of the steps is that of transformers:
// repetition penalty, temperature, top-k, top-p, min-p.
type sampler struct {
	o    Options
	rng  *rand.Rand
	seen map[int32]bool
	cand []candidate
}

type candidate struct {
	id int32
	z  float64 // logit, then probability
}

func newSampler(o Options, prompt []int32) *sampler {
	s := &sampler{o: o, rng: rand.New(rand.NewPCG(o.Seed, 4)), seen: map[int32]bool{}}
	for _, id := range prompt {
		s.seen[id] = true
	}
	return s
}

// greedy says whether the token is the one with the largest logit, whichever were picked before.
func (o Options) greedy() bool {
	return o.Temperature <= 0 && (o.RepeatPenalty <= 0 || o.RepeatPenalty == 1)
}

func (s *sampler) pick(z []float32) int32 {
	if p := s.o.RepeatPenalty; p > 0 && p != 1 {
		for id := range s.seen {
			if z[id] > 0 {
				z[id] /= float32(p)
			} else {
				z[id] *= float32(p)
			}
		}
	}
	id := s.choose(z)
	s.seen[id] = true
	return id
}

func (s *sampler) choose(z []float32) int32 {
	best, most := 0, z[0]
	for i, v := range z {
		if v > most {
			best, most = i, v
		}
	}
	if s.o.Temperature <= 0 {
		return int32(best)
	}
	s.cand = s.cand[:0]
	var sum float64
	for i, v := range z {
		p := math.Exp(float64(v-most) / s.o.Temperature)
		if p > 1e-12 {
			s.cand = append(s.cand, candidate{int32(i), p})
			sum += p
		}
	}
	slices.SortFunc(s.cand, func(a, b candidate) int { return cmp.Or(cmp.Compare(b.z, a.z), cmp.Compare(a.id, b.id)) })
	c := s.cand
	if k := s.o.TopK; k > 0 && k < len(c) {
		c = c[:k]
		sum = total(c)
	}
	if p := s.o.TopP; p > 0 && p < 1 {
		var mass float64
		for i := range c {
			if mass += c[i].z; mass >= p*sum {
				c = c[:i+1]
				break
			}
		}
	}
	if m := s.o.MinP; m > 0 {
		for i := range c {
			if c[i].z < m*c[0].z {
				c = c[:i]
				break
			}
		}
	}
	u := s.rng.Float64() * total(c)
	for _, x := range c {
		if u -= x.z; u < 0 {
			return x.id
		}
	}
	return c[len(c)-1].id
}

func total(c []candidate) (sum float64) {
	for _, x := range c {
		sum += x.z
	}
	return sum
}
