// The first row of each chain (see embed_chain.wgsl) adds up the whole chain.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let i = flat(wg, nwg) * 64u + lid;
  let t = i / P.n;
  let end = rows();
  if (t >= end || next(t) >= 0x80000000u) { return; }
  let c = i % P.n;
  let to = u32(ids(t)) * P.n + c;
  var s = dw(to);
  for (var u = t; u < end; u = next(u) & 0x7fffffffu) { s += P.factor * dy(u * P.n + c); }
  set_dw(to, s);
}
