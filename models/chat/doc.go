// Package chat writes conversations as the text that an instruct model was
// trained on.
//
// A model's files carry a template for this (tokenizer.chat_template in GGUF,
// chat_template in tokenizer_config.json, or chat_template.jinja): a program in
// the Jinja language that gets the messages and prints the prompt. Parse reads
// such a program, Render runs it. What is implemented is the part of Jinja that
// templates use, with the settings that transformers gives it (trim_blocks,
// lstrip_blocks, loop controls); a tag, filter, test or method that isn't known
// is refused by name. Templates come from strangers: they reach nothing but
// their input, and steps, output and nesting are bounded.
//
// Some templates add a system message of their own. DefaultSystem finds it, and
// Input.System changes it or leaves it out.
package chat
