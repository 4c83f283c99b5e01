package dispatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"prelude/models/weights"
	"prelude/ui/wire"
	"prelude/wasm/onepage"
	"prelude/wasm/session"
)

// savePage writes the prefix in use as a page of its own, in parts.
func (w *Worker) savePage(ctx context.Context, m wire.Export) error {
	zip, e, err := w.session.Export(ctx, wire.Export{ID: m.ID, Name: m.Name, Task: m.Task, About: m.About})
	if err != nil {
		return err
	}
	p := &onepage.Page{Title: m.Name, About: m.About, Model: w.session.Model().Name, Adapter: zip}
	if err := w.carry(ctx, p); err != nil {
		return session.Hint{Err: fmt.Errorf("the page's own files can't be read: %w", err), Do: "It needs the server that this page came from, or a visit that kept the page for use without a network."}
	}
	told := w.progress(m.ID, "Writing the page")
	out := &parts{w: w, id: m.ID}
	err = w.session.ModelFiles(ctx, func(all map[string]weights.Source) error {
		read := &reading{ctx: ctx, told: told}
		for _, name := range slices.Sorted(maps.Keys(all)) {
			size := all[name].Size()
			read.total += size
			p.Files = append(p.Files, onepage.File{Name: name, Size: size, Read: &source{reading: read, src: all[name]}})
		}
		return p.Write(out)
	})
	if err != nil {
		return err
	}
	e.For, e.PEFT, e.Note, e.Python, e.Finish = wire.ForPage, false, "", "", false
	if e.Name = m.Name + ".html"; p.Folder() {
		e.Name = m.Name + " page.zip"
	}
	w.host.Send(e, out.held)
	return nil
}

// carry adds what runs the page: the engine with its scripts, and their licences.
func (w *Worker) carry(ctx context.Context, p *onepage.Page) error {
	var script strings.Builder
	for _, name := range []string{"go", "webgpu", "worker"} {
		text, err := w.own(ctx, w.host.Asset(name))
		if err != nil {
			return err
		}
		script.Write(text)
		script.WriteString("\n")
	}
	p.Worker = script.String()
	engine, err := w.own(ctx, w.host.Asset("engine"))
	if err != nil {
		return err
	}
	p.Engine = onepage.File{Name: "/engine.wasm", Size: int64(len(engine)), Read: strings.NewReader(string(engine))}
	for _, name := range []string{"LICENSE.txt", "NOTICE.txt"} {
		text, err := w.own(ctx, w.host.Address(name))
		if err != nil {
			return err
		}
		p.Licences += string(text) + "\n"
	}
	return nil
}

// own reads one of the page's own files.
func (w *Worker) own(ctx context.Context, address string) ([]byte, error) {
	if address == "" {
		return nil, errors.New("this page has none")
	}
	resp, err := w.get(ctx, address, -1)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.Status != 200 {
		return nil, fmt.Errorf("%s: status %d", address, resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, 64<<20))
}

// reading is how far the model's files are read.
type reading struct {
	ctx         context.Context
	done, total int64
	told        func(done, total int64)
}

// source reads one of them from its beginning on.
type source struct {
	*reading
	src weights.Source
	at  int64
}

func (s *source) Read(dst []byte) (int, error) {
	n := min(int64(len(dst)), s.src.Size()-s.at)
	if n == 0 {
		return 0, io.EOF
	}
	if err := s.src.ReadRange(s.ctx, s.at, dst[:n]); err != nil {
		return 0, err
	}
	s.at += n
	s.done += n
	s.told(s.done, s.total)
	return int(n), nil
}

// partBytes is how much of an export goes to the page at a time.
const partBytes = 4 << 20

// parts sends what is written to it; the last part is held.
type parts struct {
	w    *Worker
	id   int
	held []byte
}

func (p *parts) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		if len(p.held) == partBytes {
			p.w.host.Send(wire.Part{ID: p.id}, p.held)
			p.held = p.held[:0]
		}
		n := min(len(rest), partBytes-len(p.held))
		p.held, rest = append(p.held, rest[:n]...), rest[n:]
	}
	return len(b), nil
}
