// drel[chunk][h][i] = Σ ds over the keys at distance i from the chunk's rows; one thread for
// each element. Distances depend on arguments, so each thread reads all keys.
//@if CAP
// Safe for any size of x: the exponential never overflows.
fn tanh_(x: f32) -> f32 {
  let a = abs(x);
  if (a < 0.04) { let q = x * x; return x * (1.0 - q * (0.33333333 - q * 0.13333333)); }
  let e = exp(-2.0 * min(a, 40.0));
  return select(-1.0, 1.0, x >= 0.0) * (1.0 - e) / (1.0 + e);
}
//@end
fn small_exp(x: f32) -> f32 { return select(0.0, exp(x), x > -87.0); }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let e = wg.x * 64u + lid;
  if (e >= HEADS * P.rels) { return; }
  let h = e / P.rels;
  let mine = i32(e % P.rels);
  let kvh = h / GROUP;
  var sum = 0.0;
  let last = min(rows(), (wg.y + 1u) * P.chunk);
  for (var t = wg.y * P.chunk; t < last; t += 1u) {
    let i = t * HEADS + h;
    let lse = saved(2u * i);
    if (lse <= -0.5e30) { continue; }
    var start = 0u;
    var to = P.slots;
    if (RANGED) { start = u32(lo(t)); to = u32(max(hi(t), 0)); }
    let origin = i32(P.rels / 2u) - qpos(t);
    for (var j = start; j < to; j += 1u) {
      if (clamp(kpos(j) + origin, 0, i32(P.rels) - 1) != mine) { continue; }
      var x = 0.0;
      var d = -saved(2u * i + 1u);
      let at = (j * KVHEADS + kvh) * D;
      for (var c = 0u; c < D; c += 1u) {
        x += q(i * D + c) * k(at + c);
        d += dy(i * D + c) * v(at + c);
      }
      x *= P.scale;
//@if CAP
      x = P.cap * tanh_(x / P.cap);
//@end
      x += rel(e);
      if (BIAS) { x += pbias(t * P.bias_t + h * P.bias_h + j * P.bias_l); }
      sum += small_exp(x - lse) * d;
    }
  }
  set_y((P.at + wg.y) * HEADS * P.rels + e, sum);
}
