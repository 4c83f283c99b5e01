// saved[t][h] = (lse, δ), δ = ⟨do, o⟩: what the backward pass needs of each query.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let i = flat(wg, nwg) * 64u + lid;
  if (i >= n()) { return; }
  var s = 0.0;
  for (var c = 0u; c < P.dim; c += 1u) { s += dy(i * P.dim + c) * o(i * P.dim + c); }
  set_saved(2u * i, lse(i));
  set_saved(2u * i + 1u, s);
}
