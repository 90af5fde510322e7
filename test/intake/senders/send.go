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
	client, err := clickmesh.New(os.Getenv("CLICKMESH_URL"), clickmesh.Options{})
	if err != nil {
		log.Fatal(err)
	}
	events := read()
	for _, event := range events {
		acceptance, err := client.Send(ctx, event)
		print(clickmesh.Result{Acceptance: acceptance, Err: err})
	}
	results, err := client.SendBatch(ctx, events)
	if err != nil {
		log.Fatal(err)
	}
	for _, result := range results {
		print(result)
	}
}

func read() []clickmesh.Event {
	var events []clickmesh.Event
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		bytes, err := base64.StdEncoding.DecodeString(lines.Text())
		event := &v1.Event{}
		if err := errors.Join(err, proto.Unmarshal(bytes, event)); err != nil {
			log.Fatal(err)
		}
		events = append(events, clickmesh.FromProto(event))
	}
	return events
}

func print(answer clickmesh.Result) {
	result := &v1.IngestResult{}
	var rejected *clickmesh.Rejected
	switch {
	case errors.As(answer.Err, &rejected):
		result.Result = &v1.IngestResult_Rejected{Rejected: rejected.Rejection}
	case answer.Err != nil:
		log.Fatal(answer.Err)
	default:
		result.Result = &v1.IngestResult_Accepted{Accepted: &v1.Acceptance{
			EventId: answer.Acceptance.StoredID, Partition: answer.Acceptance.Partition, Offset: answer.Acceptance.Offset,
			Ignored: answer.Acceptance.Ignored,
		}}
	}
	bytes, err := proto.Marshal(result)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(base64.StdEncoding.EncodeToString(bytes))
}
