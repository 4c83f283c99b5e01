// A causal depthwise convolution; see engine.CausalConv. One thread for each element. FORM
// 0: y. 1: dx, gathered from the rows that see it. 2: dw, and 3: dleft, of a chunk of rows;
// sumrows.wgsl adds up the chunks.
fn context(t: u32, tap: u32, c: u32) -> f32 {
  let e = hi(t) - 1 - i32(tap * P.dilation);
  if (e >= lo(t)) { return x(u32(e) * P.n + c); }
  let l = i32(P.slots) + e - lo(t);
  if (l >= 0) { return left(u32(l) * P.n + c); }
  return 0.0;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let i = flat(wg, nwg) * 64u + lid;
//@if CHUNKED
  if (i >= P.size * P.chunks) { return; }
  let row = i % P.size / P.n;
  let first = i / P.size * P.chunk;
  let last = min(rows(), first + P.chunk);
//@else
  let row = i / P.n;
  if (row >= rows()) { return; }
//@end
  let c = i % P.n;
  var s = 0.0;
  switch (FORM) {
    case 0u: {
      for (var k = 0u; k < P.taps; k += 1u) { s += w(k * P.n + c) * context(row, k, c); }
    }
    case 1u: {
      for (var k = 0u; k < P.taps; k += 1u) {
        let t = row + k * P.dilation;
        if (t < rows() && lo(t) <= i32(row)) { s += w(k * P.n + c) * dy(t * P.n + c); }
      }
    }
//@if CHUNKED
    case 2u: {
      for (var t = first; t < last; t += 1u) { s += dy(t * P.n + c) * context(t, row, c); }
    }
    case 3u: {
      for (var t = first; t < last; t += 1u) {
        for (var k = 0u; k < P.taps; k += 1u) {
          let behind = hi(t) - 1 - i32(k * P.dilation) - lo(t);
          if (behind < 0 && i32(P.slots) + behind == i32(row)) { s += w(k * P.n + c) * dy(t * P.n + c); }
        }
      }
    }
//@end
    default: {}
  }
  set_y(i, s);
}
