package ui

import (
	"time"

	"prelude/ui/wire"
	"prelude/ui/words"

	"github.com/vugu/vugu"
)

// Host is what the page needs from the browser. All its functions return at
// once; what takes time calls back later, on the page's one thread.
type Host interface {
	StartWorker()                             // ends the worker that runs, starts another
	Send(m wire.Message, blob any)            // blob: nil, Bytes, or a [File]'s Ref
	Files(e vugu.DOMEvent) []File             // what was dropped or chosen
	Read(f File, done func(Bytes))            // the whole file
	Table(b Bytes, done func(Table))          // reads a Parquet table
	Fetch(path string, done func(int, Bytes)) // GET; status 0 where the network failed
	Request(method, path string, body Bytes, headers map[string]string, done func(int, Bytes))
	// Allow lets page and worker fetch from a host, "https://example.com", from now on; where
	// it is the hub, or a mirror of it, from the hub's stores too.
	Allow(host string, hub bool)
	// Download fetches a file of a host that is allowed, of at most so many bytes; stop ends it.
	Download(address string, headers map[string]string, most int64, told func(done, total int64), done func(Downloaded)) (stop func())
	Save(name string, parts ...Bytes) // offers a download of the parts one after the other
	Copy(text string)                 // to the clipboard
	Later(d time.Duration, f func())
	// Persist says whether the browser keeps what the page stores until a person deletes
	// it; with ask it is asked to.
	Persist(ask bool, done func(bool))
	// Own asks to be the tab whose sitting is kept, of all that are open; with take the one
	// that is loses it. Lost is called when this one does.
	Own(take bool, done func(own bool), lost func())
	Store() Store
	Bytes(text string) Bytes
	Languages() []string           // that the person wants, by BCP 47 tag: first what was chosen here before, then the browser's
	Speak(tag string, chosen bool) // the page is in this language now; chosen: to be remembered
	Intl(tag string) words.Intl    // the platform's rules of a language
	Location() string              // the page's address, with its fragment
	Visit(fragment string)         // gives the page's address another fragment; [App.Follow] hears of it
	Asset(name string) string      // the path of one of the page's own files, whose names change with their content
}

// File is a file that the person handed over; Ref is the browser's File object.
type File struct {
	Name string
	Size int64
	Ref  any
}

// Downloaded is what came of a download: a file, or why there is none.
type Downloaded struct {
	File   File   // as the browser hands over one that was dropped, without a name
	Type   string // the host's word for what it is
	Status int    // that the host answered with
	Large  int64  // the bytes that are known of a file that has too many
	Failed bool   // nothing came: no network, or a host that lets no other page read its files
}

// Bytes is file content that stays outside Go's heap, since the page only passes it on.
type Bytes interface {
	Len() int
	String() string // decoded as UTF-8
	Starts(with string) bool
}
