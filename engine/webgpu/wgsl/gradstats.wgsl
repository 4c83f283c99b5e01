// FINAL false: workgroup g of this gradient writes Σ g² of its slab, and whether an element
// of it is not finite. It tests the bits, because compilers of WGSL may assume that there is
// no NaN. FINAL true: one workgroup adds up all slabs.
fn wild(v: u32) -> bool { return (v & 0x7f800000u) == 0x7f800000u; }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let g = flat(wg, nwg);
  var s = 0.0;
  var bad = 0.0;
  if (FINAL) {
    for (var i = lid; i < P.n; i += LANES) { s += part(2u * i); bad = max(bad, part(2u * i + 1u)); }
  } else {
    let end = min(P.n, (g + 1u) * P.slab);
    for (var i = g * P.slab + lid; i < end; i += LANES) {
      let v = x(i);
      if (wild(v)) { bad = 1.0; } else if (NORM) { let f = bitcast<f32>(v); s += f * f; }
    }
  }
  let sum = total(lid, s);
  let wrong = largest(lid, bad);
  if (lid != 0u || g >= P.slabs) { return; }
  if (!FINAL) {
    set_part(2u * (P.at + g), sum);
    set_part(2u * (P.at + g) + 1u, wrong);
    return;
  }
  let norm = sqrt(sum);
  if (wrong > 0.0 || wild(bitcast<u32>(norm))) {
    set_y(0u, 0.0); set_y(1u, 0.0); set_y(2u, 1.0);
    return;
  }
  set_y(0u, norm);
  set_y(1u, select(1.0, P.clip / max(norm, 1e-37), P.clip > 0.0 && norm > P.clip));
  set_y(2u, 0.0);
}
