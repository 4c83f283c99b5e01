// y[m][n] = Σ_k a[m][k]·b[k][n] + bias[n] + add[m][n]
//
// A workgroup of WX×WY threads computes a tile of BM×BN results. A thread computes TM×TN of
// them, rows ty, ty+WY, … and columns tx, tx+WX, …, so that neighbouring threads access
// neighbouring memory. Both operands pass through workgroup memory BK at a time, as vectors
// along k:
//
//	       n →                      as_[k/4][m] = (a[m][k], a[m][k+1], a[m][k+2], a[m][k+3])
//	 m  ┌────────┐                  bs [k/4][n] = (b[k][n], b[k+1][n], b[k+2][n], b[k+3][n])
//	 ↓  │ BM×BN  │
//	    └────────┘                  two of each: one is filled while the other is read
//
// With HALF they are halves: the terms of a block of BK are multiplied and added in f16, the
// blocks in f32. Values beyond the range of f16 become its largest number.
//
// Terms are added one by one: that takes four fused multiply-adds, c + dot(a, b) takes five
// instructions.
//
// Layer z of the grid computes the z-th of several products of one shape. An operand lies in
// memory along k (…_ROWS false: four of k are one load) or across it (…_ROWS true: four
// loads make a 4×4 block, transposed in registers).
const BM: u32 = WY * TM;
const BN: u32 = WX * TN;
const THREADS: u32 = WX * WY;
const BUFA: u32 = BK4 * BM;
const BUFB: u32 = BK4 * BN;

//@if SCALAR
// [k][m] and [k][n]: the threads of a row read neighbouring floats, which a software
// adapter turns into one vector load.
var<workgroup> as_: array<f32, 8u * BUFA>;
var<workgroup> bs: array<f32, 8u * BUFB>;
//@else
//@if HALF
alias Four = vec4<f16>;
fn four(v: vec4<f32>) -> Four { return Four(clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0))); }
//@else
alias Four = vec4<f32>;
fn four(v: vec4<f32>) -> Four { return v; }
//@end
var<workgroup> as_: array<Four, 2u * BUFA>;
var<workgroup> bs: array<Four, 2u * BUFB>;
//@end

var<private> base_a: u32;
var<private> base_b: u32;

// Four of an operand from element (m, k) or (k, n): along k, or across it where …_ROWS.
fn take_a(m: u32, k: u32, end_m: u32, end_k: u32) -> vec4<f32> {
  if (m >= end_m || k >= end_k) { return vec4<f32>(); }
//@if A_ROWS
  let at = base_a + k * P.lda + m;
  let left = end_m - m;
//@else
  let at = base_a + m * P.lda + k;
  let left = end_k - k;
//@end
//@if A_VEC
  return a4(at);
//@else
  var v = vec4<f32>(a(at), 0.0, 0.0, 0.0);
  if (left > 1u) { v.y = a(at + 1u); }
  if (left > 2u) { v.z = a(at + 2u); }
  if (left > 3u) { v.w = a(at + 3u); }
  return v;
//@end
}

fn take_b(n: u32, k: u32, end_n: u32, end_k: u32) -> vec4<f32> {
  if (n >= end_n || k >= end_k) { return vec4<f32>(); }
//@if B_ROWS
  let at = base_b + k * P.ldb + n;
  let left = end_n - n;
//@else
  let at = base_b + n * P.ldb + k;
  let left = end_k - k;
//@end
//@if B_VEC
  return w4(at);
//@else
  var v = vec4<f32>(w(at), 0.0, 0.0, 0.0);
  if (left > 1u) { v.y = w(at + 1u); }
  if (left > 2u) { v.z = w(at + 2u); }
  if (left > 3u) { v.w = w(at + 3u); }
  return v;
//@end
}

@compute @workgroup_size(WX, WY)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lid: vec3<u32>) {
  let rows = m();
  let depth = k();
  let m0 = wg.y * BM;
  let n0 = wg.x * BN;
  if (m0 >= rows) { return; }
  base_a = wg.z * P.za;
  base_b = wg.z * P.zb;
  let tx = lid.x;
  let ty = lid.y;
  let id = ty * WX + tx;
//@for i TM
//@for j TN
  var c$i_$j = 0.0;
//@end
//@end
//@for q QA_K
  var ra$q = vec4<f32>();
//@end
//@for q QA_R
//@for r 4
  var ra$q_$r = vec4<f32>();
//@end
//@end
//@for q QB_K
  var rb$q = vec4<f32>();
//@end
//@for q QB_R
//@for r 4
  var rb$q_$r = vec4<f32>();
//@end
//@end
  let steps = (depth + 4u * BK4 - 1u) / (4u * BK4);
  // In round t block t is fetched into registers while block t−1 is multiplied.
  for (var t = 0u; t <= steps; t += 1u) {
    let next = t & 1u;
    if (t < steps) {
      let k0 = t * 4u * BK4;
//@for q QA_K
      {
        let e = id + $qu * THREADS;
        if (e < BUFA) { ra$q = take_a(m0 + e / BK4, k0 + e % BK4 * 4u, rows, depth); }
      }
//@end
//@for q QA_R
      {
        let e = id + $qu * THREADS;
        if (e < BUFA / 4u) {
          let at = m0 + e % (BM / 4u) * 4u;
          let kk = k0 + e / (BM / 4u) * 4u;
//@for r 4
          ra$q_$r = take_a(at, kk + $ru, rows, depth);
//@end
        }
      }
//@end
//@for q QB_K
      {
        let e = id + $qu * THREADS;
        if (e < BUFB) { rb$q = take_b(n0 + e / BK4, k0 + e % BK4 * 4u, P.n, depth); }
      }
//@end
//@for q QB_R
      {
        let e = id + $qu * THREADS;
        if (e < BUFB / 4u) {
          let at = n0 + e % (BN / 4u) * 4u;
          let kk = k0 + e / (BN / 4u) * 4u;
//@for r 4
          rb$q_$r = take_b(at, kk + $ru, P.n, depth);
//@end
        }
      }
//@end
    }
    if (t > 0u) {
//@if SCALAR
      let fa = (1u - next) * 4u * BUFA + ty;
      let fb = (1u - next) * 4u * BUFB + tx;
      for (var q = 0u; q < 4u * BK4; q += 1u) {
//@for i TM
        let a$i = as_[fa + q * BM + $iu * WY];
//@end
//@for j TN
        let b$j = bs[fb + q * BN + $ju * WX];
//@for i TM
        c$i_$j += a$i * b$j;
//@end
//@end
      }
//@else
      let fa = (1u - next) * BUFA + ty;
      let fb = (1u - next) * BUFB + tx;
//@if HALF
//@for i TM
//@for j TN
      var h$i_$j = 0.0h;
//@end
//@end
//@end
      for (var q = 0u; q < BK4; q += 1u) {
//@for i TM
        let a$i = as_[fa + q * BM + $iu * WY];
//@end
//@for j TN
        let b$j = bs[fb + q * BN + $ju * WX];
//@for i TM
//@if HALF
        h$i_$j = h$i_$j + a$i.x * b$j.x + a$i.y * b$j.y + a$i.z * b$j.z + a$i.w * b$j.w;
//@else
        c$i_$j = c$i_$j + a$i.x * b$j.x + a$i.y * b$j.y + a$i.z * b$j.z + a$i.w * b$j.w;
//@end
//@end
//@end
      }
//@if HALF
//@for i TM
//@for j TN
      c$i_$j += f32(h$i_$j);
//@end
//@end
//@end
//@end
    }
    if (t < steps) {
//@for q QA_K
      {
        let e = id + $qu * THREADS;
//@if SCALAR
        if (e < BUFA) {
          let to = next * 4u * BUFA + e % BK4 * 4u * BM + e / BK4;
//@for r 4
          as_[to + $ru * BM] = ra$q[$r];
//@end
        }
//@else
        if (e < BUFA) { as_[next * BUFA + e % BK4 * BM + e / BK4] = four(ra$q); }
//@end
      }
//@end
//@for q QA_R
      {
        let e = id + $qu * THREADS;
        if (e < BUFA / 4u) {
//@if SCALAR
          let to = next * 4u * BUFA + e / (BM / 4u) * 4u * BM + e % (BM / 4u) * 4u;
//@for r 4
//@for s 4
          as_[to + $ru * BM + $su] = ra$q_$r[$s];
//@end
//@end
//@else
          let to = next * BUFA + e / (BM / 4u) * BM + e % (BM / 4u) * 4u;
//@for r 4
          as_[to + $ru] = four(vec4<f32>(ra$q_0[$r], ra$q_1[$r], ra$q_2[$r], ra$q_3[$r]));
//@end
//@end
        }
      }
//@end
//@for q QB_K
      {
        let e = id + $qu * THREADS;
//@if SCALAR
        if (e < BUFB) {
          let to = next * 4u * BUFB + e % BK4 * 4u * BN + e / BK4;
//@for r 4
          bs[to + $ru * BN] = rb$q[$r];
//@end
        }
//@else
        if (e < BUFB) { bs[next * BUFB + e % BK4 * BN + e / BK4] = four(rb$q); }
//@end
      }
//@end
//@for q QB_R
      {
        let e = id + $qu * THREADS;
        if (e < BUFB / 4u) {
//@if SCALAR
          let to = next * 4u * BUFB + e / (BN / 4u) * 4u * BN + e % (BN / 4u) * 4u;
//@for r 4
//@for s 4
          bs[to + $ru * BN + $su] = rb$q_$r[$s];
//@end
//@end
//@else
          let to = next * BUFB + e / (BN / 4u) * BN + e % (BN / 4u) * 4u;
//@for r 4
          bs[to + $ru] = four(vec4<f32>(rb$q_0[$r], rb$q_1[$r], rb$q_2[$r], rb$q_3[$r]));
//@end
//@end
        }
      }
//@end
    }
    workgroupBarrier();
  }
//@for i TM
  if (m0 + ty + $iu * WY < rows) {
    let row = (m0 + ty + $iu * WY) * P.ldc + wg.z * P.zy;
//@for j TN
    {
      let n = n0 + tx + $ju * WX;
      if (n < P.n) { set_y(row + n, c$i_$j + bias(n) + add(row + n)); }
    }
//@end
  }
//@end
}
