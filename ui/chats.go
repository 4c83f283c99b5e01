package ui

import (
	"maps"
	"strings"

	"prelude/ui/wire"
)

// ChatsPanel chooses among the model's chat templates and sets the variables of the one in use.
type ChatsPanel struct{ App *App }

// chatTemplate is the chat template that the examples are to be wrapped in, nil where the model
// has none of that name.
func (a *App) chatTemplate() *wire.ChatTemplate {
	if a.model.loaded == nil {
		return nil
	}
	for i, t := range a.model.loaded.Chats {
		if t.Name == a.data.opts.ChatTemplate {
			return &a.model.loaded.Chats[i]
		}
	}
	return nil
}

// systemText is the system message that stands in the preview.
func (a *App) systemText() string {
	if a.data.opts.System != nil {
		return *a.data.opts.System
	}
	if t := a.chatTemplate(); t != nil {
		return t.System
	}
	return ""
}

// setChatTemplate takes another of the model's chat templates. What was switched off or on in
// the one before says nothing of this one.
func (a *App) setChatTemplate(name string) {
	a.reparse(func(o *wire.DataOptions) { o.ChatTemplate, o.Vars = name, nil })
}

// Values of a template's variable: what the template does where nothing is said, and the two
// that it can be set to.
const varOwn, varOn, varOff = "", "on", "off"

// setVar sets a variable of the chat template.
func (a *App) setVar(name, value string) {
	a.reparse(func(o *wire.DataOptions) {
		o.Vars = maps.Clone(o.Vars)
		if o.Vars == nil {
			o.Vars = map[string]bool{}
		}
		if o.Vars[name] = value == varOn; value == varOwn {
			delete(o.Vars, name)
		}
	})
}

// value of a variable, as its box has it.
func (c *ChatsPanel) value(name string) string {
	switch on, set := c.App.data.opts.Vars[name]; {
	case !set:
		return varOwn
	case on:
		return varOn
	}
	return varOff
}

// choosesChat says whether there is something to choose about the chat template.
func (a *App) choosesChat() bool { return a.severalChats() || len(a.switches()) > 0 }

func (a *App) severalChats() bool {
	if a.model.loaded == nil {
		return false
	}
	all := a.model.loaded.Chats
	return len(all) > 1 || len(all) == 1 && all[0].Name != ""
}

// switches are the variables of the template in use.
func (a *App) switches() []string {
	if t := a.chatTemplate(); t != nil && a.data.wrapped() {
		return t.Switches
	}
	return nil
}

// wrapped says whether the examples stand in a chat template.
func (d *examples) wrapped() bool {
	return d.set != nil && d.set.Chat || d.conversations()
}

// conversations says whether the examples are some, which always stand in a chat template.
func (d *examples) conversations() bool {
	return d.set != nil && strings.Contains(d.set.Shape, "messages")
}

// choices are the names of the templates; of a model without a default one, none of them first.
func (c *ChatsPanel) choices() []wire.ChatTemplate {
	all := c.App.model.loaded.Chats
	if all[0].Name == "" {
		return all
	}
	return append([]wire.ChatTemplate{{}}, all...)
}

func (c *ChatsPanel) called(t wire.ChatTemplate) string {
	switch {
	case t.Name != "":
		return t.Name
	case c.App.model.loaded.Chats[0].Name == "":
		return say("chats.default")
	}
	return say("all.none")
}
