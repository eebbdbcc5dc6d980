// buildkit-check holds Dockerfiles against BuildKit: it parses them, makes its build graph of every stage and runs the checks of
// `docker build --check`, without a daemon. A base image is taken to be an empty one that runs as root.
//
//	buildkit-check FILE...    prints every warning and error; exit 1 when there is one
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/opencontainers/go-digest"
)

type offline struct{}

func (offline) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	config := []byte(`{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers"}}`)
	return ref, digest.FromBytes(config), config, nil
}

func check(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var found []string
	_, _, _, _, err = dockerfile2llb.Dockerfile2LLB(context.Background(), text, dockerfile2llb.ConvertOpt{
		MetaResolver: offline{},
		AllStages:    true,
		Warn: func(rule, _, _, message string, location []parser.Range) {
			line := 0
			if len(location) > 0 {
				line = location[0].Start.Line
			}
			found = append(found, fmt.Sprintf("%s:%d: %s %s", file, line, rule, message))
		},
	})
	if err != nil {
		found = append(found, fmt.Sprintf("%s: %v", file, err))
	}
	if len(found) > 0 {
		return errors.New(strings.Join(found, "\n"))
	}
	return nil
}

func main() {
	status := 0
	for _, file := range os.Args[1:] {
		if err := check(file); err != nil {
			fmt.Println(err)
			status = 1
		}
	}
	os.Exit(status)
}
