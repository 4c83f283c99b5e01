// One workgroup a row of logits: its loss, and, where a gradient is wanted, the
// gradient in the logits' place. The targets' own entries are set last, by one thread.
var<workgroup> part: array<f32, 256>;
var<workgroup> own: array<f32, TARGETS>;

fn total(lid: u32, v: f32) -> f32 {
  workgroupBarrier();
  part[lid] = v;
  workgroupBarrier();
  for (var w = 128u; w > 0u; w >>= 1u) {
    if (lid < w) { part[lid] += part[lid + w]; }
    workgroupBarrier();
  }
  return part[0];
}

fn largest(lid: u32, v: f32) -> f32 {
  workgroupBarrier();
  part[lid] = v;
  workgroupBarrier();
  for (var w = 128u; w > 0u; w >>= 1u) {
    if (lid < w) { part[lid] = max(part[lid], part[lid + w]); }
    workgroupBarrier();
  }
  return part[0];
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let r = flat(wg, nwg);
  if (r >= rows()) { return; }
  let at = r * P.vocab;
  let row = P.row0 + r;
  var m = -1e30;
  for (var j = lid; j < P.vocab; j += 256u) { m = max(m, z(at + j) + bias(j)); }
  m = largest(lid, m);
  var s = 0.0;
  for (var j = lid; j < P.vocab; j += 256u) { s += exp(z(at + j) + bias(j) - m); }
  let sum = total(lid, s);
  let lse = log(sum);
  var all = 0.0;
  var top = 0.0;
  var l = 0.0;
  for (var i = 0u; i < TARGETS; i += 1u) {
    let t = u32(targets(row * TARGETS + i));
    let w = weights(row * P.columns + i);
    let v = z(at + t) + bias(t) - m;
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
  for (var i = lid; i < TARGETS; i += 256u) {
    let t = u32(targets(row * TARGETS + i));
    own[i] = all * (exp(z(at + t) + bias(t) - m) / sum);
  }
  workgroupBarrier();
  for (var j = lid; j < P.vocab; j += 256u) { set_z(at + j, off * (exp(z(at + j) + bias(j) - m) / sum)); }
  storageBarrier();
  workgroupBarrier();
  if (lid != 0u) { return; }
  for (var i = 0u; i < TARGETS; i += 1u) { set_z(at + u32(targets(row * TARGETS + i)), own[i]); }
  for (var i = 0u; i < TARGETS; i += 1u) {
    let to = at + u32(targets(row * TARGETS + i));
    set_z(to, z(to) - weights(row * P.columns + i));
  }
}
