@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let i = wg.x * 64u + lid;
  if (i < P.n) { set_row(u32(step(0u)) % P.rows * P.width + P.at + i, x(i)); }
}
