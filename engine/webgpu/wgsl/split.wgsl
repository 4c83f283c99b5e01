@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let i = flat(wg, nwg) * 256u + lid; // in [rows, groups·cols]
  if (i >= P.n) { return; }
  let wide = P.n / P.rows;
  let cols = wide / P.groups;
  let r = i / wide;
  let split = (i % wide / cols * P.rows + r) * cols + i % cols;
  if (MERGE) { set_y(i, x(split)); } else { set_y(split, x(i)); }
}
