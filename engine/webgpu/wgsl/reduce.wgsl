// Sums and maxima over the LANES threads of a workgroup, in a fixed order; all threads get
// the result. With SUBGROUPS the threads of a subgroup reduce without memory. WebGPU does
// not define which threads form a subgroup, but all drivers take consecutive ones, and the
// kernels of onnxruntime and TensorFlow.js rely on it too.
var<workgroup> reduced: array<f32, LANES>;

//@if SUBGROUPS
fn total(lid: u32, v: f32) -> f32 {
  let width = subgroupAdd(1u);
  let s = subgroupAdd(v);
  workgroupBarrier();
  if (subgroupElect()) { reduced[lid / width] = s; }
  workgroupBarrier();
  var all = reduced[0];
  for (var i = 1u; i < LANES / width; i += 1u) { all += reduced[i]; }
  return all;
}

fn largest(lid: u32, v: f32) -> f32 {
  let width = subgroupAdd(1u);
  let s = subgroupMax(v);
  workgroupBarrier();
  if (subgroupElect()) { reduced[lid / width] = s; }
  workgroupBarrier();
  var all = reduced[0];
  for (var i = 1u; i < LANES / width; i += 1u) { all = max(all, reduced[i]); }
  return all;
}
//@else
fn total(lid: u32, v: f32) -> f32 {
  workgroupBarrier();
  reduced[lid] = v;
  workgroupBarrier();
  for (var w = LANES / 2u; w > 0u; w >>= 1u) {
    if (lid < w) { reduced[lid] += reduced[lid + w]; }
    workgroupBarrier();
  }
  return reduced[0];
}

fn largest(lid: u32, v: f32) -> f32 {
  workgroupBarrier();
  reduced[lid] = v;
  workgroupBarrier();
  for (var w = LANES / 2u; w > 0u; w >>= 1u) {
    if (lid < w) { reduced[lid] = max(reduced[lid], reduced[lid + w]); }
    workgroupBarrier();
  }
  return reduced[0];
}
//@end
