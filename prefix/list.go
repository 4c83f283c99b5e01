package prefix

import (
	"fmt"
	"io"
)

// List writes all presets, axes, options and settings as plain text, for a command line. Where
// a model refuses some, the text gives its name and, from [Refused], the reasons.
func List(w io.Writer, model string, refused map[string]string) error {
	var err error
	print := func(format string, a ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, format, a...)
		}
	}
	show := func(key, what, sentence string) {
		if why, ok := refused[key]; ok {
			sentence = "not with " + model + ": " + why
		}
		print("  %s\n      %s\n", what, sentence)
	}
	print("presets\n")
	for _, p := range Presets() {
		show("preset."+p.ID, "-preset "+p.ID, p.Sentence)
	}
	for _, a := range Axes() {
		if len(a.Options) == 0 {
			continue
		}
		print("%s\n", a.ID)
		for _, o := range a.Options {
			key := a.ID + "." + o.ID
			show(key, a.ID+"="+o.ID, o.Sentence)
			if _, ok := refused[key]; ok {
				continue
			}
			for _, s := range o.Settings {
				print("      %s.%s=%s  %s\n", o.ID, s.ID, s.Default, s.Help)
			}
		}
	}
	return err
}
