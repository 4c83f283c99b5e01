@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let i = flat(wg, nwg) * 256u + lid;
  if (i >= n()) { return; }
  var j = i;
  if (SPREAD == 1u) { j = i % P.cols; }
  if (SPREAD == 2u) { j = i / P.cols; }
  if (SPREAD == 3u) { j = 0u; }
  if (PRODUCT) { set_y(i, a(i) * b(j)); } else { set_y(i, a(i) + b(j)); }
}
