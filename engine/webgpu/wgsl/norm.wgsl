// One workgroup for each group of P.n elements; see engine.Norm for x̂ and the sums.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let g = flat(wg, nwg);
  if (g >= groups()) { return; }
  let at = g * P.n;
  let size = f32(P.n);
  var mean = 0.0;
  if (CENTRE) {
    var s = 0.0;
    for (var j = lid; j < P.n; j += LANES) { s += x(at + j); }
    mean = total(lid, s) / size;
  }
  var sq = 0.0;
  for (var j = lid; j < P.n; j += LANES) { let d = x(at + j) - mean; sq += d * d; }
  let r = 1.0 / sqrt(total(lid, sq) / size + P.eps);
  if (!BACKWARD) {
    for (var j = lid; j < P.n; j += LANES) { set_y(at + j, (x(at + j) - mean) * r * (gain(j) + P.plus) + bias(j)); }
    return;
  }
  if (lid == 0u) { set_stats(2u * g, mean); set_stats(2u * g + 1u, r); }
  if (!DX) { return; }
  var su = 0.0;
  var sux = 0.0;
  for (var j = lid; j < P.n; j += LANES) {
    let u = dy(at + j) * (gain(j) + P.plus);
    su += u;
    sux += u * ((x(at + j) - mean) * r);
  }
  var mu = 0.0;
  if (CENTRE) { mu = total(lid, su) / size; }
  let mux = total(lid, sux) / size;
  for (var j = lid; j < P.n; j += LANES) {
    let u = dy(at + j) * (gain(j) + P.plus);
    set_dx(at + j, r * (u - mu - (x(at + j) - mean) * r * mux) + add(at + j));
  }
}
