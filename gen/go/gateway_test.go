package clickmesh_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	clickmesh "github.com/clickmesh/clickmesh/gen/go"
	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
)

// What only a real gateway shows. CLICKMESH_URL names it, and CLICKMESH_FLAKY_URL a way to it that loses the first answer
// of every other connection.

func start(t *testing.T, address string) (context.Context, *clickmesh.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	client := newClient(t, required(t, address), clickmesh.Options{})
	t.Cleanup(func() {
		cancel()
		client.Close(context.Background())
	})
	return ctx, client
}

func required(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s must name a gateway", name)
	}
	return value
}

// A name that no other run has.
func unique(t *testing.T) string {
	return fmt.Sprintf("go-%s-%d", t.Name(), time.Now().UnixNano())
}

func click(campaign string) clickmesh.Click {
	return clickmesh.Click{UserID: "user-of-" + campaign, AdID: "ad", CampaignID: campaign, Source: "web"}
}

func clicks(campaign string, count int) []clickmesh.Event {
	events := make([]clickmesh.Event, count)
	for i := range events {
		events[i] = click(campaign)
	}
	return events
}

// expectClicks waits for a later click of the same user, which is counted after all others, and then counts them.
func expectClicks(t *testing.T, campaign string, want uint64) {
	t.Helper()
	ctx, client := start(t, "CLICKMESH_URL")
	last := click(campaign + "-last")
	last.UserID = "user-of-" + campaign
	if _, err := client.Send(ctx, last); err != nil {
		t.Fatal(err)
	}
	for clicksIn(rows(ctx, t, client, campaign+"-last")) == 0 {
		time.Sleep(100 * time.Millisecond)
	}
	if got := clicksIn(rows(ctx, t, client, campaign)); got != want {
		t.Errorf("%d clicks are counted, %d were sent", got, want)
	}
}

func rows(ctx context.Context, t *testing.T, client *clickmesh.Client, campaign string) []*v1.StatsRow {
	t.Helper()
	stats, err := client.Stats(ctx, &v1.GetStatsRequest{
		StartDate: clickmesh.Day(time.Now().AddDate(0, 0, -1)), EndDate: clickmesh.Day(time.Now().AddDate(0, 0, 1)),
		CampaignId: campaign, Interval: v1.Interval_INTERVAL_MONTHLY,
	})
	if err != nil {
		t.Fatal(err)
	}
	return stats.GetData()
}

func clicksIn(rows []*v1.StatsRow) (clicks uint64) {
	for _, row := range rows {
		clicks += row.GetClicks()
	}
	return clicks
}

func TestSend(t *testing.T) {
	ctx, client := start(t, "CLICKMESH_URL")
	campaign := unique(t)
	event := click(campaign)
	event.EventID = campaign
	acceptance, err := client.Send(ctx, event)
	if err != nil {
		t.Fatal(err)
	}
	if acceptance.EventID != campaign || acceptance.StoredID == campaign || len(acceptance.StoredID) != 36 {
		t.Errorf("%+v is not the answer to %+v", acceptance, event)
	}
	expectClicks(t, campaign, 1)
}

func TestWhatWasSentIsTakenBack(t *testing.T) {
	ctx, client := start(t, "CLICKMESH_URL")
	campaign := unique(t)
	user := "user-of-" + campaign
	events := append(clicks(campaign, 2), clickmesh.Conversion{
		EventID: campaign, UserID: user, Type: "purchase", Value: "20", Source: "web",
	})
	results, err := client.SendBatch(ctx, events)
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range []clickmesh.Event{
		clickmesh.Refund{UserID: user, ConversionID: campaign, Value: "5"},
		clickmesh.Invalidate{UserID: user, ClickID: results[0].Acceptance.EventID, Reason: "bot"},
	} {
		if _, err := client.Send(ctx, event); err != nil {
			t.Fatal(err)
		}
	}
	expectClicks(t, campaign, 1)
	var revenue int64
	for _, row := range rows(ctx, t, client, campaign) {
		revenue += row.GetRevenueMicros()
	}
	if revenue != 15_000_000 {
		t.Errorf("%d micros are left, not 15,000,000", revenue)
	}
}

func TestTheGatewayTellsWhyAnEventIsRejected(t *testing.T) {
	ctx, client := start(t, "CLICKMESH_URL")
	foreign := clickmesh.Conversion{UserID: "user", Type: "purchase", Value: "1", Source: "web", Currency: "XXX"}
	_, err := client.Send(ctx, foreign)
	results, batchErr := client.SendBatch(ctx, []clickmesh.Event{foreign})
	if batchErr != nil {
		t.Fatal(batchErr)
	}
	for _, err := range []error{err, results[0].Err} {
		var rejected *clickmesh.Rejected
		if !errors.As(err, &rejected) {
			t.Fatalf("%v is not a rejection", err)
		}
		if rejected.GetField() != "currency" || rejected.GetReason() != v1.RejectReason_REJECT_REASON_OTHER_CURRENCY {
			t.Errorf("rejected for %v", rejected)
		}
	}
}

// TestTheClientJudgesAsTheGatewayDoes sends what the client rejects past it.
func TestTheClientJudgesAsTheGatewayDoes(t *testing.T) {
	ctx, _ := start(t, "CLICKMESH_URL")
	stub := v1.NewIngestServiceClient(connection(t))
	for _, bad := range badEvents {
		_, err := clickmesh.Complete(bad.event)
		var rejected *clickmesh.Rejected
		if !errors.As(err, &rejected) {
			t.Fatalf("%s: %v", bad.name, err)
		}
		event := rejected.Event.Proto()
		// Messages have no decimal text, and no text that is not UTF-8.
		_, hasDecimal := bad.event.(clickmesh.Conversion)
		if _, err := proto.Marshal(event); err != nil || proto.Size(event) > 1<<20 || hasDecimal {
			continue
		}
		answer, err := stub.IngestBatch(ctx, &v1.IngestBatchRequest{Events: []*v1.Event{event}})
		if err != nil {
			t.Fatal(err)
		}
		if want := answer.GetResults()[0].GetRejected(); !proto.Equal(rejected.Rejection, want) {
			t.Errorf("%s: rejected for\n%v, by the gateway for\n%v", bad.name, rejected.Rejection, want)
		}
	}
}

func TestSendBatchSplitsAndAnswersInOrder(t *testing.T) {
	ctx, client := start(t, "CLICKMESH_URL")
	campaign := unique(t)
	events := clicks(campaign, 2500)
	events[1700] = clickmesh.Click{}
	results, err := client.SendBatch(ctx, events)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != len(events) {
		t.Fatalf("%d results for %d events", len(results), len(events))
	}
	for i, result := range results {
		if (result.Err != nil) != (i == 1700) {
			t.Errorf("result %d is %v", i, result)
		}
	}
	expectClicks(t, campaign, 2499)
}

func TestSendStream(t *testing.T) {
	ctx, client := start(t, "CLICKMESH_URL")
	campaign := unique(t)
	events := clicks(campaign, 2500)
	events[1700] = clickmesh.Click{}
	answer, err := client.SendStream(ctx, events)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Accepted != 2499 || answer.Rejections[0].Index != 1700 {
		t.Errorf("answered %v", answer)
	}
	expectClicks(t, campaign, 2499)
}

func TestCloseSendsWhatIsQueued(t *testing.T) {
	ctx, client := start(t, "CLICKMESH_URL")
	campaign := unique(t)
	for _, event := range clicks(campaign, 700) {
		if _, err := client.Track(ctx, event); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if counters := client.Counters(); counters != (clickmesh.Counters{Queued: 700, Sent: 700}) {
		t.Errorf("counted %+v", counters)
	}
	expectClicks(t, campaign, 700)
}

func TestLostAnswersAreAskedForAgainWithoutCountingTwice(t *testing.T) {
	campaign := unique(t)
	for name, send := range map[string]func(context.Context, *clickmesh.Client) error{
		"unary": func(ctx context.Context, client *clickmesh.Client) error {
			_, err := client.Send(ctx, click(campaign))
			return err
		},
		"batch": func(ctx context.Context, client *clickmesh.Client) error {
			_, err := client.SendBatch(ctx, clicks(campaign, 10))
			return err
		},
		"stream": func(ctx context.Context, client *clickmesh.Client) error {
			_, err := client.SendStream(ctx, clicks(campaign, 100))
			return err
		},
		"track": func(ctx context.Context, client *clickmesh.Client) error {
			_, err := client.Track(ctx, click(campaign))
			return errors.Join(err, client.Close(ctx))
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, client := start(t, "CLICKMESH_FLAKY_URL")
			if err := send(ctx, client); err != nil {
				t.Fatal(err)
			}
		})
	}
	expectClicks(t, campaign, 112)
}

func connection(t *testing.T) *grpc.ClientConn {
	address, err := url.Parse(required(t, "CLICKMESH_URL"))
	if err != nil {
		t.Fatal(err)
	}
	connection, err := grpc.NewClient(address.Host, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

func TestStubsOfGRPC(t *testing.T) {
	ctx, _ := start(t, "CLICKMESH_URL")
	event, err := clickmesh.Complete(click(unique(t)))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := v1.NewIngestServiceClient(connection(t)).Ingest(ctx, &v1.IngestRequest{Event: event.Proto()})
	if err != nil || answer.GetAcceptance().GetEventId() != event.EventID() {
		t.Errorf("answered %v, %v", answer, err)
	}
}

func TestConnectOverHTTP1(t *testing.T) {
	ctx, _ := start(t, "CLICKMESH_URL")
	client := newClient(t, required(t, "CLICKMESH_URL"), clickmesh.Options{Protocol: clickmesh.Connect})
	campaign := unique(t)
	if _, err := client.SendBatch(ctx, clicks(campaign, 10)); err != nil {
		t.Error(err)
	}
	if _, err := client.SendStream(ctx, clicks(campaign, 10)); err != nil {
		t.Error(err)
	}
	expectClicks(t, campaign, 20)
}
