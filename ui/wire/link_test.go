package wire

import (
	"net/url"
	"strings"
	"testing"
)

// TestDataLinks: a page that shows a file becomes the file, at the mirror where it is the hub's; of
// a repository, a file is to be chosen.
func TestDataLinks(t *testing.T) {
	const mirror = "https://mirror.example/hf"
	for link, want := range map[string]string{
		"https://example.com/a/b.csv?x=1#part":                                 "https://example.com/a/b.csv?x=1",
		"https://example.com":                                                  "https://example.com",
		"https://github.com/o/r/blob/main/d/a.jsonl":                           "https://raw.githubusercontent.com/o/r/main/d/a.jsonl",
		"https://github.com/o/r/raw/v1/a.jsonl":                                "https://raw.githubusercontent.com/o/r/v1/a.jsonl",
		"https://github.com/o/r":                                               "https://github.com/o/r",
		"https://huggingface.co/datasets/o/n/blob/main/d/a.parquet":            mirror + "/datasets/o/n/resolve/main/d/a.parquet",
		"https://hf.co/datasets/o/n/resolve/refs%2Fconvert%2Fparquet/a.csv":    mirror + "/datasets/o/n/resolve/refs%2Fconvert%2Fparquet/a.csv",
		"https://huggingface.co/datasets/o/n/resolve/main/a.csv?download=true": mirror + "/datasets/o/n/resolve/main/a.csv",
		"https://huggingface.co/o/n/raw/main/a.jsonl":                          mirror + "/o/n/resolve/main/a.jsonl",
		"hf://datasets/o/n/a.jsonl":                                            mirror + "/datasets/o/n/resolve/main/a.jsonl",
		"hf://datasets/o/n@v2/d/a.jsonl":                                       mirror + "/datasets/o/n/resolve/v2/d/a.jsonl",
		mirror + "/datasets/o/n/blob/main/a.jsonl":                             mirror + "/datasets/o/n/resolve/main/a.jsonl",
		"https://mirror.example/other/a.jsonl":                                 "https://mirror.example/other/a.jsonl",
		"https://huggingface.co/datasets/o/n/resolve/main/a%20%23b.csv":        mirror + "/datasets/o/n/resolve/main/a%20%23b.csv",
		"https://huggingface.co/datasets/o/n":                                  "datasets/o/n",
		"datasets/o/n":                                                         "datasets/o/n",
		"https://huggingface.co/datasets/o/n/tree/main":                        "datasets/o/n",
		"https://huggingface.co/datasets/o/n/tree/v1/data":                     "datasets/o/n@v1:data",
		"https://huggingface.co/datasets/o/n/viewer/default/train":             "datasets/o/n",
		"https://huggingface.co/datasets/o/n/blob/main/../../x/a.csv":          "",
		"https://huggingface.co/datasets/o/n/discussions":                      "",
		"https://huggingface.co/":                                              "",
		"hf://datasets/o":                                                      "",
		"hf://":                                                                "",
	} {
		d, ok := ReadDataLink(link, mirror)
		got := d.Address
		if ok && got == "" {
			got = d.Hub.String()
		}
		if ok != (want != "") || ok && got != want {
			t.Errorf("%s leads to %q, %v, want %q", link, got, ok, want)
		}
		if ok && d.Address != "" && (strings.HasSuffix(d.Name, "/") || d.Name == "") {
			t.Errorf("%s is called %q", link, d.Name)
		}
	}
}

// FuzzDataLink: whatever a link is, what it leads to is an address, the hub's only below its base.
func FuzzDataLink(f *testing.F) {
	for _, s := range []string{"https://huggingface.co/datasets/o/n/blob/main/a.csv", "hf://datasets/o/n@v/a.csv", "o/n@refs%2Fa:b c.csv", "https://github.com/o/r/blob/m/a", "//x", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, link string) {
		d, ok := ReadDataLink(link, Hub)
		if !ok {
			return
		}
		address := d.Address
		if d.Hub != nil {
			if again, hub, ok := ReadHub(d.Hub.String(), Hub); !hub || !ok || again != *d.Hub {
				t.Errorf("%q is %+v, and %q is %+v", link, *d.Hub, d.Hub, again)
			}
			address = d.Hub.List(Hub)
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatalf("%q leads to %q: %v", link, address, err)
		}
		if d.Hub != nil && (u.Host != "huggingface.co" || strings.Contains(u.Path+"/", "/../")) {
			t.Errorf("%q leads to %q", link, address)
		}
	})
}
