package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needNode skips where there is no Node; ordinary builds of the page need none.
func needNode(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node on the PATH to run JavaScript with")
	}
}

func TestHelperIsWhatVuguEvaluates(t *testing.T) {
	needNode(t)
	helper, err := vuguHelper()
	if err != nil {
		t.Fatal(err)
	}
	probe := filepath.Join(t.TempDir(), "probe.wasm")
	compile := exec.Command("go", "build", "-o", probe, "./testdata/probe")
	compile.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if text, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	root, err := goOutput("env", "GOROOT")
	if err != nil {
		t.Fatal(err)
	}
	got, err := exec.Command("node", filepath.Join(root, "lib/wasm/wasm_exec_node.js"), probe).Output()
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != helper {
		t.Errorf("Vugu evaluates %d bytes that are not the %d extracted", len(got), len(helper))
	}
}

func TestGuardAcceptsTheHelperAlone(t *testing.T) {
	needNode(t)
	dir := t.TempDir()
	helper := "window.vuguRender = 'a \\u2028 \"quoted\" </script> text'"
	for name, text := range map[string]string{"helper.js": helper, "guard.js": string(evalGuard(helper))} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	// The page is a context without eval, as under the policy. Its log is the result.
	script := `
const vm = require("vm"), fs = require("fs"), log = [];
const read = (name) => fs.readFileSync(name, "utf8");
const page = vm.createContext({ran: 0}, {codeGeneration: {strings: false}});
vm.runInContext("globalThis.window = globalThis", page);
const attempt = (name, f) => { try { log.push(name + ": " + f()) } catch (e) { log.push(name + ": " + e.name) } };
attempt("guard alone", () => vm.runInContext(read("guard.js"), page));
vm.runInContext(read("helper.js"), page);
vm.runInContext(read("guard.js"), page);
page.helper = read("helper.js");
attempt("helper", () => vm.runInContext("window.eval(helper)", page));
attempt("helper and more", () => vm.runInContext("window.eval(helper + ';ran = 1')", page));
attempt("other", () => vm.runInContext("window.eval('ran = 1')", page));
attempt("ran", () => page.ran);
console.log(log.join("\n"));`
	run := exec.Command("node", "-e", script)
	run.Dir = dir
	text, err := run.CombinedOutput()
	want := "guard alone: Error\nhelper: undefined\nhelper and more: EvalError\nother: EvalError\nran: 0"
	if got := strings.TrimSpace(string(text)); err != nil || got != want {
		t.Errorf("%v, got\n%s\nwant\n%s", err, got, want)
	}
}
