package models

import (
	"fmt"
	"math"
	"strings"

	"prelude/engine"
	"prelude/models/weights"
)

func init() {
	register(newT5, "t5", "mt5")
	checkpoints["t5"], checkpoints["mt5"] = t5Views, t5Views
}

// t5 is the family of T5 (Raffel et al. 2020, arXiv 1910.10683), Flan-T5 among it: an
// encoder and a decoder that attends to the encoder's output, RMSNorm, no biases,
// unscaled scores with a bias by distance that all blocks of a stack share. Version 1.0
// has ReLU and a tied head whose input is scaled by 1/√hidden, version 1.1 gated GELU
// and a head of its own; mT5 (Xue et al. 2021, arXiv 2010.11934) is version 1.1.
type t5 struct {
	decoder
	eps   float64
	act   engine.UnaryFn
	gated bool
}

func newT5(config *Config, specs Specs) (Family, error) {
	c := &fields{Config: config}
	feedForward := map[string]string{"t5": "relu", "mt5": "gated-gelu"}
	i := engine.ModelInfo{Family: c.ModelType, Positions: engine.Relative,
		EncLayers: c.upTo(maxLayers, "num_layers", 0), Hidden: c.size("d_model", 0), Heads: c.size("num_heads", 0), HeadDim: c.upTo(maxHeadDim, "d_kv", 64),
		FF: c.size("d_ff", 0), Vocab: c.size("vocab_size", 0), Context: c.size("n_positions", 512)}
	i.Layers, i.KVHeads = c.upTo(maxLayers, "num_decoder_layers", i.EncLayers), i.Heads
	m := &t5{eps: c.number("layer_norm_epsilon", 1e-6)}
	kind := c.text("feed_forward_proj", feedForward[c.ModelType])
	kind, m.gated = strings.CutPrefix(kind, "gated-")
	if m.gated && kind == "gelu" {
		kind = "gelu_new" // as transformers reads it
	}
	m.act = c.activation("dense_act_fn", kind)
	if m.gated != c.flag("is_gated_act", m.gated) {
		c.fail(fmt.Errorf("models: %s: \"feed_forward_proj\" and \"is_gated_act\" contradict each other", c.file()))
	}
	buckets, distance := c.upTo(256, "relative_attention_num_buckets", 32), c.size("relative_attention_max_distance", 128)
	if buckets < 4 || buckets%2 != 0 || distance <= buckets/2 || distance > maxPositions {
		c.fail(fmt.Errorf("models: %s: %d relative buckets for distances up to %d, want an even number of at least 4 and distances from half of it to %d", c.file(), buckets, distance, maxPositions))
	}
	i.Start = c.start(i.Vocab)
	c.refuse(false, "is_decoder")
	c.refuse(true, "is_encoder_decoder")
	scaled := c.ModelType == "t5" && c.flag("scale_decoder_outputs", c.flag("tie_word_embeddings", true))
	if c.err != nil {
		return nil, c.err
	}
	m.decoder = newDecoder(i, specs)
	if scaled {
		m.scale = 1 / math.Sqrt(float64(i.Hidden))
	}
	if m.head = "lm_head.weight"; specs[m.head].Shape == nil {
		m.head = "shared.weight" // newer files say "tied" of both versions
	}
	m.tensor(m.head, i.Vocab, i.Hidden)
	m.tensor("shared.weight", i.Vocab, i.Hidden)
	for _, s := range []engine.Site{engine.EncSelf, engine.DecSelf} {
		stack, layers := m.stack(s)
		bias := t5Bias(stack)
		m.tensor(bias, i.Heads, buckets)
		m.table(bias+" by distance", oneHot(buckets, distance, s == engine.EncSelf), buckets)
		m.tensor(stack+".final_layer_norm.weight", i.Hidden)
		for l := range layers {
			parts := []string{"SelfAttention", "EncDecAttention", "DenseReluDense"}
			if s == engine.EncSelf {
				parts = []string{"SelfAttention", "DenseReluDense"}
			}
			for k, part := range parts {
				at := fmt.Sprintf("%s.block.%d.layer.%d.", stack, l, k)
				m.tensor(at+"layer_norm.weight", i.Hidden)
				at += part
				site := s
				if part == "EncDecAttention" {
					site = engine.Cross
				}
				linear := func(name string, role engine.Role, out, in int) {
					m.linear(at+name, engine.LinearMap{Role: role, Site: site, Layer: l, Out: out}, in, false)
				}
				if part != "DenseReluDense" {
					linear(".q", engine.Query, i.Heads*i.HeadDim, i.Hidden)
					linear(".k", engine.Key, i.Heads*i.HeadDim, i.Hidden)
					linear(".v", engine.Value, i.Heads*i.HeadDim, i.Hidden)
					linear(".o", engine.AttentionOutput, i.Hidden, i.Heads*i.HeadDim)
					continue
				}
				if m.gated {
					linear(".wi_0", engine.Gate, i.FF, i.Hidden)
					linear(".wi_1", engine.Up, i.FF, i.Hidden)
				} else {
					linear(".wi", engine.Up, i.FF, i.Hidden)
				}
				linear(".wo", engine.Down, i.Hidden, i.FF)
			}
		}
	}
	return m, nil
}

// start is the decoder's first token, its padding where the file names none.
func (f *fields) start(vocab int) int32 {
	id := f.number("decoder_start_token_id", f.number("pad_token_id", 0))
	if id != math.Trunc(id) || id < 0 || id >= float64(vocab) {
		f.fail(fmt.Errorf("models: %s is %v, want a token from 0 to %d", f.at("decoder_start_token_id"), id, vocab-1))
		return 0
	}
	return int32(id)
}

func (m *t5) stack(s engine.Site) (name string, layers int) {
	if s == engine.EncSelf {
		return "encoder", m.info.EncLayers
	}
	return "decoder", m.info.Layers
}

// t5Bias is the tensor of a stack's biases, which its first block owns.
func t5Bias(stack string) string {
	return stack + ".block.0.layer.0.SelfAttention.relative_attention_bias.weight"
}

// t5Views turns the biases from [buckets, heads] to [heads, buckets], and finds the
// embeddings under any of the names that files have.
func t5Views(_ *Config, views map[string]weights.View) (map[string]weights.View, error) {
	for _, stack := range []string{"encoder", "decoder"} {
		if v, ok := views[t5Bias(stack)]; ok {
			views[t5Bias(stack)] = v.Transpose()
		}
		if _, ok := views["shared.weight"]; !ok {
			if v, ok := views[stack+".embed_tokens.weight"]; ok {
				views["shared.weight"] = v
			}
		}
	}
	return views, nil
}

// oneHot says for each distance key − query, from −furthest to furthest, which bucket
// holds its bias: [2·furthest+1, buckets]. Beyond that distance the last bucket goes on.
func oneHot(buckets, furthest int, both bool) []float32 {
	x := make([]float32, (2*furthest+1)*buckets)
	for d := -furthest; d <= furthest; d++ {
		x[(d+furthest)*buckets+bucket(d, buckets, furthest, both)] = 1
	}
	return x
}

// bucket is the bucket of a distance (Raffel et al. 2020, section 2.1): half of them
// for one distance each, the others growing logarithmically. In the encoder, keys after
// the query have the upper half of the buckets; in the decoder they have bucket 0. The
// logarithm is taken in float32, as transformers takes it.
func bucket(d, buckets, furthest int, both bool) int {
	base := 0
	if both {
		if buckets /= 2; d > 0 {
			base = buckets
		}
		d = max(d, -d)
	} else {
		d = max(-d, 0)
	}
	exact := buckets / 2
	if d < exact {
		return base + d
	}
	log := float32(math.Log(float64(float32(d) / float32(exact))))
	far := log / float32(math.Log(float64(furthest)/float64(exact))) * float32(buckets-exact)
	return base + min(exact+int(far), buckets-1)
}

// rel is the bias of a stack by head and distance, [heads, distances].
func (m *t5) rel(f *pass, stack string) engine.Buffer {
	name := t5Bias(stack)
	byDistance := f.Linear(f.weight(name+" by distance"), f.weight(name), engine.None, engine.None)
	return f.View(f.SplitCols(byDistance, m.info.Heads), 0, m.info.Heads, f.Dim(byDistance, 0))
}

// Encode is the encoder; it also gives the keys and values of its output for each
// block of the decoder.
func (m *t5) Encode(p *engine.Program, in engine.Input, h engine.Hooks) engine.Output {
	f := m.pass(p, in, h)
	f.site = engine.EncSelf
	out := m.run(f)
	if f.end() == m.info.EncLayers {
		for l := range m.info.Layers {
			k, v := m.cross(f, l, out.Hidden)
			out.CrossK, out.CrossV = append(out.CrossK, k), append(out.CrossV, v)
		}
	}
	return out
}

// Forward is the decoder.
func (m *t5) Forward(p *engine.Program, in engine.Input, h engine.Hooks) engine.Output {
	if in.Encoder == nil {
		p.Failf("t5: the decoder needs the encoder's output; set Input.Encoder")
		return engine.Output{}
	}
	return m.run(m.pass(p, in, h))
}

// cross is the keys and values of the encoder's output for block l of the decoder.
func (m *t5) cross(f *pass, l int, hidden engine.Buffer) (k, v engine.Buffer) {
	at := layer("decoder.block.%d.layer.1.EncDecAttention.", l)
	return f.linear(at+"k", hidden, engine.None), f.linear(at+"v", hidden, engine.None)
}

// run is one stack: for each block
//
//	n = norm(x)    x ← x + Wo·attention(Wq n, Wk n, Wv n), biased by distance
//	n = norm(x)    x ← x + Wo·attention(Wq n, Wk e, Wv e), e the encoder's output (decoder)
//	n = norm(x)    x ← x + Wo·act(Wi n), or Wo·(act(Wi₀ n) ⊙ Wi₁ n)
func (m *t5) run(f *pass) engine.Output {
	stack, layers := m.stack(f.site)
	in := f.in
	var out engine.Output
	x := f.embed("shared.weight", 1)
	self := engine.Attention{Scale: 1, Rel: m.rel(f, stack), KPos: in.KPos}
	if self.KPos == engine.None {
		self.KPos = in.Pos
	}
	for l := in.First; l < f.end(); l++ {
		block := fmt.Sprintf("%s.block.%d.layer.", stack, l)
		norm := func(k int, x engine.Buffer) engine.Buffer {
			return f.RMSNorm(x, f.weight(fmt.Sprintf("%s%d.layer_norm.weight", block, k)), m.eps, 0)
		}
		f.BeginBlock()
		x = f.block(l, x)
		out.Blocks = append(out.Blocks, x)
		ask, at, last := f.rows(l), block+"0.SelfAttention.", 1
		n := norm(0, x)
		nq := f.choose(l, n)
		q := f.linear(at+"q", nq, engine.None)
		k := f.linear(at+"k", n, engine.None)
		v := f.linear(at+"v", n, engine.None)
		out.K, out.V = append(out.K, k), append(out.V, v)
		self.QPos = ask.pos
		x = f.linear(at+"o", f.attend(l, ask, nq, q, k, v, self), f.choose(l, x))
		if f.site == engine.DecSelf {
			at, last = block+"1.EncDecAttention.", 2
			n = norm(1, x)
			x = f.linear(at+"o", m.attendEncoder(f, l, ask, n, f.linear(at+"q", n, engine.None)), x)
		}
		x = f.linear(fmt.Sprintf("%s%d.DenseReluDense.wo", block, last), m.dense(f, fmt.Sprintf("%s%d.DenseReluDense.", block, last), norm(last, x)), x)
		f.EndBlock()
	}
	out.Hidden = x
	if f.end() == layers {
		out.Hidden = f.RMSNorm(x, f.weight(stack+".final_layer_norm.weight"), m.eps, 0)
	}
	return out
}

// attendEncoder is the decoder's attention to the encoder's output.
func (m *t5) attendEncoder(f *pass, l int, ask asking, x, q engine.Buffer) engine.Buffer {
	i, e := m.info, f.in.Encoder
	o := engine.Attention{Q: q, Lo: ask.crossLo, Hi: ask.crossHi, Heads: i.Heads, KVHeads: i.KVHeads, HeadDim: i.HeadDim, Scale: 1}
	if e.K != nil {
		o.K, o.V = e.K[l], e.V[l]
	} else {
		o.K, o.V = m.cross(f, l, e.Hidden)
	}
	return f.attention(engine.At{Site: engine.Cross, Layer: l, X: x, Q: q, Lo: o.Lo, Hi: o.Hi}, asking{}, o)
}

// dense is the inside of the feed-forward part.
func (m *t5) dense(f *pass, at string, n engine.Buffer) engine.Buffer {
	if m.gated {
		return f.Gated(m.act, f.linear(at+"wi_0", n, engine.None), f.linear(at+"wi_1", n, engine.None))
	}
	return f.Unary(m.act, f.linear(at+"wi", n, engine.None), 0)
}
