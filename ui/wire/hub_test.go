package wire

import "testing"

func TestHubBase(t *testing.T) {
	for text, want := range map[string]string{"": Hub, " https://hf-mirror.com/ ": "https://hf-mirror.com", "https://x.example/hf": "https://x.example/hf",
		"http://x.example": "", "https://": "", "x.example": "", "https://a:b@x.example": "", "https://x.example/?a=b": "", "https://x.example/#a": "",
		"https://x.example/../a": "", "javascript:alert(1)": "", "https://x example": ""} {
		if got, ok := HubBase(text); ok != (want != "") || ok && got != want {
			t.Errorf("%q is %q, %v, want %q", text, got, ok, want)
		}
	}
}

// TestHubPlaces: every shape of a link to the hub is the place that it leads to, and its own text
// reads as the same.
func TestHubPlaces(t *testing.T) {
	for text, want := range map[string]HubPlace{
		"o/n":                      {HubModel, "o/n", "main", ""},
		"o/n@refs%2Fpr%2F1:a.gguf": {HubModel, "o/n", "refs/pr/1", "a.gguf"},
		"o/n:d/blob/a.gguf":        {HubModel, "o/n", "main", "d/blob/a.gguf"},
		"o/n/d/blob/a.gguf":        {HubModel, "o/n", "main", "d/blob/a.gguf"},
		"spaces/o/n":               {HubSpace, "o/n", "main", ""},
		"hf.co/datasets/o/n/":      {HubDataset, "o/n", "main", ""},
		"hf://datasets/o/n@~parquet/default/train/0000.parquet": {HubDataset, "o/n", "~parquet", "default/train/0000.parquet"},
		"hf://datasets/o/n/a%20b.csv":                           {HubDataset, "o/n", "main", "a%20b.csv"},
		"https://hf.co/datasets/o/n/blob/main/a%20b.csv?x=1#c":  {HubDataset, "o/n", "main", "a b.csv"},
		"https://m.example/hf/o/n/tree/refs%2Fpr%2F1/sub":       {HubModel, "o/n", "refs/pr/1", "sub"},
	} {
		p, hub, ok := ReadHub(text, "https://m.example/hf")
		if !hub || !ok || p != want {
			t.Errorf("%s is %+v, %v, %v", text, p, hub, ok)
		}
		if again, _, ok := ReadHub(p.String(), Hub); !ok || again != p {
			t.Errorf("%s is %+v again, %v", p, again, ok)
		}
	}
	for _, text := range []string{"", "n", "a b/c", "/n", "o/", "o/n/../x.csv", "o/n//x.csv", "o/n@", "o/n@a b", "datasets/n", "https://hf.co/o/n/blob/main/%2e%2e/x", "https://hf.co/o/n/resolve/main/a%00.csv"} {
		if p, hub, ok := ReadHub(text, Hub); !hub || ok {
			t.Errorf("%q is %+v, %v, %v", text, p, hub, ok)
		}
	}
	if _, hub, _ := ReadHub("https://example.com/o/n", Hub); hub {
		t.Error("another host is the hub")
	}
}

// TestDataFiles: of a repository's files those are offered that may have examples.
func TestDataFiles(t *testing.T) {
	got := DataFiles([]HubFile{{Type: "directory", Path: "a.csv"}, {Path: "README.md"}, {Path: "dataset_infos.json"}, {Path: "d/a.JSONL", Size: 7}, {Path: "../x.csv"}, {Path: "b.parquet"}})
	if len(got) != 2 || got[0].Path != "d/a.JSONL" || got[0].Size != 7 || got[1].Path != "b.parquet" {
		t.Errorf("%+v", got)
	}
}
