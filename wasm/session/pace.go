package session

import (
	"math"
	"time"

	"prelude/prefix/train"
)

// pace measures how fast a training goes.
type pace struct {
	total   int
	limit   time.Duration
	perStep time.Duration
	tokens  float64 // a second
	last    time.Duration
	loss    float64 // last finite
	known   bool    // perStep has been told
}

// settled is after how many steps the time of one is told.
const settled = 5

// step takes in finished steps; it says whether what is planned became known: the number
// of steps, or how long one takes.
func (p *pace) step(i train.StepInfo) (news bool) {
	took := i.Elapsed - p.last
	p.last = i.Elapsed
	p.perStep = i.Elapsed / time.Duration(max(1, i.First+len(i.Loss)-1))
	if took > 0 {
		p.tokens = float64(i.Tokens) / took.Seconds()
	}
	done := i.First + len(i.Loss) - 1
	news = i.Total > 0 && (i.Total != p.total || !p.known && done >= settled)
	p.total, p.known = i.Total, p.known || done >= settled
	return news
}

// left is the number of seconds to the end.
func (p *pace) left(i train.StepInfo) float64 {
	if p.limit > 0 {
		return max(0, (p.limit - i.Elapsed).Seconds())
	}
	return float64(i.Total-i.First-len(i.Loss)+1) * p.perStep.Seconds()
}

// finite repeats the last finite loss where a step was skipped: JSON has no word for NaN.
func (p *pace) finite(losses []float64) []float64 {
	for i, l := range losses {
		if math.IsNaN(l) || math.IsInf(l, 0) {
			losses[i] = p.loss
		} else {
			p.loss = l
		}
	}
	return losses
}
