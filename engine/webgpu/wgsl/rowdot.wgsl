// One workgroup a row.
var<workgroup> part: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let r = flat(wg, nwg);
  if (r >= rows()) { return; }
  var s = 0.0;
  for (var j = lid; j < P.n; j += 64u) {
    let i = r * P.n + j;
    if (ONE) { s += a(i); } else { s += a(i) * b(i); }
  }
  part[lid] = s;
  workgroupBarrier();
  for (var w = 32u; w > 0u; w >>= 1u) {
    if (lid < w) { part[lid] += part[lid + w]; }
    workgroupBarrier();
  }
  if (lid == 0u) { set_y(r, part[0]); }
}
