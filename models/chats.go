package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"prelude/models/weights"
	"prelude/models/weights/gguf"
)

// ChatTemplate is one of several chat templates that a model has, by its name ("tool_use").
type ChatTemplate struct {
	Name string `json:"name"`
	Text string `json:"template"` // Jinja
}

const (
	// ChatFolder is where transformers keeps the chat templates of a model beside the default
	// one: a file NAME.jinja for each.
	ChatFolder = "additional_chat_templates"
	// ChatsName is that folder as one file, which [PackChats] writes: what opens files by their
	// names lists no folders.
	ChatsName = ChatFolder + ".json"

	chatFile = "chat_template.jinja" // the default one
)

// ChatOfFile is the name of the template that a file of [ChatFolder] holds; ok is false of
// other files.
func ChatOfFile(file string) (name string, ok bool) {
	name, ok = strings.CutSuffix(file, ".jinja")
	return name, ok && name != "" && file != chatFile
}

// PackChats writes [ChatsName]: texts are templates by their names.
func PackChats(texts map[string]string) []byte {
	all := []ChatTemplate{}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		all = append(all, ChatTemplate{name, texts[name]})
	}
	packed, err := json.Marshal(all)
	if err != nil {
		panic(err) // no text is an error
	}
	return packed
}

// Dir opens the files of a folder on the disk, [ChatsName] among them.
func Dir(folder string) weights.Opener {
	files := weights.Dir(folder)
	return func(ctx context.Context, name string) (weights.Source, error) {
		if name != ChatsName {
			return files(ctx, name)
		}
		dir := filepath.Join(folder, ChatFolder)
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		open := weights.Dir(dir)
		texts := map[string]string{}
		for _, e := range entries {
			chat, ok := ChatOfFile(e.Name())
			if !ok || e.IsDir() {
				continue
			}
			text, err := readFile(ctx, open, e.Name())
			if err != nil {
				return nil, err
			}
			texts[chat] = string(text)
		}
		return &weights.Bytes{Label: ChatsName, Data: PackChats(texts)}, nil
	}
}

// chatFiles takes the chat templates that are files of their own. They stand in the place of
// those of tokenizer_config.json, as in transformers.
func (f *Files) chatFiles(ctx context.Context, open weights.Opener, inConfig []ChatTemplate) error {
	where, all := "tokenizer_config.json: chat_template", inConfig
	var files []ChatTemplate
	if text, err := readFile(ctx, open, chatFile); err == nil {
		files = append(files, ChatTemplate{"default", string(text)})
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if text, err := readFile(ctx, open, ChatsName); err == nil {
		var more []ChatTemplate
		if err := json.Unmarshal(text, &more); err != nil {
			return fmt.Errorf("models: %s: %w", ChatsName, err)
		}
		files = append(files, more...)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(files) > 0 {
		where, all = "the folder "+ChatFolder, files
	}
	return f.nameChats(where, all)
}

// Bounds on the names of chat templates, which people choose from.
const maxChats, maxChatName = 32, 64

// nameChats takes a model's list of chat templates: the reference uses the one called default
// unless another is named.
func (f *Files) nameChats(where string, all []ChatTemplate) error {
	if len(all) > maxChats {
		return fmt.Errorf("models: %s has %d templates, at most %d are read", where, len(all), maxChats)
	}
	seen := map[string]bool{}
	var names []string
	for _, t := range all {
		switch {
		case t.Name == "" || len(t.Name) > maxChatName:
			return fmt.Errorf("models: %s: a template's name has %d bytes, want 1 to %d", where, len(t.Name), maxChatName)
		case seen[t.Name]:
			return fmt.Errorf("models: %s: two templates have the name %q", where, t.Name)
		case t.Name == "default":
			f.Chat = t.Text
		default:
			f.NamedChats = append(f.NamedChats, t)
			names = append(names, fmt.Sprintf("%q", t.Name))
		}
		seen[t.Name] = true
	}
	switch {
	case len(names) == 0:
	case f.Chat == "":
		f.Notes = append(f.Notes, fmt.Sprintf("Of the model's chat templates (%s) none is called default: examples stay plain text until one is chosen.", strings.Join(names, ", ")))
	default:
		f.Notes = append(f.Notes, fmt.Sprintf("Of the model's chat templates the one called default is used unless another is chosen: %s.", strings.Join(names, ", ")))
	}
	return nil
}

// chatsOfGGUF reads the chat template of a GGUF file, and those beside it.
func (f *Files) chatsOfGGUF(m gguf.Metadata) error {
	const key = "tokenizer.chat_template"
	var all []ChatTemplate
	if text, ok := m.String(key); ok {
		all = append(all, ChatTemplate{"default", text})
	}
	names, _ := m.Strings(key + "s")
	for _, name := range names[:min(len(names), maxChats)] {
		if text, ok := m.String(key + "." + name); ok && name != "default" {
			all = append(all, ChatTemplate{name, text})
		}
	}
	return f.nameChats(key+"s", all)
}
