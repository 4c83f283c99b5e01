// Links the rows that look up the same id: next[t] is the row after t with t's id, or
// the row count; bit 31 marks rows that are not the first with their id. The order does
// not depend on timing, so the sum over a chain is the same in every run.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let t = flat(wg, nwg) * 64u + lid;
  let end = rows();
  if (t >= end) { return; }
  let id = ids(t);
  var after = end;
  for (var u = t + 1u; u < end; u += 1u) {
    if (ids(u) == id) { after = u; break; }
  }
  for (var u = 0u; u < t; u += 1u) {
    if (ids(u) == id) { after |= 0x80000000u; break; }
  }
  set_next(t, after);
}
