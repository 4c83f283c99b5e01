// Rounds a matrix to 8 bits for gemm8.wgsl: rows of blocks of 32 elements along the sum,
// four int8 to a word, and a scale for each block:
//
//	scale = max|x| / 127      q = round(x / scale)
//
// A block of zeros has the scale 0. A block with an element that is not finite has the
// scale NaN, so that every result of its row is NaN. A thread rounds one block. The
// elements of a block lie side by side, or across (ACROSS) P.ld apart.
fn take(row: u32, k: u32) -> vec4<f32> {
//@if ACROSS
  let at = k * P.ld + row;
  var v = vec4<f32>();
  if (k < P.depth) { v.x = x(at); }
  if (k + 1u < P.depth) { v.y = x(at + P.ld); }
  if (k + 2u < P.depth) { v.z = x(at + 2u * P.ld); }
  if (k + 3u < P.depth) { v.w = x(at + 3u * P.ld); }
  return v;
//@else
  let at = row * P.ld + k;
//@if VEC
  if (k >= P.depth) { return vec4<f32>(); }
  return x4(at);
//@else
  var v = vec4<f32>();
  if (k < P.depth) { v.x = x(at); }
  if (k + 1u < P.depth) { v.y = x(at + 1u); }
  if (k + 2u < P.depth) { v.z = x(at + 2u); }
  if (k + 3u < P.depth) { v.w = x(at + 3u); }
  return v;
//@end
//@end
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_id) lid: vec3<u32>) {
  let i = flat(wg, nwg) * 64u + lid.x;
//@if ACROSS
  let row = i % P.all; // neighbours read neighbouring memory
  let block = i / P.all;
//@else
  let row = i / P.blocks;
  let block = i % P.blocks;
//@end
  if (row >= rows() || block >= P.blocks) { return; }
  var top = vec4<f32>();
  var odd = vec4<u32>();
//@for q 8
  let v$q = take(row, block * 32u + 4u * $qu);
  top = max(top, abs(v$q));
  odd |= select(vec4<u32>(), vec4<u32>(1u), (bitcast<vec4<u32>>(v$q) & vec4<u32>(0x7f800000u)) == vec4<u32>(0x7f800000u));
//@end
  let most = max(max(top.x, top.y), max(top.z, top.w));
  var inverse = 0.0;
  var scale = 0u;
  if (most > 1e-30) {
    inverse = 127.0 / most;
    scale = bitcast<u32>(most * (1.0 / 127.0));
  }
  if (any(odd != vec4<u32>())) { scale = 0x7fc00000u; }
  let at = row * P.blocks + block;
//@for q 8
  set_words(at * 8u + $qu, pack4xI8(vec4<i32>(round(v$q * inverse))));
//@end
  set_scales(at, scale);
}
