// Where the largest number of each row stands, the first of several. One workgroup for each row.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let r = flat(wg, nwg);
  if (r >= rows()) { return; }
  let nowhere = f32(P.n);
  var top = -3.4028234e38;
  var at = nowhere;
  for (var j = lid; j < P.n; j += LANES) {
    let v = x(r * P.n + j);
    if (v > top || (v == top && at == nowhere)) {
      top = v;
      at = f32(j);
    }
  }
  let most = largest(lid, top);
  let first = -largest(lid, select(-nowhere, -at, top == most));
  if (lid == 0u) { set_y(r, select(first, 0.0, first == nowhere)); }
}
