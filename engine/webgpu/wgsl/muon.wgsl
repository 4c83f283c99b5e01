// One workgroup for each matrix of P.rows by P.cols; see engine.Muon. The rounds go on the shorter
// side, of n: with A = XXᵀ or XᵀX and Q = a + b·A + c·A², P ← Q·P and A ← Q·A·Q, which are all
// polynomials of the first A. A matrix has room for X in x, and for A, A², Q, P and Q·P in s.
fn entry(base: u32, i: u32, j: u32) -> u32 { return base + i * P.n + j; }

// product is a·b of squares; all of them are symmetric.
fn product(lid: u32, to: u32, a: u32, b: u32) {
  storageBarrier();
  for (var e = lid; e < P.n * P.n; e += LANES) {
    let i = e / P.n;
    let j = e % P.n;
    var sum = 0.0;
    for (var k = 0u; k < P.n; k += 1u) { sum += s(entry(a, k, i)) * s(entry(b, k, j)); }
    set_s(to + e, sum);
  }
  storageBarrier();
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let size = P.rows * P.cols;
  let square = P.n * P.n;
  let mine = min(flat(wg, nwg), P.count - 1u);
  let live = flat(wg, nwg) < P.count && stats(2u) == 0.0;
  let at = mine * size;
  let gram = mine * 5u * square;
  let gram2 = gram + square;
  let poly = gram2 + square;
  var now = poly + square;
  var then = now + square;
  var sq = 0.0;
  for (var e = lid; e < size; e += LANES) {
    let gi = g(at + e) * stats(1u);
    let mi = P.beta * m(at + e) + gi;
    let v = gi + P.beta * mi;
    if (live) { set_m(at + e, mi); }
    set_x(at + e, v);
    sq += v * v;
  }
  let scale = 1.0 / (sqrt(total(lid, sq)) + P.eps);
  storageBarrier();
  let wide = P.rows <= P.cols;
  for (var e = lid; e < square; e += LANES) {
    let i = e / P.n;
    let j = e % P.n;
    var sum = 0.0;
    if (wide) {
      for (var k = 0u; k < P.cols; k += 1u) { sum += x(at + i * P.cols + k) * x(at + j * P.cols + k); }
    } else {
      for (var k = 0u; k < P.rows; k += 1u) { sum += x(at + k * P.cols + i) * x(at + k * P.cols + j); }
    }
    set_s(gram + e, sum * scale * scale);
  }
  for (var round = 0u; round < ROUNDS; round += 1u) {
    product(lid, gram2, gram, gram);
    for (var e = lid; e < square; e += LANES) {
      var q = P.b * s(gram + e) + P.c * s(gram2 + e);
      if (e / P.n == e % P.n) { q += P.a; }
      set_s(poly + e, q);
      if (round == 0u) { set_s(now + e, q); }
    }
    if (round > 0u) {
      product(lid, then, now, poly);
      let old = now;
      now = then;
      then = old;
    }
    if (round + 1u < ROUNDS) {
      product(lid, gram2, gram, poly);
      product(lid, gram, poly, gram2);
    }
  }
  let lr = hyper(0u) * P.rate * scale;
  for (var e = lid; e < size; e += LANES) {
    let i = e / P.cols;
    let j = e % P.cols;
    var u = 0.0;
    if (wide) {
      for (var k = 0u; k < P.n; k += 1u) { u += s(entry(now, k, i)) * x(at + k * P.cols + j); }
    } else {
      for (var k = 0u; k < P.n; k += 1u) { u += x(at + i * P.cols + k) * s(entry(now, k, j)); }
    }
    if (live) { set_p(at + e, p(at + e) - lr * u); }
  }
}
