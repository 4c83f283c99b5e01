// y[m][n] = Σ_k a[m][k]·w[n][k] + bias[n] + add[m][n] of operands in 8 bits (round8.wgsl):
//
//	Σ over blocks of 32:  scale_a[m]·scale_w[n] · Σ_k qa[m][k]·qw[n][k]
//
// The inner sum is exact in integers; blocks are added in f32. Workgroups and threads share
// the results as in gemm.wgsl. A block of both operands passes through workgroup memory
// at a time.
const BM: u32 = WY * TM;
const BN: u32 = WX * TN;
const THREADS: u32 = WX * WY;

var<workgroup> as_: array<u32, 8u * BM>;
var<workgroup> bs: array<u32, 8u * BN>;
var<workgroup> scale_a: array<f32, BM>;
var<workgroup> scale_b: array<f32, BN>;

@compute @workgroup_size(WX, WY)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lid: vec3<u32>) {
  let rows = m();
  let m0 = wg.y * BM;
  let n0 = wg.x * BN;
  if (m0 >= rows) { return; }
  let tx = lid.x;
  let ty = lid.y;
  let id = ty * WX + tx;
//@for i TM
//@for j TN
  var c$i_$j = 0.0;
//@end
//@end
  for (var block = 0u; block < P.blocks; block += 1u) {
    workgroupBarrier();
    for (var e = id; e < 8u * BM; e += THREADS) {
      let row = min(m0 + (e >> 3u), rows - 1u);
      as_[(e & 7u) * BM + (e >> 3u)] = a((row * P.blocks + block) * 8u + (e & 7u));
    }
    for (var e = id; e < 8u * BN; e += THREADS) {
      let row = min(n0 + (e >> 3u), P.n - 1u);
      bs[(e & 7u) * BN + (e >> 3u)] = w((row * P.blocks + block) * 8u + (e & 7u));
    }
    for (var e = id; e < BM; e += THREADS) { scale_a[e] = sa(min(m0 + e, rows - 1u) * P.blocks + block); }
    for (var e = id; e < BN; e += THREADS) { scale_b[e] = sw(min(n0 + e, P.n - 1u) * P.blocks + block); }
    workgroupBarrier();
//@for i TM
//@for j TN
    var h$i_$j = 0;
//@end
//@end
    for (var q = 0u; q < 8u; q += 1u) {
//@for i TM
      let a$i = as_[q * BM + ty + $iu * WY];
//@end
//@for j TN
      let b$j = bs[q * BN + tx + $ju * WX];
//@for i TM
      h$i_$j += dot4I8Packed(a$i, b$j);
//@end
//@end
    }
//@for j TN
    let sb$j = scale_b[tx + $ju * WX];
//@end
//@for i TM
    let sa$i = scale_a[ty + $iu * WY];
//@for j TN
    c$i_$j += f32(h$i_$j) * (sa$i * sb$j);
//@end
//@end
  }
//@for i TM
  if (m0 + ty + $iu * WY < rows) {
    let row = (m0 + ty + $iu * WY) * P.ldc;
//@for j TN
    {
      let n = n0 + tx + $ju * WX;
      if (n < P.n) { set_y(row + n, c$i_$j + bias(n) + add(row + n)); }
    }
//@end
  }
//@end
}
