package clickmesh_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"net/url"

	clickmesh "github.com/clickmesh/clickmesh/gen/go"
	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
)

// The gateway, and a way to it that loses the first answer of every other connection.
var (
	gateway = required("CLICKMESH_URL")
	flaky   = required("CLICKMESH_FLAKY_URL")
)

func required(name string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	panic(name + " must name a gateway")
}

func start(t *testing.T, url string, options clickmesh.Options) (context.Context, *clickmesh.Client) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	client := clickmesh.New(url, options)
	t.Cleanup(cancel)
	return ctx, client
}

// A name that no other run has.
func unique(t *testing.T) string {
	return fmt.Sprintf("go-%s-%d", t.Name(), time.Now().UnixNano())
}

func click(campaign string) *v1.Event {
	return clickmesh.NewClick(&v1.Click{UserId: "user-of-" + campaign, AdId: "ad", CampaignId: campaign, Source: "web"})
}

func clicks(campaign string, count int) []*v1.Event {
	events := make([]*v1.Event, count)
	for i := range events {
		events[i] = click(campaign)
	}
	return events
}

func invalid() *v1.Event {
	return clickmesh.NewClick(&v1.Click{AdId: "ad", CampaignId: "c", Source: "web"})
}

// expectClicks waits for a later click of the same user, which is counted after all others, and then counts them.
func expectClicks(t *testing.T, campaign string, want uint64) {
	t.Helper()
	ctx, client := start(t, gateway, clickmesh.Options{})
	last := click(campaign + "-last")
	last.GetClick().UserId = "user-of-" + campaign
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
	yesterday := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	tomorrow := time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	stats, err := client.GetStats(ctx, &v1.GetStatsRequest{
		StartDate: yesterday, EndDate: tomorrow, CampaignId: campaign, Interval: v1.Interval_INTERVAL_MONTHLY,
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
	ctx, client := start(t, gateway, clickmesh.Options{})
	campaign := unique(t)
	event := click(campaign)
	acceptance, err := client.Send(ctx, event)
	if err != nil {
		t.Fatal(err)
	}
	if acceptance.GetEventId() != event.GetClick().GetEventId() {
		t.Errorf("%v is not the answer to %v", acceptance, event)
	}
	expectClicks(t, campaign, 1)
}

func TestWhatWasSentIsTakenBack(t *testing.T) {
	ctx, client := start(t, gateway, clickmesh.Options{})
	campaign := unique(t)
	user := "user-of-" + campaign
	events := append(clicks(campaign, 2), clickmesh.NewConversion(&v1.Conversion{
		EventId: campaign, UserId: user, Type: "purchase", Value: 20, Source: "web",
	}))
	if _, err := client.SendBatch(ctx, events); err != nil {
		t.Fatal(err)
	}
	for _, event := range []*v1.Event{
		clickmesh.NewAdjustment(&v1.Adjustment{
			UserId: user, ConversionId: campaign, Kind: "refund", Value: proto.Float64(5),
		}),
		clickmesh.NewVerdict(&v1.Verdict{
			UserId: user, ClickId: events[0].GetClick().GetEventId(), Valid: proto.Bool(false), Reason: "bot",
		}),
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

func TestSendTellsWhyAnEventIsRejected(t *testing.T) {
	ctx, client := start(t, gateway, clickmesh.Options{})
	_, err := client.Send(ctx, invalid())
	var rejected *clickmesh.Rejected
	if !errors.As(err, &rejected) {
		t.Fatalf("%v is not a rejection", err)
	}
	if rejected.GetField() != "user_id" || rejected.GetReason() != v1.RejectReason_REJECT_REASON_REQUIRED {
		t.Errorf("rejected for %v", rejected)
	}
}

func TestSendBatchSplitsAndAnswersInOrder(t *testing.T) {
	ctx, client := start(t, gateway, clickmesh.Options{})
	campaign := unique(t)
	events := clicks(campaign, 2500)
	events[1700] = invalid()
	results, err := client.SendBatch(ctx, events)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != len(events) {
		t.Fatalf("%d results for %d events", len(results), len(events))
	}
	for i, result := range results {
		if (result.Rejected != nil) != (i == 1700) {
			t.Errorf("result %d is %v", i, result)
		}
	}
	expectClicks(t, campaign, 2499)
}

func TestSendStream(t *testing.T) {
	ctx, client := start(t, gateway, clickmesh.Options{})
	campaign := unique(t)
	events := clicks(campaign, 2500)
	events[1700] = invalid()
	answer, err := client.SendStream(ctx, events)
	if err != nil {
		t.Fatal(err)
	}
	if answer.GetAccepted() != 2499 || answer.GetRejections()[0].GetIndex() != 1700 {
		t.Errorf("answered %v", answer)
	}
	expectClicks(t, campaign, 2499)
}

func TestTrackSendsWhatFillsABatch(t *testing.T) {
	ctx, client := start(t, gateway, clickmesh.Options{BatchSize: 10, BatchDelay: time.Hour})
	for i := range 10 {
		tracked, err := client.Track(ctx, click(unique(t)))
		if err != nil {
			t.Fatal(err)
		}
		if i < 9 {
			continue
		}
		if _, err := tracked.Wait(ctx); err != nil {
			t.Error(err)
		}
	}
}

func TestTrackSendsWhatHasWaitedLongEnough(t *testing.T) {
	ctx, client := start(t, gateway, clickmesh.Options{BatchDelay: time.Millisecond})
	tracked, err := client.Track(ctx, click(unique(t)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tracked.Wait(ctx); err != nil {
		t.Error(err)
	}
}

func TestTrackBlocksWhileTooMuchIsPending(t *testing.T) {
	ctx, client := start(t, gateway, clickmesh.Options{MaxPending: 1, BatchDelay: time.Hour})
	if _, err := client.Track(ctx, click(unique(t))); err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if _, err := client.Track(impatient, click(unique(t))); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Track returned %v", err)
	}
}

func TestCloseSendsWhatIsQueued(t *testing.T) {
	ctx, client := start(t, gateway, clickmesh.Options{BatchDelay: time.Hour})
	campaign := unique(t)
	good, _ := client.Track(ctx, click(campaign))
	bad, _ := client.Track(ctx, invalid())
	if err := client.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := good.Wait(ctx); err != nil {
		t.Error(err)
	}
	var rejected *clickmesh.Rejected
	if _, err := bad.Wait(ctx); !errors.As(err, &rejected) {
		t.Errorf("%v is not a rejection", err)
	}
	if _, err := client.Track(ctx, click(campaign)); !errors.Is(err, clickmesh.ErrClosed) {
		t.Errorf("Track returned %v", err)
	}
	expectClicks(t, campaign, 1)
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
	} {
		t.Run(name, func(t *testing.T) {
			ctx, client := start(t, flaky, clickmesh.Options{})
			if err := send(ctx, client); err != nil {
				t.Fatal(err)
			}
		})
	}
	expectClicks(t, campaign, 111)
}

func TestGivesUpAfterTheTimeout(t *testing.T) {
	ctx, client := start(t, "http://127.0.0.1:1", clickmesh.Options{Timeout: 300 * time.Millisecond})
	if _, err := client.Send(ctx, click(unique(t))); err == nil {
		t.Error("nobody is there, and an answer came")
	}
}

func TestStubsOfGRPC(t *testing.T) {
	ctx, _ := start(t, gateway, clickmesh.Options{})
	address, err := url.Parse(gateway)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := grpc.NewClient(address.Host, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	event := click(unique(t))
	event.GetClick().EventId = "b6b1f0c2-6b53-4d58-a9e3-3f5b7d9c1e2f"
	event.GetClick().Timestamp = time.Now().UnixMilli()
	answer, err := v1.NewIngestServiceClient(connection).Ingest(ctx, &v1.IngestRequest{Event: event})
	if err != nil || answer.GetAcceptance().GetEventId() != event.GetClick().GetEventId() {
		t.Errorf("answered %v, %v", answer, err)
	}
}
