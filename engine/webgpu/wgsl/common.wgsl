
fn counted(dom: u32, per: u32, all: u32, start: u32, most: u32) -> u32 {
  var n = all;
  if (dom != 0u) { n = min(n, live[dom >> 2u][dom & 3u] * per); }
  return min(most, n - min(n, start));
}

// Workgroups come in two dimensions where one is too short.
fn flat(wg: vec3<u32>, nwg: vec3<u32>) -> u32 { return wg.y * nwg.x + wg.x; }

