package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"prelude/ui/wire"
	"prelude/wasm/session"
)

// runStudy makes a prefix that knows a text, or follows an instruction, and examines it.
func runStudy(ctx context.Context, args []string) error {
	f := newFlags("study")
	t := f.training()
	t.Text = true
	text := f.String("text", "", "`file` to learn: a document, or an instruction")
	kind := f.String("kind", "document", "document (something to know) or instruction (something to follow)")
	conversations := f.Int("conversations", 64, "questions and answers that the model writes itself")
	questions := f.String("questions", "", "`file` of questions with short answers (JSON Lines); prints what prefix, text and neither make of them")
	show := f.Bool("show", false, "show the questions and answers")
	f.StringVar(&f.adapter, "adapter", "", "`folder` or .zip of a prefix to examine, instead of learning one")
	f.IntVar(&t.Slots, "slots", 0, "length of the prefix; 0 takes what suits the text")
	out := f.output()
	name := f.String("name", "prefix", "the prefix's `name`")
	if err := f.parse(args, "model", "text"); err != nil {
		return err
	}
	request, err := t.request()
	if err != nil {
		return err
	}
	if out.path != "" && f.adapter == "" {
		if err := out.try(); err != nil {
			return err
		}
	}
	var asked []session.Question
	if *questions != "" {
		if asked, err = readQuestions(*questions); err != nil {
			return err
		}
	}
	content, err := os.ReadFile(*text)
	if err != nil {
		return err
	}
	s, err := f.open(ctx)
	if err != nil {
		return err
	}
	read, err := s.SetText(ctx, filepath.Base(*text), *kind, content)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s: %d bytes, %d tokens, %d parts; by a trial, %d questions and answers take %s\n", read.Name, read.Bytes, read.Tokens, read.Chunks,
		*conversations, (time.Duration(read.RoundMillis*float64(*conversations)/float64(read.Round)) * time.Millisecond).Round(time.Second))
	for _, note := range read.Notes {
		fmt.Fprintln(os.Stderr, note)
	}
	if f.adapter == "" {
		if err := learn(ctx, s, f.report(), request, *conversations, *show); err != nil {
			return err
		}
		if out.path != "" {
			zip, _, err := s.Export(context.WithoutCancel(ctx), wire.Export{Name: *name})
			if err != nil {
				return err
			}
			if err := out.write(zip); err != nil {
				return err
			}
		}
	}
	if asked == nil {
		return nil
	}
	marks, err := s.Examine(context.WithoutCancel(ctx), asked)
	if err != nil {
		return err
	}
	if f.json {
		return printJSON(marks)
	}
	printMarks(asked, marks, *show)
	return nil
}

// learn writes the conversations and trains on them.
func learn(ctx context.Context, s *session.Session, r *report, t wire.Train, conversations int, show bool) error {
	between := func() bool { return ctx.Err() == nil }
	begun := time.Now()
	if err := s.Write(ctx, wire.Write{Conversations: conversations, Seed: t.Seed}, func(w wire.Written) {
		if w.Done {
			r.line("%d questions and answers in %.0f s, %.0f tokens each", w.Count, time.Since(begun).Seconds(), w.Tokens)
			return
		}
		r.line("%d of %d written, %s left", w.Count, w.Total, left(w.LeftSec))
		for _, x := range w.Said {
			if show {
				r.line("  %s\n    %s", x.Prompt, strings.ReplaceAll(x.Completion, "\n", " / "))
			}
		}
	}, between); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.what, r.base = "divergence", "without"
	done, err := s.Train(ctx, t, session.Watch{Planned: r.planned, Step: r.step, Eval: r.eval, Between: between})
	if err != nil {
		return err
	}
	r.trained(done)
	return nil
}

// readQuestions reads a file of questions, one JSON object a line.
func readQuestions(path string) (all []session.Question, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		var q session.Question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil || q.Question == "" || len(q.Answers) == 0 {
			return nil, fmt.Errorf("%s, line %d: want {\"question\": …, \"answers\": [\"…\"]}", path, n)
		}
		all = append(all, q)
	}
	return all, lines.Err()
}

func printMarks(asked []session.Question, marks []session.Marks, show bool) {
	if show {
		for i, q := range asked {
			fmt.Fprintf(os.Stderr, "%s (%s)\n", q.Question, q.Answers[0])
			for _, m := range marks {
				fmt.Fprintf(os.Stderr, "  %-16s %s\n", m.Name, strings.ReplaceAll(m.Answers[i], "\n", " / "))
			}
		}
	}
	fmt.Printf("%-16s %8s %8s %12s %12s\n", "", "right", "KL", "positions", "bytes")
	for _, m := range marks {
		fmt.Printf("%-16s %5d/%d %8.3f %12d %12d\n", m.Name, m.Right, len(asked), m.KL, m.Slots, m.Bytes)
	}
}
