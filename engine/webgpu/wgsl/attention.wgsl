// Flash-style attention (Dao et al. 2022, arXiv 2205.14135): scores never exist as a
// whole. A thread owns one query of one head and keeps its running maximum, sum and
// output; a workgroup's queries share one key/value head, whose keys and values pass
// through workgroup memory KT at a time. Thread i of the workgroup is query i of
// (row, head in the group), so that neighbours see almost the same keys.
//
// BACKWARD computes dq from the saved log-sum: ds = p⊙(⟨do, v⟩ − δ), dq = scale·Σ ds·k (ds times the slope of a soft cap),
// with (lse, δ) from attention_delta.wgsl.
const HIDDEN: f32 = -1e30;
var<workgroup> ks: array<vec4<f32>, KT * D4>;
var<workgroup> vs: array<vec4<f32>, KT * D4>;
var<workgroup> low: atomic<u32>;
var<workgroup> high: atomic<u32>;
var<workgroup> span: vec2<u32>;

fn four_q(at: u32, c: u32) -> vec4<f32> {
//@if VEC
  return q4(at + c);
//@else
  return vec4<f32>(q(at + c), edge(1u + c, q(at + c + 1u)), edge(2u + c, q(at + c + 2u)), edge(3u + c, q(at + c + 3u)));
//@end
}
fn four_k(prefix: bool, at: u32, c: u32) -> vec4<f32> {
  if (prefix) {
//@if VEC
    return pk4(at + c);
//@else
    return vec4<f32>(pk(at + c), edge(1u + c, pk(at + c + 1u)), edge(2u + c, pk(at + c + 2u)), edge(3u + c, pk(at + c + 3u)));
//@end
  }
//@if VEC
  return k4(at + c);
//@else
  return vec4<f32>(k(at + c), edge(1u + c, k(at + c + 1u)), edge(2u + c, k(at + c + 2u)), edge(3u + c, k(at + c + 3u)));
//@end
}
fn four_v(prefix: bool, at: u32, c: u32) -> vec4<f32> {
  if (prefix) {
//@if VEC
    return pv4(at + c);
//@else
    return vec4<f32>(pv(at + c), edge(1u + c, pv(at + c + 1u)), edge(2u + c, pv(at + c + 2u)), edge(3u + c, pv(at + c + 3u)));
//@end
  }
//@if VEC
  return v4(at + c);
//@else
  return vec4<f32>(v(at + c), edge(1u + c, v(at + c + 1u)), edge(2u + c, v(at + c + 2u)), edge(3u + c, v(at + c + 3u)));
//@end
}
fn four_g(at: u32, c: u32) -> vec4<f32> {
//@if VEC
  return dy4(at + c);
//@else
  return vec4<f32>(dy(at + c), edge(1u + c, dy(at + c + 1u)), edge(2u + c, dy(at + c + 2u)), edge(3u + c, dy(at + c + 3u)));
//@end
}
fn edge(c: u32, x: f32) -> f32 { return select(0.0, x, c < D); }

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

fn rel_at(h: u32, kp: i32, qp: i32) -> u32 {
  return h * P.rels + u32(clamp(kp - qp + i32(P.rels / 2u), 0, i32(P.rels) - 1));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let qi = wg.x * WG + lid;
  let t = qi / GROUP;
  let kvh = wg.y;
  let h = kvh * GROUP + qi % GROUP;
  let valid = t < rows();
  let qat = (t * HEADS + h) * D;
  var qp = 0;
//@for c D4
  var q_$c = vec4<f32>();
  var g_$c = vec4<f32>();
  var o_$c = vec4<f32>();
//@end
  var m = HIDDEN;
  var l = 0.0;
  var delta = 0.0;
  if (valid) {
//@for c D4
    q_$c = four_q(qat, 4u * $cu) * P.scale;
//@if BACKWARD
    g_$c = four_g(qat, 4u * $cu);
//@end
//@end
//@if REL
    qp = qpos(t);
//@end
//@if BACKWARD
    m = saved(2u * (t * HEADS + h));
    delta = saved(2u * (t * HEADS + h) + 1u);
//@end
  }
  for (var source = FIRST; source < LAST; source += 1u) {
    let prefix = source == 0u;
    var start = 0u;
    var to = 0u;
    if (valid) {
      if (prefix) {
        to = P.slots;
//@if RANGED
        start = u32(plo(t));
        to = u32(max(phi(t), 0));
//@end
      } else {
        start = u32(lo(t));
        to = u32(max(hi(t), 0));
      }
//@if BACKWARD
      if (m <= 0.5 * HIDDEN) { to = 0u; }
//@end
    }
    if (lid == 0u) { atomicStore(&low, 0xffffffffu); atomicStore(&high, 0u); }
    workgroupBarrier();
    if (start < to) { atomicMin(&low, start); atomicMax(&high, to); }
    workgroupBarrier();
    if (lid == 0u) { span = vec2<u32>(atomicLoad(&low), atomicLoad(&high)); }
    let s = workgroupUniformLoad(&span);
    for (var base = s.x; base < s.y; base += KT) {
      for (var e = lid; e < KT * D4; e += WG) {
        let j = base + e / D4;
        var key = vec4<f32>();
        var val = vec4<f32>();
        if (j < s.y) {
          let at = (j * KVHEADS + kvh) * D;
          key = four_k(prefix, at, e % D4 * 4u);
          val = four_v(prefix, at, e % D4 * 4u);
        }
        ks[e] = key;
        vs[e] = val;
      }
      workgroupBarrier();
      let first = max(base, start);
      let last = min(base + KT, to);
      for (var j = first; j < last; j += 1u) {
        let at = (j - base) * D4;
        var x = 0.0;
//@for c D4
        x += dot(q_$c, ks[at + $cu]);
//@end
//@if CAP
        let soft = tanh_(x / P.cap);
        x = P.cap * soft;
//@end
//@if BIAS
        if (prefix) { x += pbias(t * P.bias_t + h * P.bias_h + j * P.bias_l); }
//@end
//@if REL
        if (!prefix) { x += rel(rel_at(h, kpos(j), qp)); }
//@end
//@if PREFIX_REL
        if (prefix) { x += rel(rel_at(h, ppos(j), qp)); }
//@end
//@if BACKWARD
        var d = -delta;
//@for c D4
        d += dot(g_$c, vs[at + $cu]);
//@end
        var ds = small_exp(x - m) * d;
//@if DBIAS
        if (prefix) { set_ds((t * HEADS + h) * P.slots + j, ds); }
//@end
//@if CAP
        ds *= 1.0 - soft * soft;
//@end
//@for c D4
        o_$c += ds * ks[at + $cu];
//@end
//@else
        if (x > m) {
          let shrink = small_exp(m - x);
          l *= shrink;
//@for c D4
          o_$c *= shrink;
//@end
          m = x;
        }
        let p = small_exp(x - m);
        l += p;
//@for c D4
        o_$c += p * vs[at + $cu];
//@end
//@end
      }
      workgroupBarrier();
    }
  }
  if (!valid) { return; }
//@if BACKWARD
  let factor = P.scale;
//@else
  let seen = m > 0.5 * HIDDEN;
  let factor = select(0.0, 1.0 / max(l, 1e-30), seen);
  set_lse(t * HEADS + h, select(HIDDEN, m + log(max(l, 1e-30)), seen));
//@end
//@for c D4
  put(qat, 4u * $cu, factor * o_$c);
//@end
}

fn put(at: u32, c: u32, v: vec4<f32>) {
  set_o(at + c, v.x);
//@if WHOLE
  set_o(at + c + 1u, v.y);
  set_o(at + c + 2u, v.z);
  set_o(at + c + 3u, v.w);
//@else
  if (c + 1u < D) { set_o(at + c + 1u, v.y); }
  if (c + 2u < D) { set_o(at + c + 2u, v.z); }
  if (c + 3u < D) { set_o(at + c + 3u, v.w); }
//@end
}
