// dgain[chunk][j] = Σ dy⊙x̂ and dbias[chunk][j] = Σ dy over the chunk's groups; sumrows
// adds up the chunks.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let j = wg.x * 64u + lid;
  if (j >= P.n) { return; }
  let end = min(groups(), (wg.y + 1u) * P.chunk);
  var g = 0.0;
  var b = 0.0;
  for (var t = wg.y * P.chunk; t < end; t += 1u) {
    let d = dy(t * P.n + j);
    g += d * ((x(t * P.n + j) - stats(2u * t)) * stats(2u * t + 1u));
    b += d;
  }
  set_dgain(wg.y * P.n + j, g);
  set_dbias(wg.y * P.n + j, b);
}
