// What scripts find in the global scope without importing it, for tsc (see tsconfig.json).

/** A Go program in WebAssembly: wasm_exec.js of the Go toolchain. */
declare class Go {
  argv: string[];
  env: Record<string, string>;
  exited: boolean;
  importObject: WebAssembly.Imports;
  exit(code: number): void;
  run(instance: WebAssembly.Instance): Promise<void>;
  _pendingEvent: object;
  _resume(): void;
}

// What tests put into a page (engine/faults.mjs, ui/behaviour.spec.mjs).
declare var threads: { begin?: number; end?: number }[];
declare var clicks: number[];
declare function endThread(): void;
declare var pwned: unknown;
// bench/smooth.mjs
declare var smooth: { begin(): void; end(): { shift: number; task: number; what: string } };

// What page and worker leave for the Go programs.
declare var preludeAssets: Record<string, string>;
declare var preludeWorker: () => { worker: Worker; listen(hear: (event: Event) => void): void };
declare var preludeNoWebGPU: string;
declare var preludeTable: (bytes: Uint8Array) => Promise<unknown>;
declare var preludeAllow: (host: string, hub: boolean) => void;
declare var preludeDownload: (address: string, headers: Record<string, string>, most: number, told: (done: number, total: number) => void) => { answer: Promise<unknown>, stop: () => void };
declare var preludeMarkup: (element: Element, markup: string) => void;
declare var preludeFetch: (address: string, options: { headers: Record<string, string>, signal: AbortSignal }) => Promise<unknown>;

// What a service worker has (static/sw.js); the library of workers would hide that of pages.
declare class ExtendableEvent extends Event {
  waitUntil(until: Promise<unknown>): void;
}
declare class FetchEvent extends ExtendableEvent {
  request: Request;
  respondWith(response: Promise<Response>): void;
}
declare var clients: { claim(): Promise<void> };
