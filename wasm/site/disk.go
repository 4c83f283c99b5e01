package site

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
)

// Disk keeps objects in a folder: prefixes/<first two of the id>/<id>, one file
// each, whose first line is the record and whose rest is the data. A file is
// written and synced under parts/ and then linked to its name, which fails where
// the name is taken: so an object is there whole or not at all, whenever the
// program or the machine stops, and of two uploads of the same bytes one wins.
type Disk struct {
	folder string
	max    int64        // bytes of all objects together
	stored atomic.Int64 // of max
}

const (
	objectsFolder = "prefixes"
	partsFolder   = "parts"
)

// OpenDisk opens the folder, making it where there is none, and puts the record of
// every object in it into an index. It stores up to max bytes. A file that it can't read
// stays where it is, is told to skipped, and keeps no other from being served.
func OpenDisk(ctx context.Context, folder string, max int64, x Index, skipped func(error)) (*Disk, error) {
	d := &Disk{folder: folder, max: max}
	// What broke off before it was linked was never confirmed to anyone.
	if err := os.RemoveAll(filepath.Join(folder, partsFolder)); err != nil {
		return nil, err
	}
	for _, name := range []string{objectsFolder, partsFolder} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o777); err != nil {
			return nil, err
		}
	}
	return d, filepath.WalkDir(filepath.Join(folder, objectsFolder), func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			skipped(err)
			return nil
		}
		if e.IsDir() {
			return nil
		}
		if err := d.restore(ctx, x, e); err != nil {
			skipped(fmt.Errorf("site: %s is left out: %w; move it elsewhere", name, err))
		}
		return nil
	})
}

func (d *Disk) restore(ctx context.Context, x Index, e fs.DirEntry) error {
	if !idPattern.MatchString(e.Name()) {
		return errors.New("it is not a shared prefix")
	}
	record, data, size, err := d.Open(ctx, e.Name())
	if err != nil {
		return err
	}
	data.Close()
	d.stored.Add(int64(len(record)) + size)
	return Restore(ctx, x, record)
}

func (d *Disk) name(id string) string {
	return filepath.Join(d.folder, objectsFolder, id[:2], id)
}

// Create implements [Objects].
func (d *Disk) Create(_ context.Context, id string, record, data []byte) (created bool, err error) {
	size := int64(len(record) + len(data))
	if total := d.stored.Add(size); total > d.max {
		d.stored.Add(-size)
		return false, fmt.Errorf("%w: %d bytes are stored, of %d", ErrFull, total-size, d.max)
	}
	defer func() {
		if !created {
			d.stored.Add(-size)
		}
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			err = fmt.Errorf("%w: %w", ErrFull, err)
		}
	}()
	part, err := os.CreateTemp(filepath.Join(d.folder, partsFolder), id)
	if err != nil {
		return false, err
	}
	defer os.Remove(part.Name())
	_, err = part.Write(append(record[:len(record):len(record)], '\n'))
	if err == nil {
		_, err = part.Write(data)
	}
	if err == nil {
		err = part.Sync()
	}
	if err = errors.Join(err, part.Close()); err != nil {
		return false, err
	}
	name := d.name(id)
	shard := filepath.Dir(name)
	switch err := os.Mkdir(shard, 0o777); {
	case err == nil:
		if err := syncFolder(filepath.Dir(shard)); err != nil {
			return false, err
		}
	case !errors.Is(err, fs.ErrExist):
		return false, err
	}
	if err := os.Link(part.Name(), name); errors.Is(err, fs.ErrExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return true, syncFolder(shard)
}

// syncFolder makes a folder's entries last.
func syncFolder(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Open implements [Objects].
func (d *Disk) Open(_ context.Context, id string) (record []byte, data io.ReadCloser, size int64, err error) {
	f, err := os.Open(d.name(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, 0, ErrNotFound
	}
	if err != nil {
		return nil, nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, 0, err
	}
	r := bufio.NewReaderSize(f, MaxRecord+1)
	line, err := r.ReadSlice('\n')
	if err != nil {
		f.Close()
		return nil, nil, 0, fmt.Errorf("site: object %s has no record: %w", id, err)
	}
	return bytes.TrimSuffix(bytes.Clone(line), []byte("\n")), object{r, f}, info.Size() - int64(len(line)), nil
}

type object struct {
	io.Reader
	io.Closer
}

// Delete implements [Objects].
func (d *Disk) Delete(_ context.Context, id string) error {
	name := d.name(id)
	info, err := os.Stat(name)
	if err == nil {
		err = os.Remove(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	d.stored.Add(-info.Size())
	return syncFolder(filepath.Dir(name))
}
