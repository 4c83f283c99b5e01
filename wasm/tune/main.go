// Tune is Prelude without a browser: the same engine, models and sessions as the page.
//
//	tune train    -model prelude-wren -data static/samples/plants.jsonl -steps 60 -out adapter
//	tune study    -model prelude-wren -text e2e/study/mill.md -conversations 16 -steps 10 -out cartridge
//	tune eval     -model prelude-wren -data static/samples/plants.jsonl -adapter adapter -rows answers.csv
//	tune generate -model prelude-wren -adapter adapter -prompt "name : Mint | kind : herb | light : half shade | water : much | height : 60 cm"
//	tune export   -model prelude-wren -out folder
//	tune methods
//
// A model is a folder of static/models, a folder on disk, or a .gguf file. Results go to
// standard output, with -json as JSON objects, one a line; everything else goes to standard
// error. SIGINT, SIGTERM and SIGHUP end a training after the step under way: what it has
// learned is written, and a checkpoint in a folder beside it, from which "tune train -resume"
// goes on. A second signal ends the program. Exit status: 0 done, 1 failed, 2 wrong usage, 128 and the
// signal's number where a signal ended the work early.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"prelude/engine"
	"prelude/engine/cpu"
	"prelude/models"
	"prelude/models/weights"
	"prelude/prefix"
	"prelude/simd"
	"prelude/ui/wire"
	"prelude/wasm/session"
)

// command is one subcommand.
type command struct {
	name, about string
	run         func(ctx context.Context, args []string) error
}

var commands = []command{
	{"train", "tune a prefix on a file of examples, write a PEFT adapter", runTrain},
	{"study", "make a prefix that knows a text or follows an instruction", runStudy},
	{"eval", "answer the held-out examples by base model, examples in context and prefix, and compare", runEval},
	{"generate", "continue a prompt, with or without a prefix", runGenerate},
	{"export", "write a model as a folder that transformers loads, or an adapter for llama.cpp", runExport},
	{"serve", "answer OpenAI's API with prefixes as models", runServe},
	{"methods", "list what -method can choose", runMethods},
	{"version", "print the version, the licence and where the source is", runVersion},
}

func usage(to *os.File) {
	fmt.Fprint(to, "usage: tune <command> [flags]\n\n")
	for _, c := range commands {
		fmt.Fprintf(to, "  %-9s %s\n", c.name, c.about)
	}
	fmt.Fprint(to, "\n'tune <command> -help' lists a command's flags.\n")
}

func main() {
	if len(os.Args) < 2 {
		usage(os.Stderr)
		os.Exit(2)
	}
	switch os.Args[1] {
	case "-h", "-help", "--help", "help":
		usage(os.Stdout)
		return
	}
	ctx, signalled := interruptible()
	for _, c := range commands {
		if c.name != os.Args[1] {
			continue
		}
		err := c.run(ctx, os.Args[2:])
		var h session.Hint
		var wrong usageError
		switch {
		case err == nil || errors.Is(err, flag.ErrHelp):
			os.Exit(signalled())
		case errors.Is(err, errUsage):
			os.Exit(2)
		case errors.As(err, &wrong):
			fmt.Fprintf(os.Stderr, "tune %s: %v; 'tune %s -help' lists the flags\n", c.name, err, c.name)
			os.Exit(2)
		case errors.Is(err, context.Canceled):
			fmt.Fprintln(os.Stderr, "tune: stopped; there is nothing to keep")
			os.Exit(max(signalled(), 1))
		case errors.As(err, &h):
			fmt.Fprintf(os.Stderr, "tune: %v. %s\n", err, h.Do)
		default:
			fmt.Fprintf(os.Stderr, "tune: %v\n", err)
		}
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "tune: unknown command %q\n", os.Args[1])
	usage(os.Stderr)
	os.Exit(2)
}

// errUsage has been reported already.
var errUsage = errors.New("wrong usage")

// usageError is wrong usage that is still to be reported.
type usageError struct{ error }

// flags are the flags that commands share.
type flags struct {
	*flag.FlagSet
	model, adapter    string
	device, precision string
	json              bool
	chat              *bool
	space, skip       bool
	cut, turns        bool
	columns, vars     string
	system, form      string
	chatName, hub     string
	seed              uint64
	val, test         float64
	data              fileList
	valFile, testFile fileList
	options           *wire.DataOptions // instead of those that the flags say
	hash              string            // of the examples, once they are read
}

func newFlags(name string) *flags {
	f := &flags{FlagSet: flag.NewFlagSet("tune "+name, flag.ContinueOnError)}
	f.StringVar(&f.model, "model", "", "`model`: a name under static/models, a folder, or a .gguf file")
	f.BoolVar(&f.json, "json", false, "write results as JSON, one object a line")
	f.StringVar(&f.device, "device", "simd", "`device`: simd (the browser's kernels) or cpu (the reference)")
	f.StringVar(&f.precision, "precision", wire.DefaultPrecision, "products with the model's weights: exact, in float32, or fast, in 8 or 16 bits where the device finds that faster")
	return f
}

func (f *flags) examples() {
	f.Var(&f.data, "data", "`file` of examples (JSON Lines, a table, Parquet), its https address or its link on the Hugging Face hub; several with commas between, or by the flag given again, which a name or an address with a comma may need")
	f.StringVar(&f.hub, "hub", "", "`address` of a mirror of the Hugging Face hub, from which -data fetches links to it (default: HF_ENDPOINT, else the hub)")
	f.BoolFunc("chat", "wrap examples in the model's chat template (default: where the model has one; -chat=false does not)", func(v string) error {
		on, err := strconv.ParseBool(v)
		f.chat = &on
		return err
	})
	f.StringVar(&f.chatName, "chat-template", "", "`name` of one of the model's chat templates, where it has several; empty is the one called default")
	f.StringVar(&f.system, "system", "", "system `message` of the chat template; empty keeps the template's own")
	f.StringVar(&f.form, "template", "", "`form` of an example, such as '{text}\\nSentiment:{label}'")
	f.BoolVar(&f.cut, "cut", false, "cut long examples (the prompt's beginning, the answer's end) instead of refusing them")
	f.BoolVar(&f.turns, "turns", false, "learn every answer of a conversation, not the last alone")
	f.StringVar(&f.columns, "columns", "", "the `prompt,completion` columns, or keys, of a file that names them otherwise")
	f.StringVar(&f.vars, "vars", "", "switches of the chat template, like `enable_thinking=false`")
	f.BoolVar(&f.space, "space", false, "put a space before completions that lack one")
	f.BoolVar(&f.skip, "skip", false, "skip lines that can't be used")
	f.Float64Var(&f.val, "val", 20, "`percent` of the examples set aside for validation, at most a third")
	f.Var(&f.valFile, "val-data", "`file` of one's own to validate on, instead of -val")
	f.Float64Var(&f.test, "test", 0, "`percent` of the examples set aside for testing, which training never reads; give eval the same")
	f.Var(&f.testFile, "test-data", "`file` of one's own to test on, instead of -test")
	f.Uint64Var(&f.seed, "seed", wire.DefaultTrain().Seed, "seed of the split, the start and the order")
}

func (f *flags) parse(args []string, required ...string) error {
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	if f.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "%s: unexpected argument %q\n", f.Name(), f.Arg(0))
		return errUsage
	}
	return f.require(required...)
}

// require refuses a command line that lacks one of these flags.
func (f *flags) require(names ...string) error {
	for _, name := range names {
		if f.Lookup(name).Value.String() == "" {
			fmt.Fprintf(os.Stderr, "%s: -%s is missing; 'tune %s -help' lists the flags\n", f.Name(), name, strings.TrimPrefix(f.Name(), "tune "))
			return errUsage
		}
	}
	return nil
}

// given says whether a flag was given.
func (f *flags) given(name string) (yes bool) {
	f.Visit(func(x *flag.Flag) { yes = yes || x.Name == name })
	return yes
}

func (f *flags) dataOptions() wire.DataOptions {
	if f.options != nil {
		return *f.options
	}
	o := wire.DataOptions{Cut: f.cut, Turns: f.turns, SkipBad: f.skip, Space: f.space, Chat: f.chat, Template: strings.ReplaceAll(f.form, `\n`, "\n"), Seed: f.seed, ValShare: f.val / 100, TestShare: f.test / 100}
	if f.chatName != "default" {
		o.ChatTemplate = f.chatName
	}
	if f.system != "" {
		o.System = &f.system
	}
	o.PromptColumn, o.CompletionColumn, _ = strings.Cut(f.columns, ",")
	for _, pair := range strings.FieldsFunc(f.vars, func(c rune) bool { return c == ',' || c == ' ' }) {
		if o.Vars == nil {
			o.Vars = map[string]bool{}
		}
		name, value, _ := strings.Cut(pair, "=")
		o.Vars[name] = value != "false" && value != "0"
	}
	return o
}

// open loads the model, and the examples and the prefix where flags name them.
func (f *flags) open(ctx context.Context) (*session.Session, error) {
	files, err := openModel(ctx, f.model)
	if err != nil {
		return nil, err
	}
	dev, err := f.openDevice(ctx)
	if err != nil {
		return nil, err
	}
	precision, err := engine.ParsePrecision(f.precision)
	if err != nil {
		return nil, usageError{err}
	}
	s := &session.Session{Device: dev, Precision: precision}
	fmt.Fprintf(os.Stderr, "loading %s (%.1f MB)\n", f.model, float64(files.WeightBytes())/1e6)
	if err := s.Load(ctx, files, weights.Options{}); err != nil {
		return nil, err
	}
	for _, note := range s.Model().Notes {
		fmt.Fprintln(os.Stderr, note)
	}
	if f.data != nil {
		fetch, err := newFetcher(f.hub, os.Getenv("HF_ENDPOINT"))
		if err != nil {
			return nil, err
		}
		name, content, err := fetch.readExamples(f.data)
		if err != nil {
			return nil, err
		}
		d, err := s.SetData(name, content, f.dataOptions())
		if err != nil {
			return nil, err
		}
		for _, held := range []struct {
			side string
			file fileList
		}{{"validation", f.valFile}, {"test", f.testFile}} {
			if held.file == nil {
				continue
			}
			name, content, err := fetch.readExamples(held.file)
			if err != nil {
				return nil, err
			}
			if d, err = s.SetHeld(held.side, name, content); err != nil {
				return nil, err
			}
			f.hash += fmt.Sprintf(" %s %x", held.side, sha256.Sum256(content))
		}
		f.hash = d.Hash + f.hash
		fmt.Fprintf(os.Stderr, "%d examples (%s): %d to train on, %d for validation", d.Count, d.Shape, d.Train, d.Val)
		if d.Test > 0 {
			fmt.Fprintf(os.Stderr, ", %d for testing", d.Test)
		}
		fmt.Fprintln(os.Stderr)
		for _, note := range d.Notes {
			fmt.Fprintln(os.Stderr, note)
		}
		for i, e := range d.Errors {
			if i == 10 {
				fmt.Fprintf(os.Stderr, "… and %d more\n", len(d.Errors)-i)
				break
			}
			fmt.Fprintf(os.Stderr, "line %d: %s\n", e.Line, e.Message)
		}
		if d.NeedSpace && !f.space {
			fmt.Fprintln(os.Stderr, "completions run into their prompts without a space; -space puts one there")
		}
	}
	if f.adapter != "" {
		zip, err := readAdapter(f.adapter)
		if err != nil {
			return nil, err
		}
		if _, err := s.Import(ctx, zip); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// device is the one that was asked for: the SIMD kernels by default.
func (f *flags) openDevice(ctx context.Context) (engine.Device, error) {
	switch f.device {
	case "simd":
		return simd.New(ctx, simd.Options{})
	case "cpu":
		return cpu.New[float32](), nil
	}
	return nil, session.Hint{Err: fmt.Errorf("no device %q", f.device), Do: "There are simd and cpu."}
}

func openModel(ctx context.Context, name string) (*models.Files, error) {
	if strings.HasSuffix(name, ".gguf") {
		return models.Open(ctx, strings.TrimSuffix(filepath.Base(name), ".gguf"), weights.Dir(filepath.Dir(name)), filepath.Base(name))
	}
	dir := filepath.Join("static", "models", name)
	if _, err := os.Stat(dir); err != nil {
		dir = name
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, session.Hint{Err: fmt.Errorf("no model %q", name), Do: "Models lie in static/models; 'make models' gets SmolLM2."}
	}
	return models.Open(ctx, filepath.Base(dir), models.Dir(dir), "")
}

func runMethods(ctx context.Context, args []string) error {
	f := newFlags("methods")
	if err := f.parse(args); err != nil {
		return err
	}
	refused := map[string]string{}
	if f.model != "" {
		files, err := openModel(ctx, f.model)
		if err != nil {
			return err
		}
		refused = session.Refused(files.Family.Info())
	}
	return prefix.List(os.Stdout, f.model, refused)
}
