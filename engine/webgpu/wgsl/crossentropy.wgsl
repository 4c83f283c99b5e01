// One workgroup for each row of logits. It computes the row's loss and, if a gradient is
// needed, replaces the logits with their gradient. One thread sets the targets' entries last.
// With CAP logits are soft-capped, and the gradient is multiplied by the cap's slope.
var<workgroup> own: array<f32, TARGETS>;
var<workgroup> slopes: array<f32, TARGETS>;

//@if CAP
// Safe for any size of x: the exponential never overflows.
fn tanh_(x: f32) -> f32 {
  let a = abs(x);
  if (a < 0.04) { let q = x * x; return x * (1.0 - q * (0.33333333 - q * 0.13333333)); }
  let e = exp(-2.0 * min(a, 40.0));
  return select(-1.0, 1.0, x >= 0.0) * (1.0 - e) / (1.0 + e);
}
fn logit(at: u32, j: u32) -> f32 { return P.cap * tanh_((z(at + j) + bias(j)) / P.cap); }
fn slope(y: f32) -> f32 { return 1.0 - (y / P.cap) * (y / P.cap); }
//@else
fn logit(at: u32, j: u32) -> f32 { return z(at + j) + bias(j); }
fn slope(y: f32) -> f32 { return 1.0; }
//@end
fn logit_or_none(at: u32, j: u32) -> f32 {
  if (j >= P.vocab) { return -1e30; }
  return logit(at, j);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let r = flat(wg, nwg);
  if (r >= rows()) { return; }
  let at = r * P.vocab;
  let row = P.row0 + r;
  // Maximum and sum in one pass: the sum is rescaled when the maximum grows.
  var m = -1e30;
  var s = 0.0;
  for (var j = lid; j < P.vocab; j += 4u * LANES) {
//@for i 4
    let x$i = logit_or_none(at, j + $iu * LANES);
//@end
    let most = max(max(m, x0), max(max(x1, x2), x3));
    s = s * exp(m - most) + exp(x0 - most) + exp(x1 - most) + exp(x2 - most) + exp(x3 - most);
    m = most;
  }
  let mine = m;
  m = largest(lid, mine);
  let sum = total(lid, s * exp(mine - m));
  let lse = log(sum);
  var all = 0.0;
  var top = 0.0;
  var l = 0.0;
  for (var i = 0u; i < TARGETS; i += 1u) {
    let t = u32(targets(row * TARGETS + i));
    let w = weights(row * P.columns + i);
    let v = logit(at, t) - m;
    all += w;
    top += exp(v) / sum;
    if (w != 0.0) { l += w * (lse - v); }
  }
  var off = all;
  if (REST) {
    let w = weights(row * P.columns + TARGETS);
    all += w;
    let p = max(1.0 - top, 1e-12);
    off = all - w / p;
    if (w != 0.0) { l -= w * log(p); }
  }
  if (lid == 0u) { set_loss(row, l); }
  if (!BACKWARD) { return; }
  for (var i = lid; i < TARGETS; i += LANES) {
    let t = u32(targets(row * TARGETS + i));
    let v = logit(at, t);
    slopes[i] = slope(v);
    own[i] = all * (exp(v - m) / sum) * slopes[i];
  }
  workgroupBarrier();
  let scale = off / sum;
  for (var j = lid; j < P.vocab; j += LANES) {
    let v = logit(at, j);
    set_z(at + j, scale * exp(v - m) * slope(v));
  }
  storageBarrier();
  workgroupBarrier();
  if (lid != 0u) { return; }
  for (var i = 0u; i < TARGETS; i += 1u) { set_z(at + u32(targets(row * TARGETS + i)), own[i]); }
  for (var i = 0u; i < TARGETS; i += 1u) {
    let to = at + u32(targets(row * TARGETS + i));
    set_z(to, z(to) - weights(row * P.columns + i) * slopes[i]);
  }
}
