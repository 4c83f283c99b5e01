// Moves rows between one table and rows [P.low, P.high) of another.
// MOVE 0: y_i = x[idx_i].  1: y[idx_i] = x_i.  2: y[idx_i] += x_i, the indices distinct.
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let i = flat(wg, nwg) * 256u + lid;
  let r = i / P.n;
  if (r >= rows()) { return; }
  let row = u32(idx(r));
  if (row < P.low || row >= P.high) { return; }
  let far = (row - P.low) * P.n + i % P.n;
  switch (MOVE) {
    case 0u: { set_y(i, x(far)); }
    case 1u: { set_y(far, x(i)); }
    default: { set_y(far, y(far) + x(i)); }
  }
}
