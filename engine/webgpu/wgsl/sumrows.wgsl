// y[chunk][j] = Σ x[t][j] over the rows of the chunk, plus add[j]; one thread for each column.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let j = wg.x * 64u + lid;
  if (j >= P.n) { return; }
  let end = min(rows(), (wg.y + 1u) * P.chunk);
  var s = add(j);
  for (var t = wg.y * P.chunk; t < end; t += 1u) { s += x(t * P.n + j); }
  set_y(wg.y * P.n + j, s);
}
