// Workgroup g adds up the elements of its slab [g·P.slab, (g+1)·P.slab), in an order
// that never changes; a second dispatch adds up the slabs.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let g = flat(wg, nwg);
  if (g >= P.slabs) { return; }
  let end = min(n(), (g + 1u) * P.slab);
  var s = 0.0;
  for (var i = g * P.slab + lid; i < end; i += LANES) { s += x(i); }
  let all = total(lid, s);
  if (lid == 0u) { set_y(g, all); }
}
