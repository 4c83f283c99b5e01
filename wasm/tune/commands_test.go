package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"prelude/models/tiny"
	"prelude/prefix/llamacpp"
	"prelude/ui/wire"
)

// asProgram makes the test's binary the program itself.
const asProgram = "TUNE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	switch os.Getenv(asProgram) {
	case "tune":
		main()
		os.Exit(0)
	case "writer":
		writeForEver()
	}
	os.Exit(m.Run())
}

// shell runs command lines as a person types them at the root of the repository, in a
// folder of its own that has the repository's data.
type shell struct {
	t   *testing.T
	dir string
	env []string
}

func newShell(t *testing.T) *shell {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	s := &shell{t: t, dir: t.TempDir()}
	for _, name := range []string{"static", "e2e"} {
		if err := os.Symlink(filepath.Join(root, name), filepath.Join(s.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// "go run ./wasm/tune" and "tune" are this binary.
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n[ \"$1 $2\" = 'run ./wasm/tune' ] || exit 99\nshift 2\n%s=tune exec '%s' \"$@\"\n", asProgram, self)
	write(t, filepath.Join(bin, "go"), script, 0o777)
	write(t, filepath.Join(bin, "tune"), fmt.Sprintf("#!/bin/sh\n%s=tune exec '%s' \"$@\"\n", asProgram, self), 0o777)
	s.env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	return s
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// command is a line's process.
func (s *shell) command(line string) (c *exec.Cmd, out, errOut *bytes.Buffer) {
	c = exec.Command("/bin/sh", "-c", line)
	c.Dir, c.Env = s.dir, s.env
	out, errOut = &bytes.Buffer{}, &bytes.Buffer{}
	c.Stdout, c.Stderr = out, errOut
	return c, out, errOut
}

// run is a line's exit status and what it wrote.
func (s *shell) run(line string) (status int, out, errOut string) {
	s.t.Helper()
	c, o, e := s.command(line)
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), o.String(), e.String()
}

// ok is what a line writes that has to succeed.
func (s *shell) ok(line string) string {
	s.t.Helper()
	status, out, errOut := s.run(line)
	if status != 0 {
		s.t.Fatalf("%s\nexit status %d\n%s%s", line, status, out, errOut)
	}
	return out
}

// refused is a line that has to fail with a status, saying something.
func (s *shell) refused(line string, want int, says string) {
	s.t.Helper()
	status, out, errOut := s.run(line)
	if status != want || !strings.Contains(errOut, says) {
		s.t.Errorf("%s\nexit status %d, want %d; want %q in\n%s%s", line, status, want, says, out, errOut)
	}
}

// small puts a model and examples that train in a moment into the shell's folder.
func (s *shell) small() {
	s.t.Helper()
	if err := os.CopyFS(filepath.Join(s.dir, "tiny"), os.DirFS(tiny.Folder(s.t, 0))); err != nil {
		s.t.Fatal(err)
	}
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, "{\"prompt\": \"guest %d :\", \"completion\": \" tea and cake on the river\"}\n", i)
	}
	write(s.t, filepath.Join(s.dir, "tea.jsonl"), b.String(), 0o666)
}

// Every command of the README and of the program's own description runs exactly as it stands
// there, in the order in which they stand, on what the repository has.
func TestWrittenCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("trains the bundled model")
	}
	for file, begin := range map[string]string{"../../README.md": "go run ./wasm/tune ", "main.go": "tune "} {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := newShell(t)
			lines := regexp.MustCompile(`(?m)^(?://\t)?(`+regexp.QuoteMeta(begin)+`[a-z]+.*)$`).FindAllStringSubmatch(string(text), -1)
			if len(lines) < 4 {
				t.Fatalf("%d commands in %s", len(lines), file)
			}
			for _, l := range lines {
				if out := s.ok(l[1]); out == "" && !strings.Contains(l[1], " export ") {
					t.Errorf("%s: wrote nothing", l[1])
				}
			}
		})
	}
}

// A folder and a .zip that train has written are read by eval and generate.
func TestTrainThenUse(t *testing.T) {
	s := newShell(t)
	s.small()
	for _, out := range []string{"adapter", "adapter.zip"} {
		line := s.ok("tune train -device cpu -model tiny -data tea.jsonl -steps 30 -lr 0.03 -json -out " + out)
		var done wire.Trained
		for text := range strings.Lines(line) {
			m, err := wire.Decode(text)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if x, ok := m.(wire.Trained); ok {
				done = x
			}
		}
		if done.Steps != 30 || done.BestLoss >= done.BaseLoss {
			t.Errorf("trained %+v", done)
		}
		var e evaluation
		if err := json.Unmarshal([]byte(s.ok("tune eval -device cpu -model tiny -data tea.jsonl -json -adapter "+out)), &e); err != nil || e.Prefix >= e.Base || e.Shots == 0 {
			t.Errorf("%s: %+v, %v", out, e, err)
		}
		if d := e.Prefix - done.BestLoss; d > 1e-4 || d < -1e-4 {
			t.Errorf("%s: eval says %.6f, train said %.6f", out, e.Prefix, done.BestLoss)
		}
		var a answer
		if err := json.Unmarshal([]byte(s.ok(`tune generate -device cpu -model tiny -prompt "guest 7 :" -max 12 -json -adapter `+out)), &a); err != nil || a.Tokens == 0 || a.Tokens > 12 {
			t.Errorf("%s: %+v, %v", out, a, err)
		}
		plain := s.ok(`tune generate -device cpu -model tiny -prompt "guest 7 :" -max 12 -adapter ` + out)
		if strings.TrimRight(plain, "\n") != a.Text {
			t.Errorf("%s: says %q, with -json %q", out, plain, a.Text)
		}
		s.ok("tune export -device cpu -model tiny -out llama -adapter " + out)
		for _, name := range []string{llamacpp.StateFile, llamacpp.ServerFile, llamacpp.ReadMeFile} {
			if f, err := os.Stat(filepath.Join(s.dir, "llama", name)); err != nil || f.Size() == 0 {
				t.Errorf("%s for llama.cpp: %s: %v", out, name, err)
			}
		}
	}
	if rest, _ := filepath.Glob(filepath.Join(s.dir, ".*")); len(rest) > 0 {
		t.Errorf("left behind: %q", rest)
	}
}

// What can't be is refused at once, and what is there is not overwritten unasked.
func TestRefusals(t *testing.T) {
	s := newShell(t)
	s.small()
	const train = "tune train -device cpu -model tiny -data tea.jsonl -steps 3 "
	s.refused("tune", 2, "usage")
	s.refused("tune nonsense", 2, `unknown command "nonsense"`)
	s.refused("tune train -model tiny", 2, "-data is missing")
	s.refused("tune train -nonsense", 2, "not defined")
	s.refused("tune train -model nobody -data tea.jsonl -out x", 1, `no model "nobody"`)
	s.refused("tune train -model tiny -data nothing.jsonl -device cpu -out x", 1, "nothing.jsonl")
	s.refused(train+"-batch -1 -out x", 2, "batch size")
	s.refused(train+"-schedule wave -out x", 2, `schedule "wave"`)
	s.refused(train+"-method source=nothing -out x", 1, "nothing")
	s.refused(train+"-device tpu -out x", 1, `no device "tpu"`)
	s.refused("tune eval -device cpu -model tiny -data tea.jsonl -adapter nothing", 1, "-adapter")
	s.refused("tune eval -device cpu -model tiny -data tea.jsonl -adapter tea.jsonl", 1, "zip")
	s.refused(`tune generate -device cpu -model tiny -prompt x -max 0`, 2, "-max")
	s.refused(`tune generate -device cpu -model tiny -prompt x -temperature -1`, 2, "-temperature")

	s.refused(train+"-out tea.jsonl", 1, "is a file, not a folder")
	s.refused(train+"-out tea.jsonl/x", 1, "-out")
	s.refused(train+"-out tiny", 1, "no part of an adapter")
	s.refused(train+"-force -out .", 1, "no part of an adapter")
	s.ok(train + "-out adapter")
	s.refused(train+"-out adapter", 1, "-force")
	write(t, filepath.Join(s.dir, "adapter", "old.json"), "{}", 0o666)
	s.ok(train + "-force -out adapter")
	if _, err := os.Stat(filepath.Join(s.dir, "adapter", "old.json")); err == nil {
		t.Error("a file of the adapter before is left in the folder")
	}
	write(t, filepath.Join(s.dir, "adapter", "thesis.doc"), "", 0o666)
	s.refused(train+"-force -out adapter", 1, "thesis.doc")
	s.ok(train + "-out a.zip")
	s.refused(train+"-out a.zip", 1, "-force")
	s.ok(train + "-force -out a.zip")
}

// TestSettings trains again from an export's settings.json, and comes to the same prefix.
func TestSettings(t *testing.T) {
	s := newShell(t)
	s.small()
	s.ok("tune train -model tiny -data tea.jsonl -steps 4 -batch 2 -lr 0.01 -seed 7 -val 25 -method source=kv -space -out first")
	s.ok("tune train -settings first/settings.json -model tiny -data tea.jsonl -out second")
	s.ok("tune train -settings first/settings.json -seed 8 -model tiny -data tea.jsonl -out other")
	weights := func(folder string) string {
		text, err := os.ReadFile(filepath.Join(s.dir, folder, "adapter_model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if weights("first") != weights("second") {
		t.Error("the settings of an export lead to another prefix")
	}
	if weights("first") == weights("other") {
		t.Error("-seed changes nothing after -settings")
	}
	write(t, filepath.Join(s.dir, "bad.json"), `{"train": {"steps": 4, "stepz": 5}}`, 0o666)
	s.refused("tune train -settings bad.json -model tiny -data tea.jsonl -out third", 2, "stepz")
	s.refused("tune train -settings none.json -model tiny -data tea.jsonl -out third", 2, "none.json")
}
