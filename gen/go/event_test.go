package clickmesh_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	clickmesh "github.com/clickmesh/clickmesh/gen/go"
	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
)

func newMemory(t *testing.T, options clickmesh.Options) *clickmesh.Memory {
	t.Helper()
	memory, err := clickmesh.NewMemory(options)
	if err != nil {
		t.Fatal(err)
	}
	return memory
}

func protoOf(click clickmesh.Click) *v1.Event {
	return &v1.Event{Event: &v1.Event_Click{Click: &v1.Click{
		EventId: click.EventID, UserId: click.UserID, AdId: click.AdID, CampaignId: click.CampaignID, Source: click.Source,
	}}}
}

func with(change func(*clickmesh.Click)) clickmesh.Click {
	click := aClick("")
	change(&click)
	return click
}

const notUTF8 = "caf\xe9"

var badEvents = []struct {
	name, field string
	reason      v1.RejectReason
	event       clickmesh.Event
}{
	{"nil", "event", v1.RejectReason_REJECT_REASON_UNKNOWN_EVENT_TYPE, nil},
	{"a pointer to nothing", "event", v1.RejectReason_REJECT_REASON_UNKNOWN_EVENT_TYPE, (*clickmesh.Click)(nil)},
	{"nothing completed", "event", v1.RejectReason_REJECT_REASON_UNKNOWN_EVENT_TYPE, (*clickmesh.Completed)(nil)},
	{"an empty message", "event", v1.RejectReason_REJECT_REASON_UNKNOWN_EVENT_TYPE, clickmesh.FromProto(&v1.Event{})},
	{"no message", "event", v1.RejectReason_REJECT_REASON_UNKNOWN_EVENT_TYPE, clickmesh.FromProto(nil)},
	{"no user", "user_id", v1.RejectReason_REJECT_REASON_REQUIRED, with(func(c *clickmesh.Click) { c.UserID = "" })},
	{"not UTF-8", "user_id", v1.RejectReason_REJECT_REASON_MALFORMED, with(func(c *clickmesh.Click) { c.UserID = notUTF8 })},
	{"NUL", "ad_id", v1.RejectReason_REJECT_REASON_MALFORMED, with(func(c *clickmesh.Click) { c.AdID = "a\x00" })},
	{"too long", "source", v1.RejectReason_REJECT_REASON_TOO_LONG,
		with(func(c *clickmesh.Click) { c.Source = strings.Repeat("x", 129) })},
	{"nobody", "user_id", v1.RejectReason_REJECT_REASON_PLACEHOLDER, with(func(c *clickmesh.Click) { c.UserID = "undefined" })},
	{"blanks", "user_id", v1.RejectReason_REJECT_REASON_PLACEHOLDER, with(func(c *clickmesh.Click) { c.UserID = "\u2003 " })},
	{"the nil UUID", "event_id", v1.RejectReason_REJECT_REASON_PLACEHOLDER,
		with(func(c *clickmesh.Click) { c.EventID = "00000000-0000-0000-0000-000000000000" })},
	{"1970", "timestamp", v1.RejectReason_REJECT_REASON_REQUIRED, with(func(c *clickmesh.Click) { c.Time = time.Unix(0, 0) })},
	{"seconds", "timestamp", v1.RejectReason_REJECT_REASON_OUT_OF_RANGE,
		with(func(c *clickmesh.Click) { c.Time = time.UnixMilli(time.Now().Unix()) })},
	{"the future", "timestamp", v1.RejectReason_REJECT_REASON_OUT_OF_RANGE,
		with(func(c *clickmesh.Click) { c.Time = time.Now().Add(25 * time.Hour) })},
	{"too large", "event", v1.RejectReason_REJECT_REASON_TOO_LONG,
		with(func(c *clickmesh.Click) { c.Metadata = map[string]string{"x": strings.Repeat("x", 1<<20)} })},
	{"money with separators", "value", v1.RejectReason_REJECT_REASON_MALFORMED, aConversion("4,245.42")},
	{"money with a sign of currency", "value", v1.RejectReason_REJECT_REASON_MALFORMED, aConversion("$5")},
	{"money too fine", "value", v1.RejectReason_REJECT_REASON_OUT_OF_RANGE, aConversion("0.0000001")},
	{"less than nothing", "value", v1.RejectReason_REJECT_REASON_OUT_OF_RANGE, aConversion("-1")},
	{"too much", "value", v1.RejectReason_REJECT_REASON_OUT_OF_RANGE, aConversion("1000000000001")},
	{"NaN", "value", v1.RejectReason_REJECT_REASON_NOT_FINITE, aConversion(clickmesh.Float(math.NaN()))},
	{"a generated NaN", "value", v1.RejectReason_REJECT_REASON_NOT_FINITE, generatedConversion(math.NaN())},
	{"a refund of nothing", "value", v1.RejectReason_REJECT_REASON_REQUIRED, clickmesh.Refund{UserID: "u", ConversionID: "c"}},
	{"an unknown kind", "kind", v1.RejectReason_REJECT_REASON_UNKNOWN_CHOICE,
		clickmesh.FromProto(&v1.Event{Event: &v1.Event_Adjustment{Adjustment: &v1.Adjustment{ConversionId: "c", Kind: "gift"}}})},
	{"a verdict that says nothing", "valid", v1.RejectReason_REJECT_REASON_REQUIRED, clickmesh.Verdict{UserID: "u", ClickID: "c"}},
}

func aConversion(value clickmesh.Decimal) clickmesh.Conversion {
	return clickmesh.Conversion{UserID: "user", Type: "purchase", Value: value, Source: "web"}
}

func generatedConversion(value float64) clickmesh.Event {
	return clickmesh.FromProto(&v1.Event{Event: &v1.Event_Conversion{Conversion: &v1.Conversion{
		UserId: "user", Type: "purchase", Value: value, Source: "web",
	}}})
}

func TestABadEventIsRejectedAlone(t *testing.T) {
	for _, bad := range badEvents {
		t.Run(bad.name, func(t *testing.T) {
			t.Parallel()
			s := startSink(t, http2)
			reports := &recorder{}
			client := newClient(t, s.url, clickmesh.Options{OnError: reports.onError, Logger: slog.New(slog.DiscardHandler)})
			events := make([]clickmesh.Event, 1000)
			for i := range events {
				events[i] = aClick("")
			}
			events[499] = bad.event
			results, err := client.SendBatch(t.Context(), events)
			if err != nil {
				t.Fatal(err)
			}
			for i, result := range results {
				if (result.Acceptance == nil) != (i == 499) {
					t.Errorf("result %d is %+v", i, result)
				}
			}
			stream, err := client.SendStream(t.Context(), events)
			if err != nil || stream.Accepted != 999 || stream.Rejected != 1 || stream.Rejections[0].Index != 499 {
				t.Errorf("%+v, %v", stream, err)
			}
			var track error
			for i, event := range events {
				if _, err := client.Track(t.Context(), event); (err != nil) != (i == 499) {
					t.Errorf("Track of %d: %v", i, err)
				} else if err != nil {
					track = err
				}
			}
			_, send := client.Send(t.Context(), bad.event)
			if again := (*clickmesh.Rejected)(nil); errors.As(send, &again) {
				// As it is, it is no better.
				_, send = client.Send(t.Context(), again.Event)
			}
			for _, err := range []error{results[499].Err, stream.Rejections[0].Rejected, track, send, reports.errs[0]} {
				var rejected *clickmesh.Rejected
				if !errors.As(err, &rejected) || rejected.GetField() != bad.field || rejected.GetReason() != bad.reason {
					t.Errorf("%v", err)
				} else if !strings.HasPrefix(rejected.GetMessage(), bad.field) {
					t.Errorf("the message is %q", rejected.GetMessage())
				}
			}
			if err := client.Close(t.Context()); err != nil {
				t.Error(err)
			}
			agrees(t, client, s, 0)
			s.expect(t, 3*999)
		})
	}
}

func TestWhatTheGatewayRejectsIsToldWithTheEvent(t *testing.T) {
	s := startSink(t, http2)
	reports := &recorder{}
	client := newClient(t, s.url, clickmesh.Options{OnError: reports.onError, Logger: slog.New(slog.DiscardHandler)})
	refused := with(func(c *clickmesh.Click) { c.UserID, c.EventID = "refused", "the-bad-one" })
	client.Track(t.Context(), aClick(""))
	tracked, err := client.Track(t.Context(), refused)
	if err != nil {
		t.Fatal(err)
	}
	var rejected *clickmesh.Rejected
	if _, err := tracked.Wait(t.Context()); !errors.As(err, &rejected) || rejected.Event.EventID() != "the-bad-one" {
		t.Errorf("Wait: %v", err)
	}
	stream, err := client.SendStream(t.Context(), []clickmesh.Event{clickmesh.Click{}, aClick(""), refused})
	if err != nil || len(stream.Rejections) != 2 || stream.Rejections[1].Index != 2 {
		t.Errorf("%+v, %v", stream, err)
	}
	client.Close(t.Context())
	if len(reports.events) != 1 || reports.events[0].EventID() != "the-bad-one" {
		t.Errorf("OnError was told %v", reports.errs)
	}
	agrees(t, client, s, 0)
}

func TestMetadataThatIsNotUTF8IsLeftOutAndNamed(t *testing.T) {
	memory := newMemory(t, clickmesh.Options{})
	metadata := map[string]string{"q": notUTF8, "good": "yes"}
	for _, event := range []clickmesh.Event{
		with(func(c *clickmesh.Click) { c.Metadata = metadata }),
		clickmesh.FromProto(&v1.Event{Event: &v1.Event_Click{Click: &v1.Click{
			UserId: "u", AdId: "a", CampaignId: "c", Source: "s", Metadata: metadata,
		}}}),
	} {
		accepted, err := memory.Send(t.Context(), event)
		if err != nil || len(accepted.Ignored) != 1 || accepted.Ignored[0] != "metadata.q" {
			t.Errorf("%+v, %v", accepted, err)
		}
	}
	for _, event := range memory.Events() {
		if kept := event.GetClick().GetMetadata(); len(kept) != 1 || kept["good"] != "yes" {
			t.Errorf("kept %v", kept)
		}
	}
	if len(metadata) != 2 {
		t.Error("the caller's map was changed")
	}
}

func TestEveryTypeOfEventInOneLine(t *testing.T) {
	memory := newMemory(t, clickmesh.Options{})
	at := time.Date(2026, 11, 1, 1, 30, 0, 123_999_999, time.FixedZone("", 5*3600))
	ms := at.UnixMilli()
	for _, c := range []struct {
		event clickmesh.Event
		want  *v1.Event
	}{
		{clickmesh.Click{EventID: "order 1", UserID: "u", AdID: "a", CampaignID: "c", Source: "s", Time: at},
			&v1.Event{Event: &v1.Event_Click{Click: &v1.Click{
				EventId: "order 1", UserId: "u", AdId: "a", CampaignId: "c", Source: "s", Timestamp: ms}}}},
		{clickmesh.Conversion{EventID: "1", UserID: "u", Type: "t", Value: "49.90", Currency: "EUR", Source: "s", Time: at},
			&v1.Event{Event: &v1.Event_Conversion{Conversion: &v1.Conversion{
				EventId: "1", UserId: "u", Type: "t", ValueMicros: 49_900_000, Currency: "EUR", Source: "s", Timestamp: ms}}}},
		{clickmesh.Refund{EventID: "2", UserID: "u", ConversionID: "1", Value: "5", Reason: "broken", Time: at},
			&v1.Event{Event: &v1.Event_Adjustment{Adjustment: &v1.Adjustment{
				EventId: "2", UserId: "u", ConversionId: "1", Kind: "refund", ValueMicros: proto.Int64(5_000_000),
				Reason: "broken", Timestamp: ms}}}},
		{clickmesh.Restate{EventID: "3", ConversionID: "1", Value: "0", Time: at},
			&v1.Event{Event: &v1.Event_Adjustment{Adjustment: &v1.Adjustment{
				EventId: "3", ConversionId: "1", Kind: "restate", ValueMicros: proto.Int64(0), Timestamp: ms}}}},
		{clickmesh.Retract{EventID: "4", UserID: "u", ConversionID: "1", Time: at},
			&v1.Event{Event: &v1.Event_Adjustment{Adjustment: &v1.Adjustment{
				EventId: "4", UserId: "u", ConversionId: "1", Kind: "retract", Timestamp: ms}}}},
		{clickmesh.Verdict{EventID: "5", UserID: "u", ClickID: "k", Valid: new(true), Time: at},
			&v1.Event{Event: &v1.Event_Verdict{Verdict: &v1.Verdict{
				EventId: "5", UserId: "u", ClickId: "k", Valid: proto.Bool(true), Timestamp: ms}}}},
		{clickmesh.Invalidate{EventID: "6", ClickID: "k", Reason: "bot", Time: at},
			&v1.Event{Event: &v1.Event_Verdict{Verdict: &v1.Verdict{
				EventId: "6", ClickId: "k", Valid: proto.Bool(false), Reason: "bot", Timestamp: ms}}}},
	} {
		if _, err := memory.Send(t.Context(), c.event); err != nil {
			t.Errorf("%+v: %v", c.event, err)
			continue
		}
		if events := memory.Events(); !proto.Equal(events[len(events)-1], c.want) {
			t.Errorf("%v is not %v", events[len(events)-1], c.want)
		}
	}
}

func TestDecimalsAreExact(t *testing.T) {
	memory := newMemory(t, clickmesh.Options{})
	for text, want := range map[clickmesh.Decimal]int64{
		"": 0, "0": 0, "-0": 0, "49.9": 49_900_000, "49.900000000": 49_900_000, "0.000001": 1, ".5": -1, "5.": -1, "1e3": -1,
		"+5": -1, " 5": -1, "９": -1, "9007199254.740993": 9_007_199_254_740_993, "1000000000000": 1e18,
		clickmesh.Float(0.0078125): 7813, clickmesh.Float(19.99): 19_990_000, clickmesh.Micros(5): 5,
		clickmesh.Float(1.0000015): 1_000_001, "99999999999999999999": -1,
	} {
		_, err := memory.Send(t.Context(), aConversion(text))
		if (err == nil) != (want >= 0) {
			t.Errorf("%q: %v", text, err)
		}
		if events := memory.Events(); err == nil && events[len(events)-1].GetConversion().GetValueMicros() != want {
			t.Errorf("%q is %v", text, events[len(events)-1])
		}
	}
}

func TestOptionsAndAddressesAreChecked(t *testing.T) {
	for want, options := range map[string]clickmesh.Options{
		"Options.Timeout must be in [1ms, 24h0m0s]: it is -1s": {Timeout: -time.Second},
		"Options.AttemptTimeout":                               {AttemptTimeout: time.Microsecond},
		"Options.BatchSize must be in [1, 1000]: it is 1001":   {BatchSize: 1001},
		"Options.BatchDelay":                                   {BatchDelay: time.Hour},
		"Options.MaxQueueEvents must be in [1, 10000000]":      {MaxQueueEvents: -1},
		"Options.MaxQueueBytes":                                {MaxQueueBytes: 1},
		"Options.StoreBytes":                                   {StoreBytes: 1},
		`Options.OnFull must be "wait" or "reject"`:            {OnFull: "drop"},
		`Options.Protocol must be "grpc" or "connect"`:         {Protocol: "http"},
		`Options.Headers has "a b", which is not a header`:     {Headers: map[string]string{"a b": "c"}},
		"Options.Key must be text for a header":                {Key: "secret\n"},
		"Options.Store":                                        {Store: "/nowhere/at/all"},
	} {
		if _, err := clickmesh.New("http://127.0.0.1:1", options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", options, err)
		}
	}
	for address, want := range map[string]string{
		"localhost:8080":   `"localhost:8080" has no scheme: http://localhost:8080`,
		"127.0.0.1:8080":   `"127.0.0.1:8080" has no scheme: http://127.0.0.1:8080`,
		"":                 "has no scheme",
		"grpc://localhost": `has the scheme "grpc": only http and https are known`,
		"http://":          "names no host",
		"http://a?b=c":     "has a query",
		"http://a b":       "is no address",
		"http://a:99999":   "has the port 99999: ports are 1 to 65535",
	} {
		if _, err := clickmesh.New(address, clickmesh.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestHeadersKeyPathAndProtocol(t *testing.T) {
	for protocol, served := range map[clickmesh.Protocol]setProtocol{clickmesh.GRPC: http2, clickmesh.Connect: http1} {
		s := startSink(t, served)
		s.setBefore(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("X-A") != "1" || r.Header.Get("X-B") != "2" ||
				!strings.HasPrefix(r.URL.Path, "/a/b/clickmesh.v1.") {
				t.Errorf("%s has %v", r.URL, r.Header)
			}
			return false
		})
		for _, address := range []string{s.url + "/a/b", s.url + "/a/b/"} {
			client := newClient(t, address, clickmesh.Options{
				Protocol: protocol, Key: "secret", Headers: map[string]string{"x-a": "1"},
				HeadersFunc: func(context.Context) (map[string]string, error) { return map[string]string{"x-b": "2"}, nil },
			})
			events := []clickmesh.Event{aClick("1"), aClick("2")}
			_, send := client.Send(t.Context(), aClick("3"))
			_, batch := client.SendBatch(t.Context(), events)
			_, stream := client.SendStream(t.Context(), events)
			if err := errors.Join(send, batch, stream); err != nil {
				t.Errorf("%s: %v", protocol, err)
			}
		}
	}
}

func TestHeadersFuncMayFailForAWhileAndIsChecked(t *testing.T) {
	s := startSink(t, http2)
	asked := 0
	client := newClient(t, s.url, clickmesh.Options{HeadersFunc: func(context.Context) (map[string]string, error) {
		switch asked++; asked {
		case 1:
			return nil, errors.New("no token yet")
		case 2:
			return map[string]string{"x-tenant": "acme"}, nil
		default:
			return map[string]string{"x-tenant": "a\nb"}, nil
		}
	}})
	if _, err := client.Send(t.Context(), aClick("id")); err != nil || asked != 2 {
		t.Errorf("asked %d times: %v", asked, err)
	}
	_, err := client.Send(t.Context(), aClick("id"))
	if err == nil || !strings.Contains(err.Error(), `Options.HeadersFunc has "x-tenant", which is not a header`) {
		t.Errorf("%v", err)
	}
}

func TestLargeRequestsAreCompressed(t *testing.T) {
	s := startSink(t, http2)
	encodings := make(chan string, 2)
	s.setBefore(func(_ http.ResponseWriter, request *http.Request) bool {
		encodings <- request.Header.Get("Grpc-Encoding")
		return false
	})
	client := newClient(t, s.url, clickmesh.Options{})
	if _, err := client.Send(t.Context(), aLargeClick(2000)); err != nil {
		t.Error(err)
	}
	if encoding := <-encodings; encoding != "gzip" {
		t.Errorf("sent as %q", encoding)
	}
}

func TestADisabledClientChecksAndCounts(t *testing.T) {
	client := newClient(t, "http://127.0.0.1:1", clickmesh.Options{Disabled: true, Logger: slog.New(slog.DiscardHandler)})
	client.Track(t.Context(), aClick(""))
	client.Track(t.Context(), clickmesh.Click{})
	if _, err := client.Send(t.Context(), aClick("")); err != nil {
		t.Error(err)
	}
	if err := client.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if counters := client.Counters(); counters != (clickmesh.Counters{Queued: 3, Sent: 2, Rejected: 1}) {
		t.Errorf("counted %+v", counters)
	}
}
