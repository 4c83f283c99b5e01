/**
 * Runs in a page before its own scripts: notes, between begin() and end(), the largest layout
 * shift that no input made, and the longest task of the page's thread (0 where none took 50 ms).
 */
export function watchSmoothness() {
  const found = { from: 0, shift: 0, task: 0, what: "" };
  const take = (entries) => {
    for (const e of entries) {
      if (!found.from || e.startTime < found.from) continue;
      if (e.entryType === "longtask") found.task = Math.max(found.task, e.duration);
      else if (!e.hadRecentInput && e.value > found.shift) {
        found.shift = e.value;
        found.what = e.sources.map((s) => s.node?.id || s.node?.className || s.node?.nodeName).join(", ");
      }
    }
  };
  const observers = ["longtask", "layout-shift"].map((type) => {
    const o = new PerformanceObserver((list) => take(list.getEntries()));
    o.observe({ type, buffered: true });
    return o;
  });
  globalThis.smooth = {
    begin: () => Object.assign(found, { from: performance.now(), shift: 0, task: 0, what: "" }),
    end: () => {
      for (const o of observers) take(o.takeRecords());
      return { ...found };
    },
  };
}
