/**
 * Runs in a page before its own scripts: notes, between begin() and end(), the largest layout
 * shift that no input made, the longest task of the page's thread (0 where none took 50 ms), and
 * how many frames a second the page could draw (60 where nothing holds it up).
 */
export function watchSmoothness() {
  const found = { from: 0, shift: 0, task: 0, what: "", frames: 0 };
  const frame = () => {
    found.frames++;
    requestAnimationFrame(frame);
  };
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
    begin: () => {
      if (!found.from) requestAnimationFrame(frame);
      Object.assign(found, { from: performance.now(), shift: 0, task: 0, what: "", frames: 0 });
    },
    end: () => {
      for (const o of observers) take(o.takeRecords());
      return { ...found, rate: (1000 * found.frames) / (performance.now() - found.from) };
    },
  };
}
