//go:build js && wasm

package main

import (
	"prelude/ui/words"

	"syscall/js"
)

// intl is a language's rules by the browser's Intl.
type intl struct {
	tag     string
	plurals js.Value
	numbers map[int]js.Value // formats by their decimals
}

func (b *browser) Intl(tag string) words.Intl {
	return &intl{tag: tag, plurals: js.Global().Get("Intl").Get("PluralRules").New(tag), numbers: map[int]js.Value{}}
}

func (i *intl) One(n float64) bool { return i.plurals.Call("select", n).String() == "one" }

func (i *intl) Number(v float64, decimals int) string {
	format, ok := i.numbers[decimals]
	if !ok {
		format = js.Global().Get("Intl").Get("NumberFormat").New(i.tag, map[string]any{"minimumFractionDigits": decimals, "maximumFractionDigits": decimals})
		i.numbers[decimals] = format
	}
	return format.Call("format", v).String()
}

// languageKey is where the chosen language is kept.
const languageKey = "prelude.language"

// storage calls a method of localStorage; a browser that forbids it keeps nothing.
func storage(method string, args ...any) (v js.Value) {
	defer func() { recover() }()
	return js.Global().Get("localStorage").Call(method, args...)
}

func (b *browser) Languages() (all []string) {
	if chosen := storage("getItem", languageKey); chosen.Type() == js.TypeString {
		all = append(all, chosen.String())
	}
	if wanted := js.Global().Get("navigator").Get("languages"); wanted.Truthy() {
		for i := range wanted.Length() {
			all = append(all, wanted.Index(i).String())
		}
	}
	return all
}

func (b *browser) Speak(tag string, chosen bool) {
	document := js.Global().Get("document")
	document.Get("documentElement").Set("lang", tag)
	document.Set("title", words.Say("page.title"))
	if chosen {
		storage("setItem", languageKey, tag)
	}
}
