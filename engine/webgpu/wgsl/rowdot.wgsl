// One workgroup for each row.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let r = flat(wg, nwg);
  if (r >= rows()) { return; }
  var s = 0.0;
  for (var j = lid; j < P.n; j += LANES) {
    let i = r * P.n + j;
    if (ONE) { s += a(i); } else { s += a(i) * b(i); }
  }
  let all = total(lid, s);
  if (lid == 0u) { set_y(r, all); }
}
