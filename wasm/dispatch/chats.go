package dispatch

import (
	"context"
	"fmt"
	"io/fs"
	"path"

	"prelude/models"
	"prelude/models/weights"
	"prelude/ui/wire"
)

// mostChat bounds the file of a chat template, mostChats what is kept of all of a model.
const mostChat, mostChats = 1 << 20, 32 << 20

// readChat reads a chat template's file.
func readChat(ctx context.Context, src weights.Source) (string, error) {
	if src.Size() > mostChat {
		return "", fmt.Errorf("%s has %d bytes, a chat template may have %d", src.Name(), src.Size(), mostChat)
	}
	text := make([]byte, src.Size())
	err := src.ReadRange(ctx, 0, text)
	return string(text), err
}

// withChats answers for [models.ChatsName] by itself: no host is asked for it. Chats is nil where
// a host's folders can't be listed.
func withChats(open weights.Opener, chats func(context.Context) ([]byte, error)) weights.Opener {
	return func(ctx context.Context, name string) (weights.Source, error) {
		switch {
		case name != models.ChatsName:
			return open(ctx, name)
		case chats == nil:
			return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		packed, err := chats(ctx)
		if err != nil {
			return nil, err
		}
		return &weights.Bytes{Label: name, Data: packed}, nil
	}
}

// hubChats is what a model of the hub has in its folder of chat templates. It is kept with the
// model, so that the hub is asked once; fs.ErrNotExist where it doesn't answer.
func (w *Worker) hubChats(ctx context.Context, model, address, folder string, list func(context.Context) []wire.HubFile) ([]byte, error) {
	kept, unkept := w.modelFolder(ctx, model)
	if unkept == nil {
		if src, err := kept.Open(ctx, models.ChatsName); err == nil {
			text := make([]byte, min(src.Size(), mostChats))
			if err := src.ReadRange(ctx, 0, text); err == nil && src.Size() <= mostChats {
				return text, nil
			}
		}
	}
	files := list(ctx)
	if files == nil {
		return nil, fmt.Errorf("%s: %w", models.ChatFolder, fs.ErrNotExist)
	}
	texts := map[string]string{}
	for _, f := range files {
		dir, file := path.Split(f.Path)
		chat, ok := models.ChatOfFile(file)
		if !ok || dir != folder+models.ChatFolder+"/" {
			continue
		}
		src, err := weights.URLs(w.get, address+models.ChatFolder+"/")(ctx, file)
		if err != nil {
			return nil, err
		}
		text, err := readChat(ctx, src)
		if c, ok := src.(interface{ Close() error }); ok {
			c.Close()
		}
		if err != nil {
			return nil, err
		}
		texts[chat] = text
	}
	packed := models.PackChats(texts)
	if unkept == nil {
		kept.Put(ctx, models.ChatsName, packed) // if that fails, it is asked for again
	}
	return packed, nil
}
