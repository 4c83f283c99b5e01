package site_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"prelude/wasm/site"
	"prelude/wasm/site/sitetest"
)

// notes keeps a log's lines.
type notes struct {
	mu sync.Mutex
	b  strings.Builder
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.Write(p)
}

func TestConformance(t *testing.T) {
	index := &site.Memory{}
	disk, err := site.OpenDisk(context.Background(), t.TempDir(), 1<<30, index, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	log := &notes{}
	const bodyTime = 2 * time.Second
	server := httptest.NewServer(site.New(http.NotFoundHandler(), &site.API{
		Objects: disk, Index: index, Limiter: site.NewBuckets(site.DefaultRates), BodyTime: bodyTime,
		Quota: site.NewLedger(sitetest.Quota), Operator: site.HashSecret(sitetest.Operator),
		Bundled: func(_ context.Context, model string) bool { return model == "tiny" },
		Log:     slog.New(slog.NewTextHandler(log, nil)),
	}))
	defer server.Close()
	sitetest.Run(t, sitetest.Target{URL: server.URL, Client: sitetest.Loopback(), Bundled: "tiny", BodyTime: bodyTime})
	for _, secret := range []string{"127.0.0", "Restaurant", "Reviews", "tiny", "limit=", "Bearer", "f00d", "../", "aaaaaaa"} {
		if strings.Contains(log.b.String(), secret) {
			t.Errorf("the log holds %q of a request", secret)
		}
	}
	if !strings.Contains(log.b.String(), "msg=upload status=201") {
		t.Errorf("the log does not say what was done:\n%.500s", log.b.String())
	}
}
