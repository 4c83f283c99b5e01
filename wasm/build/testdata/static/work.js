importScripts("wasm_exec.js"); const program = "page.wasm";
