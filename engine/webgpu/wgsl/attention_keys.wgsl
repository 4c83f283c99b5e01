// dk and dv of the content or of the prefix: a thread owns one key of one key/value
// head; queries pass through workgroup memory QT at a time. Workgroup z takes the
// rows of chunk z: the prefix has few keys and many rows, whose chunks sumrows adds up.
const HIDDEN: f32 = -1e30;
var<workgroup> qs: array<vec4<f32>, QT * D4>;
var<workgroup> gs: array<vec4<f32>, QT * D4>;
var<workgroup> range: array<vec2<u32>, QT>;
var<workgroup> stats: array<vec2<f32>, QT>;
var<workgroup> seen: u32;

fn edge(c: u32, x: f32) -> f32 { return select(0.0, x, c < D); }
fn four_k(at: u32, c: u32) -> vec4<f32> {
//@if VEC
  return k4(at + c);
//@else
  return vec4<f32>(k(at + c), edge(1u + c, k(at + c + 1u)), edge(2u + c, k(at + c + 2u)), edge(3u + c, k(at + c + 3u)));
//@end
}
fn four_v(at: u32, c: u32) -> vec4<f32> {
//@if VEC
  return v4(at + c);
//@else
  return vec4<f32>(v(at + c), edge(1u + c, v(at + c + 1u)), edge(2u + c, v(at + c + 2u)), edge(3u + c, v(at + c + 3u)));
//@end
}
fn four_q(at: u32, c: u32) -> vec4<f32> {
//@if VEC
  return q4(at + c);
//@else
  return vec4<f32>(q(at + c), edge(1u + c, q(at + c + 1u)), edge(2u + c, q(at + c + 2u)), edge(3u + c, q(at + c + 3u)));
//@end
}
fn four_g(at: u32, c: u32) -> vec4<f32> {
//@if VEC
  return dy4(at + c);
//@else
  return vec4<f32>(dy(at + c), edge(1u + c, dy(at + c + 1u)), edge(2u + c, dy(at + c + 2u)), edge(3u + c, dy(at + c + 3u)));
//@end
}
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
  let j0 = wg.x * WG;
  let end = keys();
  if (j0 >= end) { return; }
  let j = j0 + lid;
  let kvh = wg.y;
  let at = (j * KVHEADS + kvh) * D;
//@for c D4
  var k_$c = vec4<f32>();
  var v_$c = vec4<f32>();
  var dk_$c = vec4<f32>();
  var dv_$c = vec4<f32>();
//@end
  var kp = 0;
  if (j < end) {
//@for c D4
    k_$c = four_k(at, 4u * $cu) * P.scale;
    v_$c = four_v(at, 4u * $cu);
//@end
//@if REL
    kp = kpos(j);
//@end
  }
  let first = wg.z * P.chunk * GROUP;
  let last = min(rows(), (wg.z + 1u) * P.chunk) * GROUP;
  for (var base = first; base < last; base += QT) {
    if (lid < QT) {
      var r = vec2<u32>(0u, 0u);
      var s = vec2<f32>(HIDDEN, 0.0);
      let e = base + lid;
      if (e < last) {
        let t = e / GROUP;
        let i = t * HEADS + kvh * GROUP + e % GROUP;
        r = vec2<u32>(0u, end);
//@if RANGED
        r = vec2<u32>(u32(lo(t)), u32(max(hi(t), 0)));
//@end
        s = vec2<f32>(saved(2u * i), saved(2u * i + 1u));
        if (s.x <= 0.5 * HIDDEN) { r.y = 0u; }
      }
      range[lid] = r;
      stats[lid] = s;
    }
    workgroupBarrier();
    if (lid == 0u) {
      seen = 0u;
      for (var i = 0u; i < QT; i += 1u) {
        if (range[i].x < j0 + WG && range[i].y > j0) { seen = 1u; }
      }
    }
    if (workgroupUniformLoad(&seen) == 0u) { continue; }
    for (var e = lid; e < QT * D4; e += WG) {
      let qi = base + e / D4;
      var x = vec4<f32>();
      var g = vec4<f32>();
      if (qi < last) {
        let start = ((qi / GROUP) * HEADS + kvh * GROUP + qi % GROUP) * D;
        x = four_q(start, e % D4 * 4u);
        g = four_g(start, e % D4 * 4u);
      }
      qs[e] = x;
      gs[e] = g;
    }
    workgroupBarrier();
    if (j < end) {
      for (var i = 0u; i < QT; i += 1u) {
        if (j < range[i].x || j >= range[i].y) { continue; }
        let t = (base + i) / GROUP;
        let h = kvh * GROUP + (base + i) % GROUP;
        let start = i * D4;
        var x = 0.0;
        var d = -stats[i].y;
//@for c D4
        x += dot(k_$c, qs[start + $cu]);
        d += dot(v_$c, gs[start + $cu]);
//@end
//@if CAP
        let soft = tanh_(x / P.cap);
        x = P.cap * soft;
//@end
//@if BIAS
        x += pbias(t * P.bias_t + h * P.bias_h + j * P.bias_l);
//@end
//@if REL
        x += rel(rel_at(h, kp, qpos(t)));
//@end
        let p = small_exp(x - stats[i].x);
        var ds = p * d;
//@if CAP
        ds *= 1.0 - soft * soft;
//@end
//@for c D4
        dk_$c += ds * qs[start + $cu];
        dv_$c += p * gs[start + $cu];
//@end
      }
    }
    workgroupBarrier();
  }
  if (j >= end) { return; }
  let to = wg.z * P.size + at;
//@for c D4
  put_k(to, 4u * $cu, P.scale * dk_$c);
  put_v(to, 4u * $cu, dv_$c);
//@end
}

fn put_k(at: u32, c: u32, v: vec4<f32>) {
  set_dk(at + c, v.x);
//@if WHOLE
  set_dk(at + c + 1u, v.y);
  set_dk(at + c + 2u, v.z);
  set_dk(at + c + 3u, v.w);
//@else
  if (c + 1u < D) { set_dk(at + c + 1u, v.y); }
  if (c + 2u < D) { set_dk(at + c + 2u, v.z); }
  if (c + 3u < D) { set_dk(at + c + 3u, v.w); }
//@end
}
fn put_v(at: u32, c: u32, v: vec4<f32>) {
  set_dv(at + c, v.x);
//@if WHOLE
  set_dv(at + c + 1u, v.y);
  set_dv(at + c + 2u, v.z);
  set_dv(at + c + 3u, v.w);
//@else
  if (c + 1u < D) { set_dv(at + c + 1u, v.y); }
  if (c + 2u < D) { set_dv(at + c + 2u, v.z); }
  if (c + 3u < D) { set_dv(at + c + 3u, v.w); }
//@end
}
