package ui

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestFormats(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{count(0), "0"}, {count(999), "999"}, {count(1000), "1,000"}, {count(int64(1234567)), "1,234,567"}, {count(-1234), "−1,234"},
		{plural(1, "line"), "1 line"}, {plural(0, "line"), "0 lines"},
		{size(0), "0 B"}, {size(999), "999 B"}, {size(5_900_000), "5.9 MB"}, {size(98_362_432), "98.4 MB"}, {size(412_000_000), "412 MB"},
		{params(1_148_000), "1.1M"}, {params(134_515_008), "135M"}, {params(18_000), "18k"}, {params(7), "7"},
		{lossText(1.5), "1.500"}, {lossText(math.NaN()), "—"}, {lossText(math.Inf(1)), "—"},
		{short(0.004, 2), "0.004"}, {short(47.6, 3), "47.6"}, {short(0, 3), "0"}, {short(1e-8, 2), "1e-08"}, {short(512, 6), "512"}, {short(1234.5, 2), "1234"},
		{rate(1240.4), "1,240"}, {rate(3.14), "3.1"},
		{span(42 * time.Second), "42 s"}, {span(245 * time.Second), "4 min 05 s"}, {span(72 * time.Minute), "1 h 12 min"},
		{span(420 * time.Millisecond), "0.4 s"}, {span(40 * time.Millisecond), "0 s"}, {span(seconds(math.NaN())), "0 s"},
		{against(1.5, 3), "50 % below the base model"}, {against(3.3, 3), "10 % above the base model"}, {against(3, 3), "level with the base model"}, {against(1, 0), ""},
	} {
		if got := strings.ReplaceAll(c.got, thin, " "); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
