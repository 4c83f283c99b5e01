// Workgroup g adds up the elements of its slab [g·P.slab, (g+1)·P.slab), in an order
// that never changes; a second dispatch adds up the slabs.
var<workgroup> part: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let g = flat(wg, nwg);
  if (g >= P.slabs) { return; }
  let end = min(n(), (g + 1u) * P.slab);
  var s = 0.0;
  for (var i = g * P.slab + lid; i < end; i += 256u) { s += x(i); }
  part[lid] = s;
  workgroupBarrier();
  for (var w = 128u; w > 0u; w >>= 1u) {
    if (lid < w) { part[lid] += part[lid + w]; }
    workgroupBarrier();
  }
  if (lid == 0u) { set_y(g, part[0]); }
}
