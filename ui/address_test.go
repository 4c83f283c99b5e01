package ui

import "testing"

func TestAddresses(t *testing.T) {
	for text, want := range map[string]source{
		"owner/name":                              {hub: "owner/name"},
		" owner/name ":                            {hub: "owner/name"},
		"owner/name@v1":                           {hub: "owner/name@v1"},
		"owner/name:q4.gguf":                      {hub: "owner/name:q4.gguf"},
		"owner/name/q4.gguf":                      {hub: "owner/name:q4.gguf"},
		"owner/name/sub/q4.gguf":                  {hub: "owner/name:sub/q4.gguf"},
		"hf://owner/name":                         {hub: "owner/name"},
		"hf://models/owner/name@v1/q4.gguf":       {hub: "owner/name@v1:q4.gguf"},
		"hf.co/owner/name":                        {hub: "owner/name"},
		"huggingface.co/owner/name/tree/main":     {hub: "owner/name"},
		"https://huggingface.co/owner/name/":      {hub: "owner/name"},
		"http://huggingface.co/owner/name":        {hub: "owner/name"},
		"https://hf.co/owner/name/tree/v1/sub":    {hub: "owner/name@v1:sub"},
		"https://huggingface.co/owner/name?a=b#c": {hub: "owner/name"},
		"https://huggingface.co/o/n/blob/main/a-00001-of-00005.gguf":   {hub: "o/n:a-00001-of-00005.gguf"},
		"https://huggingface.co/o/n/resolve/main/a.gguf?download=true": {hub: "o/n:a.gguf"},
		"https://www.huggingface.co/o/n/resolve/refs%2Fpr%2F1/a.gguf":  {hub: "o/n@refs%2Fpr%2F1:a.gguf"},
		"https://example.com/models/a.gguf":                            {url: "https://example.com/models/a.gguf"},
	} {
		got, err := readAddress(text, "")
		if err != nil || !sameSource(got, want) {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "name", "/name", "owner/", "a b/c", "ftp://x/y", "http://example.com/a.gguf", "https://", "https://huggingface.co/",
		"https://huggingface.co/datasets/o/n", "https://huggingface.co/spaces/o/n", "owner/name/../../x", "hf://", "a/b/c", "javascript://x", "file:///etc/passwd", "/b", "https://huggingface.co/o/n/blob"} {
		if s, err := readAddress(text, ""); err == nil {
			t.Errorf("%q is taken as %+v", text, s)
		}
	}
}
