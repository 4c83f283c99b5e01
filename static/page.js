// Starts the page's program (page.wasm, from wasm/page).
"use strict";

(async () => {
  const assets = JSON.parse(document.getElementById("assets").textContent);
  const go = new Go();
  const say = (text) => {
    const boot = document.getElementById("boot");
    const line = boot ?? document.querySelector("main, #app").insertAdjacentElement("afterbegin", document.createElement("p"));
    line.className = boot ? "chip bad" : "notice";
    line.textContent = text;
  };
  try {
    const response = await fetch(assets.page);
    if (!response.ok) throw new Error(`${assets.page}: ${response.status}`);
    const { instance } = await WebAssembly.instantiateStreaming(response, go.importObject);
    await go.run(instance); // never returns while the page lives
    say("The page has stopped. Reload it.");
  } catch (err) {
    console.error(err);
    say(`The page could not start (${err.message}). Reload it.`);
  }
})();
