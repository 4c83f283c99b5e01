@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let i = flat(wg, nwg) * 256u + lid;
  if (i >= P.n || stats(2u) != 0.0) { return; }
  let gi = g(i) * stats(1u);
  let mi = P.beta1 * m(i) + (1.0 - P.beta1) * gi;
  let vi = P.beta2 * v(i) + (1.0 - P.beta2) * gi * gi;
  set_m(i, mi);
  set_v(i, vi);
  let lr = hyper(0u) * P.rate;
  set_p(i, p(i) - lr * (mi * hyper(1u) / (sqrt(vi * hyper(2u)) + P.eps) + P.decay * p(i)));
}
