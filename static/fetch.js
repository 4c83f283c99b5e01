// A page of its own, in a frame without a face: it fetches from one host, which stands in the
// fragment of its address, and hands the bytes over. The policy of the page around it allows
// connections to its own server alone; this one's allows the host alone, from the line below on.
"use strict";

const [, hub, address] = /^#(hub%20)?(.*)$/.exec(location.hash);
const host = new URL(address).origin;
/** The hub, or a mirror of it, answers for large files with the addresses of the hub's stores. */
const hosts = hub ? [host, "https://*.huggingface.co", "https://*.hf.co"] : [host];
const policy = document.createElement("meta");
policy.httpEquiv = "Content-Security-Policy";
policy.content = `connect-src ${hosts.join(" ")}`;
document.head.append(policy);

/** Answers through the port: first status and headers, then a piece for each message. */
async function answer(port, { address, headers }) {
  const abort = new AbortController();
  let asked;
  const next = () => new Promise((resolve) => { asked = resolve; });
  port.onmessage = ({ data }) => {
    if (data === "stop") abort.abort();
    asked?.();
  };
  try {
    let turn = next();
    const response = await fetch(address, { headers, signal: abort.signal, credentials: "omit", cache: "no-store" });
    port.postMessage({ status: response.status, headers: [...response.headers] });
    const reader = response.body?.getReader();
    for (;;) {
      await turn;
      turn = next();
      const { done, value } = reader ? await reader.read() : { done: true, value: undefined };
      if (done) break;
      port.postMessage({ value }, [value.buffer]);
    }
    port.postMessage({ done: true });
  } catch (err) {
    port.postMessage({ failed: err.message });
  }
}

addEventListener("message", (event) => {
  if (event.source === parent && event.origin === location.origin && event.ports.length === 1) answer(event.ports[0], event.data);
});
