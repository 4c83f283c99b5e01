// dpbias[t|·][h|·][l|·] = Σ ds over the rows, heads and slots that share the element of the
// bias; one workgroup for each element.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let e = flat(wg, nwg);
  if (e >= P.n) { return; }
  let end = rows();
  let l = e % P.l;
  let h = e / P.l % P.h;
  let t = e / (P.l * P.h);
  let nt = select(end, 1u, ONE_ROW == 0u);
  let nh = select(1u, P.heads, P.h == 1u);
  let nl = select(1u, P.slots, P.l == 1u);
  var s = 0.0;
  if (ONE_ROW == 1u || t < end) {
    for (var i = lid; i < nt * nh * nl; i += LANES) {
      let tt = select(t, i / (nh * nl), ONE_ROW == 1u);
      let hh = select(h, i / nl % nh, P.h == 1u);
      let ll = select(l, i % nl, P.l == 1u);
      var see = saved(2u * (tt * P.heads + hh)) > -0.5e30;
      if (RANGED) { see = see && i32(ll) >= plo(tt) && i32(ll) < phi(tt); }
      if (see) { s += ds((tt * P.heads + hh) * P.slots + ll); }
    }
  }
  let all = total(lid, s);
  if (lid == 0u) { set_y(e, all); }
}
