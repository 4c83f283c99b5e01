package ui

// Store is the page's own files in this browser, under plain names. Every call returns at
// once and calls back later.
type Store interface {
	List(done func(names []string, err error))
	Read(name string, done func(Bytes, error))
	Write(name string, content Bytes, done func(error)) // whole, or not at all
	Delete(name string, done func(error))               // one that is not there is no error
}

// pen writes to a store, one file at a time and in the order of what came last: of several
// contents for one name only the last is written.
type pen struct {
	store   Store
	waiting []change
	busy    bool
	sizes   map[string]int   // of the files that are there
	texts   map[string]Bytes // by name: the texts that are there or will be
	done    func(name string, err error)
}

// change is what is to happen to a file; no content deletes it.
type change struct {
	name    string
	content Bytes
}

func newPen(store Store, done func(name string, err error)) *pen {
	return &pen{store: store, sizes: map[string]int{}, texts: map[string]Bytes{}, done: done}
}

// write keeps content under a name.
func (p *pen) write(name string, content Bytes) { p.put(change{name, content}) }

// writeText keeps a text, unless it is what is kept already.
func (p *pen) writeText(name string, text Bytes) {
	if have := p.texts[name]; have != nil && have.String() == text.String() {
		return
	}
	p.texts[name] = text
	p.write(name, text)
}

// remove deletes a file, if there is one or will be.
func (p *pen) remove(name string) {
	delete(p.texts, name)
	if _, there := p.sizes[name]; there || p.writes(name) {
		p.put(change{name: name})
	}
}

// has says whether a file is there or will be.
func (p *pen) has(name string) bool {
	return p.sizes[name] > 0 || p.writes(name)
}

func (p *pen) writes(name string) bool {
	for _, c := range p.waiting {
		if c.name == name {
			return c.content != nil
		}
	}
	return false
}

func (p *pen) put(c change) {
	for i, old := range p.waiting {
		if old.name == c.name && (i > 0 || !p.busy) {
			p.waiting = append(p.waiting[:i:i], p.waiting[i+1:]...)
			break
		}
	}
	p.waiting = append(p.waiting, c)
	p.next()
}

// next begins with the first change that waits.
func (p *pen) next() {
	if p.busy || len(p.waiting) == 0 {
		return
	}
	p.busy = true
	c := p.waiting[0]
	after := func(err error) {
		p.busy, p.waiting = false, p.waiting[1:]
		switch {
		case err != nil:
			delete(p.texts, c.name) // it is tried again with the next change
		case c.content == nil:
			delete(p.sizes, c.name)
		default:
			p.sizes[c.name] = c.content.Len()
		}
		p.done(c.name, err)
		p.next()
	}
	if c.content == nil {
		p.store.Delete(c.name, after)
		return
	}
	p.store.Write(c.name, c.content, after)
}

// total is the bytes of all files that are there.
func (p *pen) total() (bytes int64) {
	for _, n := range p.sizes {
		bytes += int64(n)
	}
	return bytes
}

// readAll reads files side by side; one that can't be read is left out, and so is an
// empty one: a browser that died before the first content of a file was whole leaves that.
func readAll(store Store, names []string, done func(map[string]Bytes)) {
	files := map[string]Bytes{}
	left := len(names)
	if left == 0 {
		done(files)
	}
	for _, name := range names {
		store.Read(name, func(b Bytes, err error) {
			if err == nil && b != nil && b.Len() > 0 {
				files[name] = b
			}
			if left--; left == 0 {
				done(files)
			}
		})
	}
}
