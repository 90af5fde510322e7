// Quickstart sends a click and the purchase that followed it, waits for the statistics and exits with 1 if they are not
// what was sent. CLICKMESH_URL names the gateway.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"
	"time"

	clickmesh "github.com/clickmesh/clickmesh/gen/go"
	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := clickmesh.New(cmp.Or(os.Getenv("CLICKMESH_URL"), "http://127.0.0.1:8080"), clickmesh.Options{})
	if err != nil {
		log.Fatal(err)
	}
	campaign := fmt.Sprintf("go-quickstart-%d", time.Now().UnixNano())
	user := "user-of-" + campaign

	for _, event := range []clickmesh.Event{
		clickmesh.Click{UserID: user, AdID: "ad-1", CampaignID: campaign, Source: "facebook"},
		clickmesh.Conversion{UserID: user, Type: "purchase", Value: "19.99", Source: "ios_app"},
	} {
		if _, err := client.Track(ctx, event); err != nil {
			log.Fatal(err)
		}
	}
	if err := client.Flush(ctx); err != nil {
		log.Fatal(err)
	}

	today := clickmesh.Day(time.Now())
	query := &v1.GetStatsRequest{StartDate: today, EndDate: today, CampaignId: campaign}
	for {
		stats, err := client.Stats(ctx, query)
		if err != nil {
			log.Fatal(err)
		}
		if len(stats.Data) == 1 && stats.Data[0].Conversions == 1 {
			fmt.Println(stats.Data[0])
			if row := stats.Data[0]; row.Clicks != 1 || row.RevenueMicros != 19_990_000 {
				log.Fatal("that is not what was sent")
			}
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	if err := client.Close(ctx); err != nil {
		log.Fatal(err)
	}
}
