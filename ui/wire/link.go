package wire

import (
	"net/url"
	"path"
	"strings"
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

// hubHosts are the hub's names.
var hubHosts = []string{"huggingface.co", "www.huggingface.co", "hf.co"}

// HubPath is the path of a link to the hub, under any of its names or a mirror's base; ok is
// false of other links.
func HubPath(u *url.URL, base string) (at string, ok bool) {
	for _, host := range hubHosts {
		if u.Host == host && (u.Scheme == "https" || u.Scheme == "http") {
			return strings.Trim(u.EscapedPath(), "/"), true
		}
	}
	if m, err := url.Parse(base); err == nil && u.Scheme == m.Scheme && u.Host == m.Host {
		if rest, under := strings.CutPrefix(u.EscapedPath(), m.Path+"/"); under {
			return strings.Trim(rest, "/"), true
		}
	}
	return "", false
}

// DataLink is the address of the file that a link leads to, and what the file is called. A page
// that shows a file, GitHub's or the hub's, becomes the file; hf://datasets/ is the hub. A link
// to the hub that names no file is false.
func DataLink(link, base string) (address, name string, ok bool) {
	if rest, is := strings.CutPrefix(link, "hf://"); is {
		link = Hub + "/" + rest
	}
	u, err := url.Parse(link)
	if err != nil {
		return "", "", false
	}
	name = path.Base(u.Path)
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	switch at, hub := HubPath(u, base); {
	case hub:
		address, ok := hubFile(strings.Split(at, "/"))
		return base + "/" + address, name, ok
	case u.Host == "github.com" && len(parts) > 4 && (parts[2] == "blob" || parts[2] == "raw"):
		return "https://raw.githubusercontent.com/" + strings.Join(append(parts[:2:2], parts[3:]...), "/"), name, true
	}
	if name == "." || name == "/" {
		name = u.Host
	}
	u.Fragment = ""
	return u.String(), name, true
}

// hubFile is the path of a file of a repository: datasets/owner/name, then a revision behind
// blob, resolve, raw or tree, or behind the name and an @, then the file.
func hubFile(parts []string) (at string, ok bool) {
	repo := 2
	if parts[0] == "datasets" || parts[0] == "spaces" {
		repo = 3
	}
	if len(parts) <= repo {
		return "", false
	}
	name, revision, marked := strings.Cut(parts[repo-1], "@")
	below := parts[repo:]
	switch below[0] {
	case "blob", "resolve", "raw", "tree":
		if len(below) < 3 || marked {
			return "", false
		}
		revision, below = below[1], below[2:]
	default:
		if !marked {
			revision = "main"
		}
	}
	for _, p := range append([]string{name, revision}, below...) {
		if p == "" || p == ".." {
			return "", false
		}
	}
	if !strings.Contains(below[len(below)-1], ".") { // a folder
		return "", false
	}
	return strings.Join(append(append(parts[:repo-1:repo-1], name, "resolve", revision), below...), "/"), true
}
