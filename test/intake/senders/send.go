// Send sends events as send.mjs does.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"os"

	"google.golang.org/protobuf/proto"

	clickmesh "github.com/clickmesh/clickmesh/gen/go"
	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
)

func main() {
	ctx := context.Background()
	client := clickmesh.New(os.Getenv("CLICKMESH_URL"), clickmesh.Options{})
	events := read()
	for _, event := range events {
		acceptance, err := client.Send(ctx, event)
		var rejected *clickmesh.Rejected
		if err != nil && !errors.As(err, &rejected) {
			log.Fatal(err)
		}
		print(clickmesh.Result{Acceptance: acceptance, Rejected: rejected})
	}
	results, err := client.SendBatch(ctx, events)
	if err != nil {
		log.Fatal(err)
	}
	for _, result := range results {
		print(result)
	}
}

func read() []*v1.Event {
	var events []*v1.Event
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		bytes, err := base64.StdEncoding.DecodeString(lines.Text())
		event := &v1.Event{}
		if err := errors.Join(err, proto.Unmarshal(bytes, event)); err != nil {
			log.Fatal(err)
		}
		events = append(events, event)
	}
	return events
}

func print(answer clickmesh.Result) {
	result := &v1.IngestResult{Result: &v1.IngestResult_Accepted{Accepted: answer.Acceptance}}
	if answer.Rejected != nil {
		result.Result = &v1.IngestResult_Rejected{Rejected: answer.Rejected.Rejection}
	}
	bytes, err := proto.Marshal(result)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(base64.StdEncoding.EncodeToString(bytes))
}
