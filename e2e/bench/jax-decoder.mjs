// The race's small decoder in jax-js: a Llama of 4 blocks (hidden 256, 4 heads,
// feed-forward 688, vocabulary 4,096, RMSNorm, rotary positions, SwiGLU, tied head) with
// a trained key/value prefix of 16 slots on frozen random weights; 4 × 128 tokens, loss
// on every row, gradients clipped to norm 1, AdamW: what e2e/bench/step and
// e2e/bench/webgpu time. The whole step is one jitted function.
//
//	const step = await decoder(jax, "webgpu"); // or "wasm"; traced and warmed up
//	const loss = await step();
export const small = { layers: 4, hidden: 256, heads: 4, ff: 688, vocab: 4096, slots: 16, batch: 4, seq: 128 };

export async function decoder(jax, device, size = small, steps = 2) {
  const { numpy: np, nn, jit, valueAndGrad, tree, init, defaultDevice } = jax;
  await init(device);
  defaultDevice(device);
  const { layers, hidden, heads, ff, vocab, slots, batch, seq } = size;
  const dim = hidden / heads, rows = batch * seq;

  let seed = 1;
  const random = (scale, ...shape) => {
    const n = shape.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({ length: n }, () => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return (seed / 2 ** 32 - 0.5) * scale;
    });
    return np.array(data).reshape(shape);
  };
  // Matrices are stored [in, out]: no product has to transpose its weight.
  const frozen = {
    embed: random(0.1, vocab, hidden),
    blocks: Array.from({ length: layers }, () => ({
      q: random(0.1, hidden, hidden), k: random(0.1, hidden, hidden), v: random(0.1, hidden, hidden), o: random(0.1, hidden, hidden),
      gate: random(0.1, hidden, ff), up: random(0.1, hidden, ff), down: random(0.1, ff, hidden),
    })),
  };
  const angle = (f) => np.array(Float32Array.from({ length: seq * dim }, (_, i) => f((slots + Math.floor(i / dim)) / 10000 ** ((2 * (i % (dim / 2))) / dim))))
    .reshape([1, seq, 1, dim]);
  frozen.cos = angle(Math.cos);
  frozen.sin = angle(Math.sin);
  // Row t sees every slot and keys 0 … t.
  frozen.mask = np.array(Float32Array.from({ length: seq * (slots + seq) }, (_, i) => {
    const t = Math.floor(i / (slots + seq)), j = i % (slots + seq);
    return j < slots + t + 1 ? 0 : -1e30;
  })).reshape([1, 1, seq, slots + seq]);
  const ids = Int32Array.from({ length: rows }, (_, i) => (i * 7919 + 13) % vocab);
  frozen.ids = np.array(ids, { dtype: np.int32 });
  frozen.targets = np.array(ids.map((id) => (id * 31 + 7) % vocab), { dtype: np.int32 });

  const norm = (x) => x.ref.div(np.sqrt(np.square(x).mean(-1, { keepdims: true }).add(1e-5)));
  const turn = (x, cos, sin) => {
    const half = np.concatenate([x.ref.slice([], [], [], [dim / 2, dim]).neg(), x.ref.slice([], [], [], [0, dim / 2])], -1);
    return x.mul(cos).add(half.mul(sin));
  };
  const split = (x) => x.reshape([batch, seq, heads, dim]);
  const before = (slot, x) => np.concatenate([np.broadcastTo(slot.reshape([1, slots, heads, dim]), [batch, slots, heads, dim]), x], 1);

  // Arrays are counted: what is used again is passed as x.ref.
  const lossOf = (prefix, { embed, blocks, cos, sin, mask, ids, targets }) => {
    let x = np.take(embed.ref, ids, 0);
    blocks.forEach((w, l) => {
      const n = norm(x.ref);
      const q = turn(split(np.matmul(n.ref, w.q)), cos.ref, sin.ref);
      const k = turn(split(np.matmul(n.ref, w.k)), cos.ref, sin.ref);
      const v = split(np.matmul(n, w.v));
      const o = nn.dotProductAttention(q, before(prefix.ref.slice(l, 0), k), before(prefix.ref.slice(l, 1), v), { bias: mask.ref });
      x = x.add(np.matmul(o.reshape([rows, hidden]), w.o));
      const f = norm(x.ref);
      x = x.add(np.matmul(nn.silu(np.matmul(f.ref, w.gate)).mul(np.matmul(f, w.up)), w.down));
    });
    for (const used of [prefix, cos, sin, mask]) used.dispose();
    const logits = np.matmul(norm(x), embed.transpose());
    const own = np.where(np.arange(vocab, undefined, undefined, { dtype: np.int32 }).reshape([1, vocab]).equal(targets.reshape([rows, 1])), logits.ref, 0).sum(-1);
    return nn.logsumexp(logits, -1).sub(own).mean();
  };

  const update = jit((prefix, m, v, rate, f) => {
    const [loss, raw] = valueAndGrad(lossOf)(prefix.ref, f);
    const g = raw.ref.div(np.maximum(1, np.sqrt(np.square(raw).sum())));
    const m1 = m.mul(0.9).add(g.ref.mul(0.1));
    const v1 = v.mul(0.999).add(np.square(g).mul(0.001));
    const move = m1.ref.div(np.sqrt(v1.ref).add(1e-8)).add(prefix.ref.mul(0.01));
    return [prefix.sub(move.mul(rate)), m1, v1, loss];
  });

  const shape = [layers, 2, slots, hidden];
  let state = [random(1, ...shape), np.zeros(shape), np.zeros(shape)];
  const step = async () => {
    const [prefix, m, v, loss] = update(...state, np.array(1e-2), tree.ref(frozen));
    state = [prefix, m, v];
    return (await loss.data())[0];
  };
  for (let i = 0; i < steps; i++) await step();
  return step;
}
