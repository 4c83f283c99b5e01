// y[r][n] = Σ_k x[r][k]·w[n][k] + bias[n] + add[r][n] for few rows. Reading
// w takes the time, so w is read once for up to eight rows. Sixteen threads share an output.
const LANES: u32 = 16u;
const OUTS: u32 = 4u;
var<workgroup> part: array<f32, 64u * ROWS>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let n = flat(wg, nwg) * OUTS + lid / LANES;
  let lane = lid % LANES;
  let end = m();
//@for r ROWS
  var s$r = 0.0;
//@end
  if (n < P.n) {
    for (var q = lane * 4u; q < P.k; q += LANES * 4u) {
      let v = w4(n * P.k + q);
//@for r ROWS
      s$r += dot(v, a4($ru * P.k + q));
//@end
    }
  }
//@for r ROWS
  part[$ru * 64u + lid] = s$r;
//@end
  workgroupBarrier();
  for (var h = LANES / 2u; h > 0u; h >>= 1u) {
    if (lane < h) {
//@for r ROWS
      part[$ru * 64u + lid] += part[$ru * 64u + lid + h];
//@end
    }
    workgroupBarrier();
  }
  if (n < P.n && lane == 0u) {
//@for r ROWS
    if ($ru < end) { set_y($ru * P.ldc + n, part[$ru * 64u + lid] + bias(n) + add($ru * P.ldc + n)); }
//@end
  }
}
