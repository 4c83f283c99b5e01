package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"prelude/engine/cpu"
	"prelude/models/tokenizer"
)

// options are the command's flags.
type options struct {
	corpus, tokenizer, config, out, export string
	steps, stop, batch, seq, every         int
	rate                                   float64
	seed                                   uint64
}

func main() {
	var o options
	flag.StringVar(&o.corpus, "corpus", "build/corpus", "`folder` with train.txt and heldout.txt")
	flag.StringVar(&o.tokenizer, "tokenizer", "build/tokenizer.json", "tokenizer.json `file`")
	flag.StringVar(&o.config, "config", "", "config.json `file` (default: the bundled model's)")
	flag.StringVar(&o.out, "out", "build/pretrain", "`folder` for the checkpoint and curve.csv")
	flag.StringVar(&o.export, "export", "", "`folder` to write the trained model into")
	flag.IntVar(&o.steps, "steps", 2000, "`steps` of the whole run, which the learning rate follows")
	flag.IntVar(&o.stop, "stop", 0, "stop after this `step`, to go on later (default: at the end)")
	flag.IntVar(&o.batch, "batch", 4, "`sequences` a step")
	flag.IntVar(&o.seq, "seq", 512, "`tokens` a sequence")
	flag.IntVar(&o.every, "every", 100, "`steps` between checkpoints and looks at the held-out text")
	flag.Float64Var(&o.rate, "lr", 3e-3, "peak learning rate")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of weights and batches")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "usage: pretrain [flags]\n\nTrains a small Llama from nothing; see the package documentation.\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pretrain:", err)
		os.Exit(1)
	}
}

// evalTokens bounds the held-out text that is looked at on the way; the end sees all.
const evalTokens = 16384

func run(ctx context.Context, o options, log io.Writer) error {
	if o.steps <= 0 || o.batch <= 0 || o.seq <= 1 || o.every <= 0 || flag.NArg() > 0 {
		return errors.New("steps, batch, seq and every must be positive, and there are no arguments (see -help)")
	}
	tok, end, err := openTokenizer(o.tokenizer)
	if err != nil {
		return err
	}
	train, err := readText(filepath.Join(o.corpus, "train.txt"), tok, end)
	if err != nil {
		return err
	}
	heldOut, err := readText(filepath.Join(o.corpus, "heldout.txt"), tok, end)
	if err != nil {
		return err
	}
	config := defaultConfig
	if o.config != "" {
		if config, err = os.ReadFile(o.config); err != nil {
			return err
		}
	}
	dev := cpu.New[float32]()
	defer dev.Close()
	m, err := newModel(ctx, dev, config, tok.Vocab(), o.seed)
	if err != nil {
		return err
	}
	if o.seq > m.Info().Context {
		return fmt.Errorf("-seq %d is longer than the model's context of %d tokens", o.seq, m.Info().Context)
	}
	b, err := newBatches(train, end, o.seq, o.batch, o.seed)
	if err != nil {
		return err
	}
	t, err := newTrainer(ctx, dev, m, b, o.steps, o.rate)
	if err != nil {
		return err
	}
	if err := t.follow(ctx, o, heldOut, log); err != nil || t.step < o.steps || o.export == "" {
		return err
	}
	return m.export(ctx, o.export, o.tokenizer)
}

func openTokenizer(path string) (tok *tokenizer.Tokenizer, end int32, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	if tok, err = tokenizer.FromJSON(f); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	if err = tok.SetSpecial("", endToken); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	return tok, tok.EOS(), nil
}

// follow goes on from the checkpoint, if there is one, and writes curve.csv. An
// interrupt ends it after the step, with a checkpoint.
func (t *trainer) follow(ctx context.Context, o options, heldOut *text, log io.Writer) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	checkpoint := filepath.Join(o.out, "checkpoint.safetensors")
	if err := t.restore(ctx, checkpoint); err != nil {
		return err
	}
	curve, err := openCurve(filepath.Join(o.out, "curve.csv"), t.step)
	if err != nil {
		return err
	}
	defer curve.Close()
	last := o.steps
	if o.stop > 0 {
		last = min(last, o.stop)
	}
	begin, first := time.Now(), t.step
	for t.step < last && ctx.Err() == nil {
		loss, err := t.next(context.WithoutCancel(ctx))
		if err != nil {
			return err
		}
		quality := ""
		if t.step%o.every == 0 || t.step == o.steps {
			limit := evalTokens
			if t.step == o.steps {
				limit = len(heldOut.ids)
			}
			bits, err := t.eval.bits(context.WithoutCancel(ctx), heldOut, limit)
			if err != nil {
				return err
			}
			quality = fmt.Sprintf("%.4f", bits)
			if err := t.save(context.WithoutCancel(ctx), checkpoint); err != nil {
				return err
			}
			each := time.Since(begin) / time.Duration(t.step-first)
			fmt.Fprintf(log, "step %d of %d  loss %.4f  held-out bits a byte %s  %v a step\n", t.step, o.steps, loss, quality, each.Round(time.Millisecond))
		}
		if _, err := fmt.Fprintf(curve, "%d,%d,%.6f,%s\n", t.step, t.step*o.batch*o.seq, loss, quality); err != nil {
			return err
		}
	}
	return t.save(context.WithoutCancel(ctx), checkpoint)
}

// openCurve opens curve.csv for appending, cut to the lines up to step.
func openCurve(path string, step int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	size, err := curveSize(f, step)
	if err == nil {
		err = f.Truncate(size)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekEnd)
	}
	if err == nil && size == 0 {
		_, err = fmt.Fprintln(f, "step,tokens,train_loss,heldout_bits_per_byte")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// curveSize is the length of the header and the first step lines of a curve.
func curveSize(r io.Reader, step int) (int64, error) {
	if step == 0 {
		return 0, nil
	}
	all, err := io.ReadAll(r)
	size := 0
	for range step + 1 {
		n := bytes.IndexByte(all[size:], '\n')
		if n < 0 {
			break
		}
		size += n + 1
	}
	return int64(size), err
}
