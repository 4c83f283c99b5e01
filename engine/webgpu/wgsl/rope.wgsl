@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let i = flat(wg, nwg) * 256u + lid;
  if (i >= n()) { return; }
  let d = i % P.dim; // place in the head
  let at = u32(pos(i / P.width)) * P.pairs;
  let v = x(i);
  if (d >= 2u * P.pairs) {
    set_y(i, v);
  } else if (d < P.pairs) {
    set_y(i, v * cos_(at + d) - x(i + P.pairs) * sin_(at + d) * P.sign);
  } else {
    let e = d - P.pairs;
    set_y(i, v * cos_(at + e) + x(i - P.pairs) * sin_(at + e) * P.sign);
  }
}
