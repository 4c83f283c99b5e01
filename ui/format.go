package ui

import (
	"fmt"
	"math"
	"strings"
	"time"

	"prelude/ui/wire"
	"prelude/ui/words"
)

// thin is the narrow no-break space that stands between digits and units.
const thin = "\u202f"

// count writes n with the language's marks: 12,345.
func count[T int | int64](n T) string {
	return strings.Replace(words.Number(float64(n), 0), "-", "−", 1)
}

// size writes a number of bytes in the unit that keeps it short: 5.9 MB.
func size(bytes int64) string {
	v, unit := float64(bytes), "B"
	for _, u := range []string{"kB", "MB", "GB", "TB"} {
		if v < 1000 {
			break
		}
		v, unit = v/1000, u
	}
	if unit == "B" || v >= 100 {
		return words.Number(v, 0) + thin + unit
	}
	return words.Number(v, 1) + thin + unit
}

// params writes a number of parameters as people say it: 135M, 1.3M, 18k.
func params(n int64) string {
	v, unit := float64(n), ""
	for _, u := range []string{"k", "M", "B"} {
		if v < 1000 {
			break
		}
		v, unit = v/1000, u
	}
	if unit == "" || v >= 100 {
		return fmt.Sprintf("%.0f%s", v, unit)
	}
	return strings.Replace(fmt.Sprintf("%.1f%s", v, unit), ".0", "", 1)
}

// lossText writes a loss in nats with three decimals, and "—" where there is none.
func lossText(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "—"
	}
	return words.Number(v, 3)
}

// short writes v with at most n significant digits and no exponent where that is readable.
func short(v float64, n int) string { return wire.Brief(v, n) }

// rate writes a speed: 1,240 tokens/s.
func rate(v float64) string {
	if v < 10 {
		return short(v, 2)
	}
	return count(int(math.Round(v)))
}

// span writes a duration as a person would say it: 42 s, 4 min 05 s, 1 h 12 min.
func span(d time.Duration) string {
	s := int(math.Round(d.Seconds()))
	switch {
	case s < 1 && d >= 100*time.Millisecond:
		return say("all.s", fmt.Sprintf("%.1f", d.Seconds()))
	case s < 60:
		return say("all.s", s)
	case s < 3600:
		return say("format.min-s", s/60, fmt.Sprintf("%02d", s%60))
	}
	return say("format.h-min", s/3600, fmt.Sprintf("%02d", s%3600/60))
}

func seconds(s float64) time.Duration {
	if math.IsNaN(s) || s < 0 || s > 1e9 {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}

// against says how a loss stands to the base model's: "49 % below the base model".
func against(loss, base float64) string {
	if base <= 0 || math.IsNaN(loss) {
		return ""
	}
	p := int(math.Round(100 * (base - loss) / base))
	switch {
	case p > 0:
		return say("format.below-the-base-model", p)
	case p < 0:
		return say("format.above-the-base-model", -p)
	}
	return say("format.level-with-the-base")
}
