// The Worker's way in: files of models come from the assets, with ranges of bytes
// cut here, since the assets binding answers whole files; the rest is for Go.
import go from "../../build/edge/worker.mjs";

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    const head = request.method === "HEAD";
    if (pathname.startsWith("/models/") && (head || request.method === "GET")) {
      const whole = await env.ASSETS.fetch(request);
      if (whole.status !== 404) return ranged(request, whole, await sizeOf(pathname, env));
    }
    if (!head) return go.fetch(request, env, ctx);
    // Go's answer to HEAD would be a body shorter than its Content-Length.
    const { body, status, headers } = await go.fetch(new Request(request, { method: "GET" }), env, ctx);
    await body?.cancel();
    return new Response(null, { status, headers });
  },
};

let sizes; // of this deployment's files, by path

async function sizeOf(pathname, env) {
  if (!sizes) {
    const { files } = await (await env.ASSETS.fetch("https://assets/assets.json")).json();
    sizes = new Map(files.map((file) => ["/" + file.path, file.size]));
  }
  return sizes.get(pathname);
}

// ranged answers a request for one range of bytes (RFC 9110 §14) out of the whole
// file of a size. What asks for none, or for several, gets the whole.
function ranged(request, whole, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(request.headers.get("Range") ?? "");
  const condition = request.headers.get("If-Range");
  const headers = new Headers(whole.headers);
  headers.set("Accept-Ranges", "bytes");
  if (
    request.method !== "GET" || whole.status !== 200 || !size || !match || (!match[1] && !match[2]) ||
    (condition && condition !== whole.headers.get("ETag"))
  ) {
    return new Response(whole.body, { status: whole.status, headers });
  }
  // "5-7", "5-" from there on, "-5" the last five.
  const first = match[1] ? Number(match[1]) : Math.max(0, size - Number(match[2]));
  const last = match[1] && match[2] ? Math.min(Number(match[2]), size - 1) : size - 1;
  if (first > last) {
    headers.set("Content-Range", `bytes */${size}`);
    return new Response(null, { status: 416, headers });
  }
  headers.set("Content-Range", `bytes ${first}-${last}/${size}`);
  const { readable, writable } = new FixedLengthStream(last - first + 1);
  // The copy fails only where the client has gone.
  copyRange(whole.body.getReader(), writable.getWriter(), first, last).catch(() => {});
  return new Response(readable, { status: 206, headers });
}

async function copyRange(reader, writer, first, last) {
  for (let at = 0; at <= last; ) {
    const { value, done } = await reader.read();
    if (done) break;
    const piece = value.subarray(Math.max(0, first - at), last + 1 - at);
    if (piece.length) await writer.write(piece);
    at += value.length;
  }
  await writer.close();
  await reader.cancel();
}
