// The product of gemm.wgsl without workgroup memory, for adapters on which workgroup memory
// is not faster than storage. Adapters that compute on a CPU run a workgroup's threads one
// after another from barrier to barrier. A thread computes TM×TN results, those of TM
// consecutive rows and of the columns tx, tx+WX, …, and adds four terms of the sum at a
// time. Neighbouring threads read the same elements of a, and adjacent elements of b where
// b lies across the sum. Threads beyond the edge read the last row or column and write
// nothing.
const BM: u32 = WY * 4u * TM4;
const BN: u32 = WX * TN;

@compute @workgroup_size(WX, WY)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lid: vec3<u32>) {
  let rows = m();
  let m0 = wg.y * BM + lid.y * 4u * TM4;
  let n0 = wg.x * BN + lid.x;
  if (m0 >= rows) { return; }
//@for i TM4
//@if A_ROWS
  let pa$i = wg.z * P.za + min(m0 + 4u * $iu, rows - 4u);
//@else
//@for r 4
  let pa$i_$r = wg.z * P.za + min(m0 + 4u * $iu + $ru, rows - 1u) * P.lda;
//@end
//@end
//@end
//@for j TN
//@if B_ROWS
  let pb$j = wg.z * P.zb + min(n0 + $ju * WX, P.n - 1u);
//@else
  let pb$j = wg.z * P.zb + min(n0 + $ju * WX, P.n - 1u) * P.ldb;
//@end
//@for i TM4
//@for r 4
  var c$i_$r_$j = 0.0;
//@end
//@end
//@end
  for (var q = 0u; q < P.depth; q += 4u) {
//@for i TM4
//@if A_ROWS
//@for s 4
    let t$i_$s = a4(pa$i + (q + $su) * P.lda);
//@end
//@for r 4
    let a$i_$r = vec4<f32>(t$i_0[$r], t$i_1[$r], t$i_2[$r], t$i_3[$r]);
//@end
//@else
//@for r 4
    let a$i_$r = a4(pa$i_$r + q);
//@end
//@end
//@end
//@for j TN
//@if B_ROWS
    let b$j = vec4<f32>(w(pb$j + q * P.ldb), w(pb$j + (q + 1u) * P.ldb), w(pb$j + (q + 2u) * P.ldb), w(pb$j + (q + 3u) * P.ldb));
//@else
    let b$j = w4(pb$j + q);
//@end
//@for i TM4
//@for r 4
    c$i_$r_$j = c$i_$r_$j + a$i_$r.x * b$j.x + a$i_$r.y * b$j.y + a$i_$r.z * b$j.z + a$i_$r.w * b$j.w;
//@end
//@end
//@end
  }
//@for i TM4
//@for r 4
  if (m0 + 4u * $iu + $ru < rows) {
    let row = (m0 + 4u * $iu + $ru) * P.ldc + wg.z * P.zy;
//@for j TN
    if (n0 + $ju * WX < P.n) {
      let n = n0 + $ju * WX;
      set_y(row + n, c$i_$r_$j + bias(n) + add(row + n));
    }
//@end
  }
//@end
//@end
}
