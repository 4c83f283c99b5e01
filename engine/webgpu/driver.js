// The part of Prelude's WebGPU device that calls WebGPU. Go compiles a program into a list
// of dispatches and passes it here once; a step is then one call. The page's worker and the
// tests load this file as a plain script. It defines one global.
"use strict";

globalThis.preludeWebGPU = (() => {
  const limitNames = ["maxBufferSize", "maxStorageBufferBindingSize", "maxStorageBuffersPerShaderStage",
    "maxComputeWorkgroupStorageSize", "maxComputeInvocationsPerWorkgroup", "maxComputeWorkgroupsPerDimension"];
  // Milliseconds: a longer submit freezes the screen, so a longer step is cut into several.
  const longSubmit = 100;

  // Opens a device with the adapter's limits, or with WebGPU's default limits.
  async function open(defaults) {
    const gpu = globalThis.navigator?.gpu;
    if (!gpu) throw new Error(globalThis.preludeNoWebGPU ?? "this browser has no WebGPU here");
    const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) throw new Error("WebGPU is there, but it has no adapter");
    /** @type {GPUFeatureName[]} */
    const wanted = ["shader-f16", "subgroups", "timestamp-query"];
    const features = wanted.filter((f) => adapter.features.has(f));
    const requiredLimits = {};
    if (!defaults) for (const name of limitNames) requiredLimits[name] = adapter.limits[name];
    const device = await adapter.requestDevice({ requiredFeatures: features, requiredLimits });
    return new Driver(adapter, device, [...features, ...(gpu.wgslLanguageFeatures ?? [])]);
  }

  class Driver {
    constructor(adapter, device, features) { // of the adapter and of WGSL
      this.device = device;
      this.error = ""; // of a queued run, reported by the next call
      this.lost = "";
      this.done = null; // set by Go: called after each run
      this.buffers = new Map();
      this.queue = []; // waiting work in order: parts of runs, writes and reads
      this.flying = 0; // unfinished submits
      this.submitted = 0; // submits of runs, ever
      this.rate = 1e6; // work in a millisecond, a low estimate until a run is timed
      this.paused = false;
      this.arenas = [];
      this.generation = 0; // of the arenas; bind groups of an older generation are created again
      this.layouts = new Map();
      this.pipelines = new Map();
      const i = adapter.info ?? {};
      const limits = {};
      for (const name of limitNames) limits[name] = device.limits[name];
      this.about = JSON.stringify({ limits, features, vendor: i.vendor ?? "", architecture: i.architecture ?? "",
        device: i.device ?? "", fallback: !!(i.isFallbackAdapter ?? adapter.isFallbackAdapter), description: i.description ?? "" });
      device.onuncapturederror = (event) => { this.error ||= event.error.message; };
      device.lost.then((info) => {
        this.lost = info.message || String(info.reason) || "lost";
        this.paused = false;
        this.pump(); // waiting work fails
      });
    }

    // Does work after the waiting work, or now if nothing waits.
    enqueue(work) {
      this.queue.push(work);
      this.pump();
    }

    // At most two submits are in flight, so that a pause takes effect soon.
    pump() {
      while (this.queue.length && !this.paused && (this.flying < 2 || this.lost)) this.queue.shift()();
    }

    submit(commands, then) {
      this.flying++;
      this.submitted++;
      this.device.queue.submit(commands);
      const end = () => {
        this.flying--;
        then?.();
        this.pump();
      };
      this.device.queue.onSubmittedWorkDone().then(end, end);
    }

    pause(on) {
      this.paused = on && !this.lost;
      this.pump();
    }

    busy() { return this.queue.length > 0 || this.paused || this.flying > 1; }

    // Runs f inside error scopes; rejects with the error that they catch.
    async scoped(what, f) {
      if (this.lost) throw new Error("lost: " + this.lost);
      this.device.pushErrorScope("validation");
      this.device.pushErrorScope("out-of-memory");
      let result, thrown;
      try { result = f(); } catch (err) { thrown = err; }
      const scopes = await Promise.allSettled([this.device.popErrorScope(), this.device.popErrorScope()]);
      const failed = thrown ?? scopes.find((x) => x.status === "rejected")?.reason;
      if (failed) throw await this.named(failed);
      if (this.lost) throw new Error("lost: " + this.lost);
      const [caught] = scopes.flatMap((x) => (x.status === "fulfilled" && x.value) || []);
      if (caught) throw new Error(`${what}: ${caught.message}`);
      return result;
    }

    // The error of a failed call: the loss of the device if it is lost. Chromium rejects
    // waiting promises before it reports the loss.
    async named(err) {
      if (!this.lost) await Promise.race([this.device.lost, new Promise((turn) => setTimeout(turn, 200))]);
      return this.lost ? new Error("lost: " + this.lost) : err;
    }

    buffer(size, usage) {
      return this.device.createBuffer({ size, usage });
    }

    async alloc(id, size) {
      const u = GPUBufferUsage;
      this.buffers.set(id, await this.scoped("out of memory", () => this.buffer(size, u.STORAGE | u.COPY_SRC | u.COPY_DST)));
    }

    // Destroys something after the waiting work, which may use it. Submitted work is not
    // affected.
    end(destroy) {
      if (this.queue.length) this.enqueue(destroy);
      else destroy();
    }

    free(id) {
      this.end(() => {
        this.buffers.get(id)?.destroy();
        this.buffers.delete(id);
      });
    }

    write(id, offset, bytes, size) {
      if (this.lost) return "lost: " + this.lost;
      const data = this.busy() ? bytes.slice(0, size) : bytes;
      this.enqueue(() => {
        const buffer = this.buffers.get(id);
        if (buffer && !this.lost) this.device.queue.writeBuffer(buffer, offset, data, 0, size);
      });
      return "";
    }

    async read(id, offset, size) {
      await new Promise((turn) => this.enqueue(turn));
      if (this.lost) throw new Error("lost: " + this.lost);
      const to = this.buffer(size, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
      try {
        const encoder = this.device.createCommandEncoder();
        encoder.copyBufferToBuffer(this.buffers.get(id), offset, to, 0, size);
        this.device.queue.submit([encoder.finish()]);
        await to.mapAsync(GPUMapMode.READ);
        if (this.error) throw new Error(this.error);
        return new Uint8Array(to.getMappedRange().slice(0));
      } catch (err) {
        throw await this.named(err);
      } finally {
        to.destroy();
      }
    }

    // The bind group layout for storage bindings of which some are written.
    layout(written) {
      const key = written.map(Number).join("");
      let l = this.layouts.get(key);
      if (!l) {
        const visibility = GPUShaderStage.COMPUTE;
        const entries = [0, 1].map((binding) => ({ binding, visibility, buffer: { type: "uniform" } }));
        for (const [i, w] of written.entries()) entries.push({ binding: i + 2, visibility, buffer: { type: w ? "storage" : "read-only-storage" } });
        const group = this.device.createBindGroupLayout({ entries });
        l = { group, pipeline: this.device.createPipelineLayout({ bindGroupLayouts: [group] }) };
        this.layouts.set(key, l);
      }
      return l;
    }

    pipeline(k) {
      let p = this.pipelines.get(k.code);
      if (!p) {
        const { device } = this;
        const layout = this.layout(k.written);
        const make = async () => {
          device.pushErrorScope("validation");
          const module = device.createShaderModule({ label: k.name, code: k.code });
          const compiled = device.createComputePipelineAsync({ label: k.name, layout: layout.pipeline, compute: { module, entryPoint: "main" } })
            .then((pipeline) => ({ pipeline }), (error) => ({ error }));
          const invalid = await device.popErrorScope().catch((err) => err);
          const { pipeline, error } = await compiled;
          if (invalid || error) throw await this.named(new Error(`shader ${k.name}: ${(invalid ?? error).message}`));
          if (this.lost) throw new Error("lost: " + this.lost);
          return { pipeline, layout: layout.group };
        };
        p = make();
        this.pipelines.set(k.code, p);
        p.catch(() => this.pipelines.delete(k.code));
      }
      return p;
    }

    // Compiles a plan: {kernels: [{name, code, written}], dispatches: [{k, x, y, z, p: offset,
    // b: [[kind, id, offset, size]], cost}], arenas: [bytes], args: bytes}, with the
    // uniform blocks of all dispatches in one array.
    async compile(text, uniforms) {
      const plan = JSON.parse(text);
      const u = GPUBufferUsage;
      await this.reserve(plan.arenas);
      await this.scoped("out of memory", () => {
        plan.uniforms = this.buffer(Math.max(256, uniforms.length), u.UNIFORM | u.COPY_DST);
        plan.inputs = this.buffer(plan.args, u.STORAGE | u.UNIFORM | u.COPY_DST);
      });
      if (uniforms.length) this.device.queue.writeBuffer(plan.uniforms, 0, uniforms);
      plan.staging = new Uint8Array(plan.args);
      plan.kernels = await Promise.all(plan.kernels.map((k) => this.pipeline(k)));
      await this.scoped("bind groups", () => this.bind(plan));
      plan.total = plan.dispatches.reduce((sum, d) => sum + d.cost, 0) || 1;
      plan.submits = this.submits(plan);
      return plan;
    }

    // Enlarges the scratch area that all plans share, after the waiting runs.
    async reserve(sizes) {
      const { arenas } = this;
      const short = [...sizes.keys()].filter((i) => !(arenas[i]?.size >= sizes[i]));
      if (!short.length) return;
      const grow = () => {
        this.generation++;
        for (const i of short) arenas[i]?.destroy();
        for (const i of short) arenas[i] = this.buffer(sizes[i], GPUBufferUsage.STORAGE);
      };
      try {
        await new Promise((turn, fail) => this.enqueue(() => this.scoped("out of memory", grow).then(turn, fail)));
      } catch (err) {
        for (const i of short) arenas[i] = undefined;
        throw err;
      }
    }

    scratch() { return this.arenas.reduce((sum, a) => sum + (a?.size ?? 0), 0); }

    bind(plan) {
      for (const d of plan.dispatches) {
        const kernel = plan.kernels[d.k];
        /** @type {GPUBindGroupEntry[]} */
        const entries = [
          { binding: 0, resource: { buffer: plan.uniforms, offset: d.p, size: d.s } },
          { binding: 1, resource: { buffer: plan.inputs, offset: 0, size: 256 } },
        ];
        d.b.forEach(([kind, id, offset, size], i) => {
          const buffer = kind === 0 ? this.arenas[id] : kind === 1 ? this.buffers.get(id) : plan.inputs;
          entries.push({ binding: i + 2, resource: size ? { buffer, offset, size } : { buffer } });
        });
        d.group = this.device.createBindGroup({ layout: kernel.layout, entries });
        d.pipeline = kernel.pipeline;
      }
      plan.generation = this.generation;
    }

    // Queues one run. Plan.staging holds the arguments.
    run(plan) {
      if (this.lost) return "lost: " + this.lost;
      if (this.error) { const e = this.error; this.error = ""; return e; }
      const args = this.busy() ? plan.staging.slice() : plan.staging;
      const share = plan.total / plan.submits;
      let begun = 0;
      for (let from = 0, last = false; !last;) {
        let to = from, cost = 0;
        while (to < plan.dispatches.length && (to === from || cost + plan.dispatches[to].cost <= share * 1.0001)) cost += plan.dispatches[to++].cost;
        const first = from === 0, start = from;
        last = to >= plan.dispatches.length;
        const end = last ? () => this.ended(plan, begun) : null;
        this.enqueue(() => {
          if (this.lost) { end?.(); return; }
          if (first) {
            if (plan.generation !== this.generation) this.bind(plan);
            this.device.queue.writeBuffer(plan.inputs, 0, args);
            begun = performance.now();
          }
          this.submit([this.record(plan, start, to)], end);
        });
        from = to;
      }
      return "";
    }

    record(plan, from, to) {
      const encoder = this.device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      let pipeline = null;
      for (let i = from; i < to; i++) {
        const d = plan.dispatches[i];
        if (d.pipeline !== pipeline) {
          pipeline = d.pipeline;
          pass.setPipeline(pipeline);
        }
        pass.setBindGroup(0, d.group);
        if (plan.hollow) pass.dispatchWorkgroups(1);
        else pass.dispatchWorkgroups(d.x, d.y, d.z);
      }
      pass.end();
      return encoder.finish();
    }

    // The number of submits of a run, so that none takes long.
    submits(plan) {
      return Math.max(1, Math.min(plan.dispatches.length, Math.ceil(plan.total / this.rate / longSubmit)));
    }

    // After a run: its time determines the submits of the next run.
    ended(plan, begun) {
      const now = performance.now();
      plan.took = now - Math.max(begun, this.finished ?? 0);
      this.finished = now;
      this.rate = plan.total / Math.max(plan.took, 0.1);
      plan.submits = this.submits(plan);
      this.done?.();
    }

    // Runs each dispatch alone with the arguments of the last run and returns
    // {kernel and workgroups: [dispatches, milliseconds]}. The times include a submit each,
    // so they are accurate for long dispatches only.
    async profile(plan) {
      const all = {};
      for (let i = 0; i < plan.dispatches.length; i++) {
        const begun = performance.now();
        this.device.queue.submit([this.record(plan, i, i + 1)]);
        await this.device.queue.onSubmittedWorkDone();
        const { pipeline, x, y, z } = plan.dispatches[i];
        const name = `${pipeline.label} ${x}×${y}×${z}`;
        all[name] ??= [0, 0];
        const k = all[name];
        k[0]++;
        k[1] += performance.now() - begun;
      }
      if (this.lost) throw new Error("lost: " + this.lost);
      return JSON.stringify(all);
    }

    drop(plan) {
      this.end(() => {
        plan.uniforms.destroy();
        plan.inputs.destroy();
      });
    }

    close() {
      this.done = null;
      this.lost ||= "closed";
      this.paused = false;
      this.pump();
      this.device.destroy();
    }
  }

  return { open };
})();
