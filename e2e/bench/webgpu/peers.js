// Products by the peers, in the page: c[m, n] = a[m, k]·b, timed as the device is:
// median of runs that each end in reading one number back.
"use strict";

const median = (all) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)];

async function timed(times, f) {
  const all = [];
  for (let i = 0; i < times + 1; i++) {
    const begun = performance.now();
    await f();
    if (i > 0) all.push((performance.now() - begun) / 1000);
  }
  return median(all);
}

const random = (n) => Float32Array.from({ length: n }, (_, i) => ((i * 7919) % 1000) / 1000 - 0.5);

globalThis.peers = {
  async jaxjs([m, n, k], times) {
    const { init, defaultDevice, numpy: np, jit } = await import("./node_modules/@jax-js/jax/dist/index.js");
    await init("webgpu");
    defaultDevice("webgpu");
    const a = np.array(random(m * k)).reshape([m, k]), b = np.array(random(k * n)).reshape([k, n]);
    const product = jit((x, y) => np.matmul(x, y));
    return timed(times, async () => {
      const c = product(a.ref, b.ref);
      await c.slice(0, [0, 1]).data();
    });
  },

  // A training step of the small decoder.
  async jaxjsStep(times, batch) {
    const jax = await import("./node_modules/@jax-js/jax/dist/index.js");
    const { decoder, small } = await import("./jax-decoder.mjs");
    return timed(times, await decoder(jax, "webgpu", { ...small, batch }, 1));
  },

  async tfjs([m, n, k], times) {
    for (const src of ["tfjs-core/dist/tf-core.min.js", "tfjs-backend-cpu/dist/tf-backend-cpu.min.js", "tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js"]) {
      await new Promise((resolve, reject) => {
        const s = document.createElement("script");
        Object.assign(s, { src: "./node_modules/@tensorflow/" + src, onload: resolve, onerror: reject });
        document.head.append(s);
      });
    }
    await tf.setBackend("webgpu");
    await tf.ready();
    const a = tf.tensor2d(random(m * k), [m, k]), b = tf.tensor2d(random(k * n), [k, n]);
    return timed(times, async () => {
      const c = tf.matMul(a, b);
      const one = tf.slice(c, [0, 0], [1, 1]);
      await one.data();
      c.dispose();
      one.dispose();
    });
  },

  async ort([m, n, k], times) {
    const ort = await import("./node_modules/onnxruntime-web/dist/ort.webgpu.min.mjs");
    ort.env.wasm.wasmPaths = new URL("./node_modules/onnxruntime-web/dist/", location.href).href;
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create(matMulModel(m, n, k), { executionProviders: ["webgpu"], preferredOutputLocation: "gpu-buffer" });
    const device = await ort.env.webgpu.device;
    const upload = (data, dims) => {
      const buffer = device.createBuffer({ size: data.byteLength, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC });
      device.queue.writeBuffer(buffer, 0, data);
      return ort.Tensor.fromGpuBuffer(buffer, { dataType: "float32", dims });
    };
    const feeds = { a: upload(random(m * k), [m, k]), b: upload(random(k * n), [k, n]) };
    return timed(times, async () => {
      const { c } = await session.run(feeds);
      const to = device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(c.gpuBuffer, 0, to, 0, 4);
      device.queue.submit([encoder.finish()]);
      await to.mapAsync(GPUMapMode.READ);
      to.destroy();
      c.dispose();
    });
  },
};

// The ONNX file of one MatMul, written by hand (onnx.proto, field numbers in place).
function matMulModel(m, n, k) {
  const varint = (v) => (v < 128 ? [v] : [(v & 127) | 128, ...varint(v >>> 7)]);
  const bytes = (field, data) => [...varint((field << 3) | 2), ...varint(data.length), ...data];
  const text = (field, s) => bytes(field, [...new TextEncoder().encode(s)]);
  const number = (field, v) => [...varint(field << 3), ...varint(v)];
  const value = (name, dims) => [...text(1, name), ...bytes(2, bytes(1, [...number(1, 1), ...bytes(2, dims.flatMap((d) => bytes(1, number(1, d))))]))];
  const node = [...text(1, "a"), ...text(1, "b"), ...text(2, "c"), ...text(3, "product"), ...text(4, "MatMul")];
  const graph = [...bytes(1, node), ...text(2, "g"), ...bytes(11, value("a", [m, k])), ...bytes(11, value("b", [k, n])), ...bytes(12, value("c", [m, n]))];
  return new Uint8Array([...number(1, 8), ...bytes(7, graph), ...bytes(8, [...text(1, ""), ...number(2, 17)])]);
}

// ours runs the Go program in the page and gives what it printed.
globalThis.ours = async (args) => {
  const lines = [];
  const log = console.log;
  console.log = (...all) => lines.push(all.join(" "));
  try {
    const go = new Go();
    go.argv = ["webgpu", ...args];
    const { instance } = await WebAssembly.instantiateStreaming(fetch("./bench.wasm"), go.importObject);
    await go.run(instance);
  } finally {
    console.log = log;
  }
  return lines.join("\n");
};
