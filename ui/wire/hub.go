package wire

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode"
)

// Hub is the Hugging Face hub's address, which a mirror's may stand in for.
const Hub = "https://huggingface.co"

// HubBase reads the address of a mirror of the hub, "" for the hub itself; ok says whether it is
// an https address without a query and without a name and a password.
func HubBase(text string) (base string, ok bool) {
	if text = strings.TrimRight(strings.TrimSpace(text), "/"); text == "" {
		return Hub, true
	}
	u, err := url.Parse(text)
	ok = err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" &&
		!strings.ContainsAny(text, " \\?#") && !strings.Contains("/"+u.Path+"/", "/../")
	return text, ok
}

// The kinds of the hub's repositories, as its addresses name them.
const (
	HubModel   = "models"
	HubDataset = "datasets"
	HubSpace   = "spaces"
)

// HubPlace is a repository of the hub, or a file or a folder of it.
type HubPlace struct {
	Kind     string // of the repository
	ID       string // "owner/name"
	Revision string // a branch, a tag or a commit
	Path     string // of the file or the folder; "" for all
}

// ReadHub reads what people write for a place on the hub:
//
//	owner/name          a model; of another kind with datasets/ or spaces/ before it
//	…@revision          instead of main
//	…/file  or  …:file  a file, whose name has a dot, or a folder
//	hf://…              the same
//	https://…           a page of it, or a file, of the hub or of the mirror at base
//
// Hub is false of the address of another host, ok of what names no repository.
func ReadHub(text, base string) (p HubPlace, hub, ok bool) {
	text = strings.TrimSpace(text)
	unescape := func(s string) (string, error) { return s, nil }
	rest, scheme := strings.CutPrefix(text, "hf://")
	if !scheme {
		link := text
		if !strings.Contains(text, "://") {
			link = "https://" + text
		}
		u, err := url.Parse(link)
		if at, is := "", false; err == nil {
			if at, is = hubPath(u, base); is {
				rest, unescape = at, url.PathUnescape
			} else if link == text {
				return p, false, false
			}
		} else if link == text {
			return p, false, false
		}
	}
	parts := strings.Split(strings.TrimSuffix(rest, "/"), "/")
	p.Kind, p.Revision = HubModel, "main"
	if k := parts[0]; k == HubModel || k == HubDataset || k == HubSpace {
		p.Kind, parts = k, parts[1:]
	}
	if len(parts) < 2 {
		return p, true, false
	}
	name, file, named := strings.Cut(parts[1], ":")
	name, revision, marked := strings.Cut(name, "@")
	p.ID = parts[0] + "/" + name
	below := parts[2:]
	if len(below) > 0 && !named {
		switch below[0] {
		case "blob", "resolve", "raw", "tree":
			if len(below) < 2 || marked {
				return p, true, false
			}
			marked, revision, below = true, below[1], below[2:]
		case "viewer": // the page that shows a data set's rows
			below = nil
		default:
			if !marked && !strings.Contains(below[len(below)-1], ".") {
				return p, true, false // three words are no id
			}
		}
	}
	p.Path = strings.Join(slices.DeleteFunc(append([]string{file}, below...), func(s string) bool { return s == "" }), "/")
	if marked {
		p.Revision = revision
	}
	var errs [2]error
	p.Path, errs[0] = unescape(p.Path)
	p.Revision, errs[1] = url.PathUnescape(p.Revision) // a revision's own slashes are escaped everywhere
	return p, true, errs == [2]error{} && hubName(parts[0]) && hubName(name) && !strings.Contains(rest, "//") &&
		plain(p.Revision) && !strings.ContainsAny(p.Revision, " ?#:@") && (p.Path == "" || plain(p.Path)) &&
		strings.TrimRightFunc(p.Path, unicode.IsSpace) == p.Path // which String would not keep
}

// hubName says whether the hub could know an owner or a repository by this name.
func hubName(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-_.", c) {
			return false
		}
	}
	return strings.Trim(s, ".") != ""
}

// plain says whether a path stays below where it begins.
func plain(s string) bool {
	for _, part := range strings.Split(s, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == '\\' || c == 0x7f })
}

// String is the place as [ReadHub] reads it.
func (p HubPlace) String() string {
	s := p.ID
	if p.Kind != HubModel {
		s = p.Kind + "/" + s
	}
	if p.Revision != "main" {
		s += "@" + url.PathEscape(p.Revision)
	}
	if p.Path != "" {
		s += ":" + p.Path
	}
	return s
}

// File says whether the place is a file.
func (p HubPlace) File() bool { return strings.Contains(path.Base(p.Path), ".") && p.Path != "" }

// Folder is the folder of the place's file, or its own path, with a slash behind it; "" for the
// repository's own.
func (p HubPlace) Folder() string {
	dir := p.Path
	if p.File() {
		dir = path.Dir(dir)
	}
	if dir == "" || dir == "." {
		return ""
	}
	return dir + "/"
}

// Address is the address of a file or a folder of the repository, at the hub or its mirror.
func (p HubPlace) Address(base, file string) string {
	kind := p.Kind + "/"
	if p.Kind == HubModel {
		kind = ""
	}
	return base + "/" + kind + p.ID + "/resolve/" + url.PathEscape(p.Revision) + "/" + escaped(file)
}

// List is the address that answers with the [HubFile]s of the place's folder, the first thousand.
func (p HubPlace) List(base string) string {
	at := base + "/api/" + p.Kind + "/" + p.ID + "/tree/" + url.PathEscape(p.Revision)
	if dir := p.Folder(); dir != "" {
		at += "/" + escaped(strings.TrimSuffix(dir, "/"))
	}
	return at + "?recursive=true"
}

func escaped(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// HubFile is an entry of the hub's list of files.
type HubFile struct {
	Type string // "file" or "directory"
	Path string
	Size int64
	LFS  struct{ OID string } // its SHA-256; "" for a small file
}

// DataFiles are those of a repository's files that may have examples.
func DataFiles(all []HubFile) (files []HubFile) {
	for _, f := range all {
		name := strings.ToLower(path.Base(f.Path))
		switch path.Ext(name) {
		case ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet":
			if f.Type != "directory" && !strings.HasPrefix(name, "dataset_info") && plain(f.Path) {
				files = append(files, f)
			}
		}
	}
	return files
}

// hubHosts are the hub's names.
var hubHosts = []string{"huggingface.co", "www.huggingface.co", "hf.co"}

// hubPath is the path of a link to the hub, under any of its names or a mirror's base; ok is
// false of other links.
func hubPath(u *url.URL, base string) (at string, ok bool) {
	for _, host := range hubHosts {
		if u.Host == host && (u.Scheme == "https" || u.Scheme == "http") {
			return strings.Trim(u.EscapedPath(), "/"), true
		}
	}
	if m, err := url.Parse(base); err == nil && u.Host != "" && u.Scheme == m.Scheme && u.Host == m.Host {
		if rest, under := strings.CutPrefix(u.EscapedPath(), m.Path+"/"); under {
			return strings.Trim(rest, "/"), true
		}
	}
	return "", false
}
