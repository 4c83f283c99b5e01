package wire

import (
	"net/url"
	"strings"
	"testing"
)

func TestDataLink(t *testing.T) {
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
		"https://huggingface.co/datasets/o/n":                                  "",
		"https://huggingface.co/datasets/o/n/tree/main":                        "",
		"https://huggingface.co/datasets/o/n/tree/main/data":                   "",
		"https://huggingface.co/datasets/o/n/blob/main/../../x/a.csv":          "",
		"https://huggingface.co/datasets/o/n/viewer/default":                   "",
		"https://huggingface.co/":                                              "",
		"hf://datasets/o":                                                      "",
		"hf://":                                                                "",
	} {
		address, name, ok := DataLink(link, mirror)
		if ok != (want != "") || ok && address != want {
			t.Errorf("%s leads to %q, %v, want %q", link, address, ok, want)
		}
		if ok && strings.HasSuffix(name, "/") || ok && name == "" {
			t.Errorf("%s is called %q", link, name)
		}
	}
}

func TestHubBase(t *testing.T) {
	for text, want := range map[string]string{"": Hub, " https://hf-mirror.com/ ": "https://hf-mirror.com", "https://x.example/hf": "https://x.example/hf",
		"http://x.example": "", "https://": "", "x.example": "", "https://a:b@x.example": "", "https://x.example/?a=b": "", "https://x.example/#a": "",
		"https://x.example/../a": "", "javascript:alert(1)": "", "https://x example": ""} {
		if got, ok := HubBase(text); ok != (want != "") || ok && got != want {
			t.Errorf("%q is %q, %v, want %q", text, got, ok, want)
		}
	}
}

// FuzzDataLink: whatever a link is, what it leads to is an address, the hub's only below its base.
func FuzzDataLink(f *testing.F) {
	for _, s := range []string{"https://huggingface.co/datasets/o/n/blob/main/a.csv", "hf://datasets/o/n@v/a.csv", "https://github.com/o/r/blob/m/a", "//x", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, link string) {
		address, _, ok := DataLink(link, Hub)
		if !ok {
			return
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatalf("%q leads to %q: %v", link, address, err)
		}
		if strings.HasPrefix(link, "hf://") && u.Host != "huggingface.co" {
			t.Errorf("%q leads to %q", link, address)
		}
	})
}
