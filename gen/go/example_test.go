package clickmesh_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	clickmesh "github.com/clickmesh/clickmesh/gen/go"
)

func Example() {
	ctx := context.Background()
	client, err := clickmesh.New("http://127.0.0.1:8080", clickmesh.Options{
		// Nothing is sent by this example.
		Disabled: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client.Track(ctx, clickmesh.Click{UserID: "user-123", AdID: "ad-456", CampaignID: "camp-789", Source: "facebook"})
	client.Track(ctx, clickmesh.Conversion{UserID: "user-123", Type: "purchase", Value: "49.90", Source: "web"})
	if err := client.Close(ctx); err != nil {
		fmt.Println(err)
	}
	fmt.Println(client.Counters().Sent)
	// Output: 2
}

func ExampleNew_address() {
	_, err := clickmesh.New("localhost:8080", clickmesh.Options{})
	fmt.Println(err)
	// Output: clickmesh: "localhost:8080" has no scheme: http://localhost:8080
}

func ExampleClient_Send() {
	client, _ := clickmesh.NewMemory(clickmesh.Options{})
	_, err := client.Send(context.Background(), clickmesh.Click{
		UserID: "undefined", AdID: "ad-456", CampaignID: "camp-789", Source: "facebook",
	})
	var rejected *clickmesh.Rejected
	if errors.As(err, &rejected) {
		fmt.Println(rejected.GetField(), rejected.GetReason())
		fmt.Println(rejected.GetMessage())
	}
	// Output:
	// user_id REJECT_REASON_PLACEHOLDER
	// user_id is a placeholder, not an id: strangers would share it; send the event once the id is known
}

func ExampleClient_SendBatch() {
	client, _ := clickmesh.NewMemory(clickmesh.Options{})
	results, err := client.SendBatch(context.Background(), []clickmesh.Event{
		clickmesh.Conversion{EventID: "order-1001", UserID: "user-123", Type: "purchase", Value: "49.90", Source: "web"},
		clickmesh.Refund{UserID: "user-123", ConversionID: "order-1001", Value: "5,00"},
	})
	fmt.Println(err)
	for _, result := range results {
		fmt.Println(result.Acceptance != nil, result.Err)
	}
	// Output:
	// <nil>
	// true <nil>
	// false clickmesh: rejected: value must be a decimal number such as "49.90", without separators: it is "5,00"
}

func ExampleComplete() {
	event, err := clickmesh.Complete(clickmesh.Click{
		UserID: "user-123", AdID: "ad-456", CampaignID: "camp-789", Source: "facebook",
		Time: time.Date(2026, 11, 1, 5, 30, 0, 0, time.UTC),
	})
	fmt.Println(len(event.EventID()), event.Time().UTC(), err)
	// Output: 36 2026-11-01 05:30:00 +0000 UTC <nil>
}

func ExampleMemory() {
	client, _ := clickmesh.NewMemory(clickmesh.Options{})
	client.Track(context.Background(), clickmesh.Invalidate{UserID: "user-123", ClickID: "click-50172", Reason: "bot"})
	client.Flush(context.Background())
	fmt.Println(client.Events()[0].GetVerdict().GetReason())
	// Output: bot
}
