// One thread for four columns of a row; this part of the table has rows [P.low, P.high).
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let i = flat(wg, nwg) * 64u + lid;
  let t = i / P.quads;
  if (t >= rows()) { return; }
  let c = i % P.quads * 4u;
  let id = u32(ids(t));
  if (id < P.low || id >= P.high) { return; }
  let start = (id - P.low) * P.n + c;
  let to = t * P.n + c;
  if (ALIGNED) {
    let v = P.factor * w4(start);
    set_y(to, v.x);
    set_y(to + 1u, v.y);
    set_y(to + 2u, v.z);
    set_y(to + 3u, v.w);
  } else {
    for (var j = 0u; j < min(4u, P.n - c); j += 1u) { set_y(to + j, P.factor * w(start + j)); }
  }
}
