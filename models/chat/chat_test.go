package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// reference is what testdata/reference.py wrote: transformers' own renderings.
type reference struct {
	Renders []struct {
		Template string
		Messages []Message
		Prompt   bool
		Text     *string
		Error    string
	}
	Snippets []struct {
		Source string
		Vars   map[string]any
		Text   *string
		Error  string
	}
}

func readReference(t testing.TB, folder string) (ref reference) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "want.json"))
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber() // 1 and 1.0 print differently
		err = d.Decode(&ref)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func open(t testing.TB, path string) *Template {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tmpl, err := Parse(string(source))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return tmpl
}

// TestRender compares with transformers, template by template and conversation by
// conversation; where it raises, so must we.
func TestRender(t *testing.T) {
	ref := readReference(t, "testdata")
	if len(ref.Renders) < 480 {
		t.Fatalf("%d renders, want at least 480", len(ref.Renders))
	}
	compareRenders(t, ref, "testdata/templates", time.Time{})
}

// TestOtherTemplates does the same for the folder that PRELUDE_TEMPLATES names, in which
// testdata/reference.py has written what transformers makes of its templates.
func TestOtherTemplates(t *testing.T) {
	folder := os.Getenv("PRELUDE_TEMPLATES")
	if folder == "" {
		t.Skip("PRELUDE_TEMPLATES names no folder of templates")
	}
	compareRenders(t, readReference(t, folder), folder, time.Now())
}

func compareRenders(t *testing.T, ref reference, folder string, now time.Time) {
	refused := map[string]bool{}
	for _, r := range ref.Renders {
		source, err := os.ReadFile(filepath.Join(folder, r.Template))
		if err != nil {
			t.Fatal(err)
		}
		tmpl, err := Parse(string(source))
		if err != nil {
			if !refused[r.Template] {
				t.Errorf("%s: %v", r.Template, err)
			}
			refused[r.Template] = true
			continue
		}
		got, err := tmpl.Render(Input{Messages: r.Messages, AddGenerationPrompt: r.Prompt, BOS: "<s>", EOS: "</s>", Now: now})
		var refusal *Refusal
		switch {
		case r.Text != nil && (err != nil || got != *r.Text):
			t.Errorf("%s, %q, prompt %t: got %q, %v\nwant %q", r.Template, r.Messages, r.Prompt, got, err, *r.Text)
		case r.Text == nil && (!errors.As(err, &refusal) || refusal.Message != r.Error):
			t.Errorf("%s, %q: error %v, want %q", r.Template, r.Messages, err, r.Error)
		}
	}
}

// TestLanguage compares one piece of the language at a time with Jinja.
func TestLanguage(t *testing.T) {
	for _, s := range readReference(t, "testdata").Snippets {
		tmpl, err := Parse(s.Source)
		got := ""
		if err == nil {
			got, err = tmpl.Render(Input{Vars: s.Vars})
		}
		switch {
		case s.Text != nil && (err != nil || got != *s.Text):
			t.Errorf("%q: got %q, %v; want %q", s.Source, got, err, *s.Text)
		case s.Text == nil && err == nil:
			t.Errorf("%q: got %q, want an error (%s)", s.Source, got, s.Error)
		case s.Text == nil && !strings.HasPrefix(err.Error(), "chat: "):
			t.Errorf("%q: error %q does not say where it is from", s.Source, err)
		}
	}
}

// TestUnknown: what isn't known is refused when the template is read, by name.
func TestUnknown(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"a\n{% block f %}{% endblock %}", `line 2: tag "block" is not supported; supported are if, for, set`},
		{"a\n{% raw %}{{", `line 2: raw without {% endraw %}`},
		{"{% include 'x' %}", `tag "include"`},
		{"{{ x | shuffle }}", `filter "shuffle" is not supported; supported are abs, `},
		{"{{ x is prime }}", `test "prime" is not supported`},
		{"{{ lipsum() }}", `function "lipsum" is not supported; supported are dict, namespace, raise_exception, range, strftime_now`},
		{"{{ x.sum(1) }}", `method "sum" is not supported`},
		{"{{ ''.__class__.mro() }}", `method "mro" is not supported`},
		{"{{ 2 ** 3 }}", "operator **"},
		{"{{ x? }}", `unexpected character '?'`},
		{"{% for x in y recursive %}{% endfor %}", "recursive loops"},
		{"{{ " + strings.Repeat("(", 1000) + "1" + strings.Repeat(")", 1000) + " }}", "nested deeper than 100"},
		{"{{ " + strings.Repeat("-", 1000) + "1 }}", "nested deeper than 100"},
		{"{{ " + strings.Repeat("not ", 1000) + "1 }}", "nested deeper than 100"},
		{strings.Repeat("{% if x %}", 1000), "nested deeper than 100"},
		{"{# open", "comment without #}"},
		{"{{ 99999999999999999999 }}", "out of range"},
		{`{{ '\u12' }}`, `bad escape \u`},
	} {
		if _, err := Parse(c.source); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "chat: ") {
			t.Errorf("%.40q: error %v, want one with %q", c.source, err, c.want)
		}
	}
}

// TestBounds: a template from a stranger ends, and soon.
func TestBounds(t *testing.T) {
	for _, source := range []string{
		"{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
		"{{ range(1000000000000) | length }}",
		"{% set ns = namespace(s='x') %}{% for a in range(1000) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
		"{% set ns = namespace(s=['x']) %}{% for a in range(1000) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
		"{% set ns = namespace(s='x') %}{% for a in range(1000) %}{% set ns.s = ns.s.replace('x', 'xx') %}{% endfor %}",
		"{% set ns = namespace(s=['x']) %}{% for a in range(100) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s | tojson }}",
		"{% set ns = namespace(s='x') %}{% for a in range(100) %}{% set ns.s = [ns.s, ns.s] | map('string') | join %}{% endfor %}",
		"{% set x %}{% for a in range(100000) %}{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' }}{% endfor %}{% endset %}{{ x }}",
	} {
		tmpl, err := Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = tmpl.Render(Input{})
		if !errors.Is(err, errSteps) && !errors.Is(err, errSize) {
			t.Errorf("%q: error %v, want a bound", source, err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%q took %v", source, took)
		}
	}
}

// TestSystem: the message that a template adds by itself is found, changed and
// left out.
func TestSystem(t *testing.T) {
	const smol = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
	messages := []Message{{"user", "Hi"}}
	for _, c := range []struct{ template, own, without string }{
		{"smollm2.jinja", smol, "<|im_start|>user\nHi<|im_end|>\n"},
		{"qwen2.jinja", "You are a helpful assistant.", "<|im_start|>user\nHi<|im_end|>\n"},
		{"qwen25.jinja", "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.", "<|im_start|>user\nHi<|im_end|>\n"},
		{"llama2.jinja", "You are a careful assistant.", ""},
		{"chatml.jinja", "", "<|im_start|>user\nHi<|im_end|>\n"},
		{"qwen3.jinja", "", "<|im_start|>user\nHi<|im_end|>\n"},
		{"gemma.jinja", "", "<s><start_of_turn>user\nHi<end_of_turn>\n"},
		{"gemma3.jinja", "", "<s><start_of_turn>user\nHi<end_of_turn>\n"},
		{"zephyr.jinja", "", "<|user|>\nHi</s>\n"},
		{"llama3.jinja", "", "<s><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"},
	} {
		tmpl := open(t, filepath.Join("testdata/templates", c.template))
		in := Input{Messages: messages, BOS: "<s>", EOS: "</s>"}
		own, ok, err := tmpl.DefaultSystem(in)
		if err != nil || own != c.own || ok != (c.own != "") {
			t.Errorf("%s: own system message %q, %t, %v; want %q", c.template, own, ok, err, c.own)
		}
		none := ""
		in.System = &none
		got, err := tmpl.Render(in)
		if c.without == "" {
			if !errors.Is(err, errKept) {
				t.Errorf("%s: left out: %q, %v; want an error", c.template, got, err)
			}
		} else if err != nil || got != c.without {
			t.Errorf("%s: left out: %q, %v; want %q", c.template, got, err, c.without)
		}
		if c.template == "gemma.jinja" {
			continue // no system messages
		}
		other := "Speak French."
		in.System = &other
		changed, err := tmpl.Render(in)
		want, err2 := tmpl.Render(Input{Messages: append([]Message{{"system", other}}, messages...), BOS: "<s>", EOS: "</s>"})
		if err != nil || err2 != nil || changed != want || !strings.Contains(changed, other) {
			t.Errorf("%s: changed: %q, %v; want %q, %v", c.template, changed, err, want, err2)
		}
		// A conversation that brings a system message keeps it.
		in.Messages = append([]Message{{"system", "Mine."}}, messages...)
		if got, err := tmpl.Render(in); err != nil || !strings.Contains(got, "Mine.") || strings.Contains(got, other) {
			t.Errorf("%s: its own: %q, %v", c.template, got, err)
		}
	}
}

func TestNow(t *testing.T) {
	in := Input{Messages: []Message{{"user", "Hi"}}, Now: time.Date(2025, 3, 7, 0, 0, 0, 0, time.UTC)}
	got, err := open(t, "testdata/templates/llama32.jinja").Render(in)
	if err != nil || !strings.Contains(got, "Today Date: 07 Mar 2025\n") {
		t.Errorf("%q, %v", got, err)
	}
	in.Vars = map[string]any{"date_string": "1 May 2030"}
	if got, err = open(t, "testdata/templates/llama32.jinja").Render(in); err != nil || !strings.Contains(got, "Today Date: 1 May 2030\n") {
		t.Errorf("%q, %v", got, err)
	}
	in.Vars = map[string]any{"x": struct{}{}}
	if _, err = open(t, "testdata/templates/llama32.jinja").Render(in); err == nil || !strings.Contains(err.Error(), `variable "x"`) {
		t.Errorf("error %v", err)
	}
}

// FuzzRender: no template makes Parse or Render panic or run away.
func FuzzRender(f *testing.F) {
	ref := readReference(f, "testdata")
	for _, s := range ref.Snippets {
		f.Add(s.Source)
	}
	paths, _ := filepath.Glob("testdata/templates/*.jinja")
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(source))
	}
	f.Fuzz(func(t *testing.T, source string) {
		tmpl, err := Parse(source)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "chat: ") {
				t.Errorf("error %q does not say where it is from", err)
			}
			return
		}
		tmpl.Render(Input{Messages: []Message{{"system", "s"}, {"user", "u"}, {"assistant", "a"}}, AddGenerationPrompt: true})
	})
}

func Example() {
	t, err := Parse("{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}")
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := t.Render(Input{Messages: []Message{{"user", " Hi "}}, AddGenerationPrompt: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(text)
	// Output:
	// <user>Hi
	// <assistant>
}
