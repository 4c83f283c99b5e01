package wire

import (
	"net/url"
	"path"
	"strings"
)

// A DataLink is where examples lie.
type DataLink struct {
	Address string    // of a file; "" where one of a repository's is to be chosen
	Name    string    // of the file
	Hub     *HubPlace // where it is the hub's
}

// ReadDataLink follows a link to the file that it leads to, at the hub or the mirror at base. A
// page that shows a file, GitHub's or the hub's, becomes the file. Ok is false of a link to the
// hub that names no repository.
func ReadDataLink(link, base string) (d DataLink, ok bool) {
	if p, hub, ok := ReadHub(link, base); hub {
		d := DataLink{Hub: &p}
		if ok && p.File() {
			d.Address, d.Name = p.Address(base, p.Path), path.Base(p.Path)
		}
		return d, ok
	}
	u, err := url.Parse(strings.TrimSpace(link))
	if err != nil {
		return d, false
	}
	d.Name = path.Base(u.Path)
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	if u.Host == "github.com" && len(parts) > 4 && (parts[2] == "blob" || parts[2] == "raw") {
		d.Address = "https://raw.githubusercontent.com/" + strings.Join(append(parts[:2:2], parts[3:]...), "/")
		return d, true
	}
	if d.Name == "." || d.Name == "/" {
		d.Name = u.Host
	}
	u.Fragment = ""
	d.Address = u.String()
	return d, true
}
