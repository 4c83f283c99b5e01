// Command decode generates greedily with the model in a folder on the SIMD device, natively, in
// Node and in a page (GOOS=js), and prints "name value unit" lines.
//
//	decode [-threads n] [-tokens n] [-prompt text] [-precision fast|exact] FOLDER|URL
//	decode -products FOLDER|URL: at either precision by turns
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math"
	"slices"
	"strings"
	"time"

	"prelude/e2e/bench/must"
	"prelude/engine"
	"prelude/models"
	"prelude/models/weights"
	"prelude/models/weights/nethttp"
	"prelude/prefix/generate"
	"prelude/simd"
)

func main() {
	threads := flag.Int("threads", 1, "threads, 0 for all")
	tokens := flag.Int("tokens", 64, "tokens to generate")
	prompt := flag.String("prompt", "The history of the lighthouse began when", "what to continue")
	precision := flag.String("precision", "fast", "exact or fast")
	products := flag.Bool("products", false, "compare exact with fast")
	rounds := flag.Int("rounds", 2, "runs, after one of warm-up")
	script := flag.String("script", "", "address of the threads' script, in a page")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: decode [flags] FOLDER|URL")
	}
	ctx := context.Background()
	var from weights.Opener
	if at := flag.Arg(0); strings.Contains(at, "://") {
		from = weights.URLs(nethttp.Get, at)
	} else {
		from = weights.Dir(at)
	}
	f := must.Get(models.Open(ctx, "smollm2", from, ""))
	dev := must.Get(simd.New(ctx, simd.Options{Threads: *threads, Script: *script}))
	fmt.Println("#", dev)
	m := must.Get(f.Load(ctx, dev, weights.Options{}))
	b := &bench{ctx: ctx, ids: m.Tokenizer.Encode(*prompt, true), tokens: *tokens}
	var generators []*generate.Generator
	precisions := []engine.Precision{must.Get(engine.ParsePrecision(*precision))}
	if *products {
		precisions = []engine.Precision{engine.Exact, engine.Fast}
	}
	for _, p := range precisions {
		m.Frozen.Precision = p
		generators = append(generators, must.Get(generate.New(ctx, m.Frozen, nil, nil, 256)))
	}
	var least, mean [2]float64
	var ratios []float64
	for n := range *rounds + 1 { // the first warms up
		var now [2]float64
		for i, g := range generators {
			took, ids := b.run(g)
			if n == 0 {
				fmt.Printf("# %v: %q\n", precisions[i], m.Tokenizer.Decode(ids))
				least[i], mean[i] = math.Inf(1), math.Inf(1)
				continue
			}
			now[i] = slices.Min(took)
			least[i], mean[i] = min(least[i], now[i]), min(mean[i], average(took))
		}
		if n > 0 && *products {
			ratios = append(ratios, now[0]/now[1])
		}
	}
	last := len(generators) - 1
	fmt.Printf("token %.3f ms\n", least[last])
	fmt.Printf("mean %.3f ms\n", mean[last])
	fmt.Printf("bytes %d B\n", m.WeightBytes)
	if *products {
		slices.Sort(ratios)
		fmt.Printf("# few rows in %s; exact %.3f ms, fast %.3f ms a token\n", engine.ArithmeticOf(dev, engine.Fast), least[0], least[1])
		fmt.Printf("decode_fast_vs_exact %.3f ratio\n", ratios[len(ratios)/2])
	}
}

type bench struct {
	ctx    context.Context
	ids    []int32
	tokens int
}

// run generates once and gives the times in ms of all tokens but the first, which comes with
// the prompt.
func (b *bench) run(g *generate.Generator) (took []float64, ids []int32) {
	last := time.Now()
	must.Get(g.Run(b.ctx, b.ids, generate.Options{MaxTokens: b.tokens}, func(id int32) bool {
		ids = append(ids, id)
		if len(ids) > 1 {
			took = append(took, time.Since(last).Seconds()*1000)
		}
		last = time.Now()
		return true
	}))
	return took, ids
}

func average(v []float64) (mean float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	return mean
}
