package llamacpp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"prelude/engine"
	"prelude/prefix"
)

// Options say how a prompt becomes what the prefix was trained on, and for which file.
type Options struct {
	Name       string  // of the prefix
	GGUF       string  // file name of the model, for the commands
	Begin      []int32 // tokens between the slots and the text: the one that begins texts, or a chat template's first
	Added      bool    // the model's tokenizer puts Begin before a text by itself
	Spelled    string  // Begin as text
	Before     string  // text before a prompt, such as a chat template's
	After      string  // text after it
	Stop       []string
	Blank      int32 // token that stands for slots that started as no words
	Transposed bool  // for contexts without flash attention
}

// File is one file of an export.
type File struct {
	Name string
	Data []byte
}

// The files of an export.
const (
	StateFile  = "prefix.state.bin"
	LoRAFile   = "lora.gguf"
	ServerFile = "llama-server.sh"
	ModelFile  = "Modelfile"
	ReadMeFile = "README.md"
)

// Export writes a method as it was trained: a state file where it has slots, a GGUF adapter
// where it has LoRA, and what a person needs to run them.
func Export(ctx context.Context, f engine.Frozen, m *prefix.Method, tensors map[string]engine.Tensor, o Options) ([]File, error) {
	i := f.Arch.Info()
	if _, err := familyOf(i); err != nil {
		return nil, err
	}
	c, err := m.Cache(ctx, f, tensors)
	if err != nil {
		return nil, err
	}
	var files []File
	var ids []int32
	add := func(name string, write func(*bytes.Buffer) error) error {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return err
		}
		files = append(files, File{name, b.Bytes()})
		return nil
	}
	if c.Slots > 0 {
		if ids = c.Words; ids == nil {
			for range c.Slots {
				ids = append(ids, o.Blank)
			}
		}
		s := State{Tokens: ids, KV: c.KV, Transposed: o.Transposed}
		if err := add(StateFile, func(b *bytes.Buffer) error { return s.Write(b, i) }); err != nil {
			return nil, err
		}
	}
	if c.Terms != nil {
		if err := add(LoRAFile, func(b *bytes.Buffer) error { return WriteLoRA(b, i, c.Terms) }); err != nil {
			return nil, err
		}
	}
	files = append(files, File{ServerFile, o.server(ids, c.Terms != nil)})
	if ids == nil {
		files = append(files, File{ModelFile, o.modelfile()})
	}
	return append(files, File{ReadMeFile, o.readme(ids, c.Terms != nil)}), nil
}

// flags are the options of llama.cpp's programs that the files need.
func (o Options) flags(slots, lora bool) string {
	all := "-m " + quote(o.GGUF)
	if lora {
		all += " --lora " + LoRAFile
	}
	if slots {
		all += " -np 1 -ctk f16 -ctv f16 --slot-save-path . -fa " + map[bool]string{false: "on", true: "off"}[o.Transposed]
	}
	return all
}

// quote is a word of a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// server is a script that asks a llama-server.
func (o Options) server(ids []int32, lora bool) []byte {
	text := func(s string) string {
		b, err := json.Marshal(s)
		if err != nil {
			panic("llamacpp: " + err.Error()) // a string is always JSON
		}
		return string(b)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `#!/bin/sh
# Asks a llama-server that was started in this folder:
#   llama-server %s
# usage: sh %s "Your prompt"
set -eu
server=${SERVER:-http://127.0.0.1:8080}
prompt=$(printf '%%s' "$1" | python3 -c 'import json, sys; print(json.dumps(%s + sys.stdin.read() + %s))')
`, o.flags(ids != nil, lora), ServerFile, strings.ReplaceAll(text(o.Before), "'", `'\''`), strings.ReplaceAll(text(o.After), "'", `'\''`))
	numbers := make([]string, 0, len(ids))
	for _, id := range append(ids[:len(ids):len(ids)], o.Begin...) {
		numbers = append(numbers, fmt.Sprint(id))
	}
	if ids != nil {
		fmt.Fprintf(&b, `curl -sf "$server/slots/0?action=restore" -H 'Content-Type: application/json' -d '{"filename": "%s"}' >&2
`, StateFile)
	}
	begin := strings.Join(append(numbers, "$prompt"), ", ")
	stop, err := json.Marshal(append([]string{}, o.Stop...))
	if err != nil {
		panic("llamacpp: " + err.Error())
	}
	fmt.Fprintf(&b, `curl -sf "$server/completion" -H 'Content-Type: application/json' -d @- <<END
{"prompt": [%s], "id_slot": 0, "cache_prompt": true, "temperature": 0, "n_predict": 128, "stop": %s}
END
echo
`, begin, strings.NewReplacer("\\", "\\\\", "$", "\\$", "`", "\\`").Replace(string(stop)))
	return []byte(b.String())
}

// modelfile is for Ollama, which takes GGUF adapters, and puts before a text what the tokenizer adds.
func (o Options) modelfile() []byte {
	var b strings.Builder
	if !o.Added {
		o.Before = o.Spelled + o.Before
	}
	fmt.Fprintf(&b, "# ollama create %s -f %s\nFROM ./%s\nADAPTER ./%s\nPARAMETER temperature 0\n", "my-model", ModelFile, o.GGUF, LoRAFile)
	if !strings.Contains(o.Before+o.After, `"""`) {
		fmt.Fprintf(&b, "TEMPLATE \"\"\"%s{{ .Prompt }}%s\"\"\"\n", template(o.Before), template(o.After))
	}
	for _, s := range o.Stop {
		fmt.Fprintf(&b, "PARAMETER stop %q\n", s)
	}
	return []byte(b.String())
}

// template is text in a template of Go's, in which Ollama's are written.
func template(s string) string { return strings.ReplaceAll(s, "{{", `{{ "{{" }}`) }

// readme says what to run.
func (o Options) readme(ids []int32, lora bool) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s, for llama.cpp\n\nFor `%s`, or another GGUF file of the same model. In this folder, with that file:\n\n```sh\nllama-server %s &\nsh %s \"Your prompt\"\n```\n",
		o.Name, o.GGUF, o.flags(ids != nil, lora), ServerFile)
	if ids != nil {
		fmt.Fprintf(&b, "\n`%s` is a sequence state of %d tokens (`llama_state_seq_load_file`, version %d), for a context with one sequence, 16-bit\n"+
			"keys and values and flash attention %s. A prompt that begins with its tokens is answered with the prefix, which is not\ncomputed again. Other contexts refuse it.\n",
			StateFile, len(ids), stateVersion, map[bool]string{false: "on", true: "off"}[o.Transposed])
	} else {
		fmt.Fprintf(&b, "\nFor Ollama: `ollama create my-model -f %s`.\n", ModelFile)
	}
	return []byte(b.String())
}
