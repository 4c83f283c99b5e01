package adapter

import (
	"fmt"
	"strings"
)

// Python is how the adapter in a folder is loaded and asked in Python. Base says where
// the model comes from: a name of the hub, or a folder.
//
// A prefix and a soft prompt are asked by forward passes: PEFT 0.21.2 puts them into
// generate's first pass only where it is told a cache_position, which transformers 5 no
// longer does, so that generate there answers without them, and says nothing.
func (a *Adapter) Python(base, folder string) string {
	class := "AutoModelForCausalLM"
	if a.Config.TaskType == SeqToSeq {
		class = "AutoModelForSeq2SeqLM"
	}
	lines := []string{
		"import torch",
		fmt.Sprintf("from transformers import %s, AutoTokenizer", class),
		"from peft import PeftModel",
		"",
		fmt.Sprintf("tokenizer = AutoTokenizer.from_pretrained(%q)", base),
		fmt.Sprintf("model = %s.from_pretrained(%q)", class, base),
		fmt.Sprintf("model = PeftModel.from_pretrained(model, %q).eval()", folder),
		`ids = tokenizer("Your prompt", return_tensors="pt").input_ids`,
	}
	switch {
	case a.Config.TaskType == SeqToSeq: // the same for all: a pass over prompt and answer each time
		lines = append(lines,
			"answer = torch.tensor([[model.config.decoder_start_token_id]])",
			"with torch.no_grad():",
			"    while answer.shape[1] < 60:",
			"        token = model(input_ids=ids, decoder_input_ids=answer).logits[:, -1:].argmax(-1)",
			"        if token.item() == tokenizer.eos_token_id:",
			"            break",
			"        answer = torch.cat([answer, token], dim=1)",
			"print(tokenizer.decode(answer[0, 1:], skip_special_tokens=True))")
	case a.inWeights():
		lines = append(lines,
			"out = model.generate(input_ids=ids, max_new_tokens=60, do_sample=False)",
			"print(tokenizer.decode(out[0, ids.shape[1]:], skip_special_tokens=True))")
	default:
		lines = append(lines,
			"answer = []",
			"with torch.no_grad():",
			"    out = model(input_ids=ids, use_cache=True)  # reads the prefix, then the prompt",
			"    while len(answer) < 60:",
			"        token = out.logits[0, -1].argmax().item()",
			"        if token == tokenizer.eos_token_id:",
			"            break",
			"        answer.append(token)",
			"        out = model.base_model(input_ids=torch.tensor([[token]]), past_key_values=out.past_key_values)",
			"print(tokenizer.decode(answer))")
	}
	return strings.Join(lines, "\n") + "\n"
}

// inWeights says whether the adapter is inside the model's own modules, where generate
// finds it.
func (a *Adapter) inWeights() bool {
	return a.Config.PeftType == LoRA || a.Config.PeftType == AdaptionPrompt
}

// Base is where PEFT finds the model: a name of the hub, or a folder of the reader's.
func (a *Adapter) Base() string {
	if strings.Contains(a.Config.BaseModel, "/") {
		return a.Config.BaseModel
	}
	return "model-folder"
}

// readme is README.md: what this is, and how PEFT loads it.
func (a *Adapter) readme() []byte {
	name := a.Prelude.Name
	if name == "" {
		name = "A trained prefix"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\nTrained with Prelude for `%s`.\n\n", name, a.Config.BaseModel)
	if a.Config.PeftType == Own {
		fmt.Fprintf(&b, "PEFT cannot load it: %s.\n", a.Prelude.NoPEFT)
		return []byte(b.String())
	}
	fmt.Fprintf(&b, "```python\n%s```\n\n", a.Python(a.Base(), "."))
	b.WriteString("The last folder is the one of this file.\n")
	if a.Base() != a.Config.BaseModel {
		fmt.Fprintf(&b, "`model-folder` is a copy of `%s` that transformers reads: `tune export -model %s -out model-folder` writes one.\n"+
			"Where that folder holds a .gguf file, both from_pretrained of the model and the tokenizer need gguf_file=\"NAME.gguf\" too.\n", a.Config.BaseModel, a.Config.BaseModel)
	}
	if !a.inWeights() {
		b.WriteString("\nDon't ask it by `model.generate`: with transformers 5, PEFT 0.21.2 leaves the prefix out there\n" +
			"without a word. It tells the first pass by `cache_position`, which transformers no longer passes.\n" +
			"The lines above put the prefix in by a forward pass, which is right with every version.\n")
	}
	return []byte(b.String())
}
