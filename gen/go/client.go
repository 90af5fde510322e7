// Package clickmesh sends clicks and conversions to a clickmesh gateway and reads the statistics made of them.
//
// Every call is retried under the same event_id while the gateway is away, so nothing is lost and nothing counts twice.
package clickmesh

import (
	"context"
	"errors"
	"net/http"
	"time"

	"connectrpc.com/connect"

	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
	"github.com/clickmesh/clickmesh/gen/go/clickmesh/v1/clickmeshv1connect"
)

// Messages below this many bytes are not worth compressing.
const gzipMinBytes = 1024

// Options of a Client; the zero value of each means its default.
type Options struct {
	// Longest time that a call may take, all its attempts together. 30 s.
	Timeout time.Duration
	// Longest time that one attempt may take. 10 s.
	AttemptTimeout time.Duration
	// Tracked events go out when this many wait, at most 1000. 500.
	BatchSize int
	// Tracked events go out when the first has waited this long. 50 ms.
	BatchDelay time.Duration
	// Track blocks while this many tracked events have no answer. 10000.
	MaxPending int
	// Sends the requests; HTTP/2, over TLS or not, unless given.
	HTTPClient connect.HTTPClient
}

// Client is safe for concurrent use. Close it to send what is still queued.
type Client struct {
	ingest  clickmeshv1connect.IngestServiceClient
	stats   clickmeshv1connect.StatsServiceClient
	options Options
	queue   *queue
}

// Result is what became of one event of a batch: either is nil.
type Result struct {
	Acceptance *v1.Acceptance
	Rejected   *Rejected
}

// New returns a client of the gateway at url, such as "http://127.0.0.1:8080". It connects with the first call.
func New(url string, options Options) *Client {
	options = options.withDefaults()
	settings := []connect.ClientOption{connect.WithSendGzip(), connect.WithCompressMinBytes(gzipMinBytes)}
	client := &Client{
		ingest:  clickmeshv1connect.NewIngestServiceClient(options.HTTPClient, url, settings...),
		stats:   clickmeshv1connect.NewStatsServiceClient(options.HTTPClient, url, settings...),
		options: options,
	}
	client.queue = newQueue(client.SendBatch, options)
	return client
}

// Send stores one event and returns once it is durable. A missing event_id or timestamp is filled in. The error is a
// *Rejected if the event breaks a rule of the contract.
func (c *Client) Send(ctx context.Context, event *v1.Event) (*v1.Acceptance, error) {
	complete(event)
	response, err := retry(ctx, c.options, func(ctx context.Context) (*connect.Response[v1.IngestResponse], error) {
		return c.ingest.Ingest(ctx, connect.NewRequest(&v1.IngestRequest{Event: event}))
	})
	if err != nil {
		return nil, rejectedOr(err)
	}
	return response.Msg.GetAcceptance(), nil
}

// SendBatch stores any number of events, in calls as large as the gateway takes, and returns their results in order.
// After an error there are results only for the events that were answered before; sending all again is safe.
func (c *Client) SendBatch(ctx context.Context, events []*v1.Event) ([]Result, error) {
	results := make([]Result, 0, len(events))
	for _, chunk := range chunks(events) {
		request := &v1.IngestBatchRequest{Events: chunk}
		response, err := retry(ctx, c.options, func(ctx context.Context) (*connect.Response[v1.IngestBatchResponse], error) {
			return c.ingest.IngestBatch(ctx, connect.NewRequest(request))
		})
		if err != nil {
			return results, err
		}
		for _, result := range response.Msg.GetResults() {
			results = append(results, toResult(result))
		}
	}
	return results, nil
}

// SendStream stores any number of events over one stream, answered when all are durable. A stream that breaks is sent
// again from its start.
func (c *Client) SendStream(ctx context.Context, events []*v1.Event) (*v1.IngestStreamResponse, error) {
	messages := chunks(events)
	response, err := retry(ctx, c.options, func(ctx context.Context) (*connect.Response[v1.IngestStreamResponse], error) {
		stream := c.ingest.IngestStream(ctx)
		for _, chunk := range messages {
			// io.EOF: the gateway has answered already, and CloseAndReceive tells what.
			if stream.Send(&v1.IngestStreamRequest{Events: chunk}) != nil {
				break
			}
		}
		return stream.CloseAndReceive()
	})
	if err != nil {
		return nil, err
	}
	return response.Msg, nil
}

// Track queues one event, to be sent with others. It blocks while Options.MaxPending events have no answer, and fails
// only when ctx ends first or the client is closed. What became of the event is told by Wait of what it returns.
func (c *Client) Track(ctx context.Context, event *v1.Event) (*Tracked, error) {
	return c.queue.add(ctx, event)
}

// Flush sends what is queued and returns when everything tracked before has been answered, or ctx ends.
func (c *Client) Flush(ctx context.Context) error {
	return c.queue.flush(ctx)
}

// Close takes no more events and flushes. Defer it in main: what is queued when the process exits is lost.
func (c *Client) Close(ctx context.Context) error {
	return c.queue.close(ctx)
}

// GetStats returns clicks, conversions, revenue and conversion rate by period, campaign and source.
func (c *Client) GetStats(ctx context.Context, request *v1.GetStatsRequest) (*v1.GetStatsResponse, error) {
	response, err := retry(ctx, c.options, func(ctx context.Context) (*connect.Response[v1.GetStatsResponse], error) {
		return c.stats.GetStats(ctx, connect.NewRequest(request))
	})
	if err != nil {
		return nil, err
	}
	return response.Msg, nil
}

func toResult(result *v1.IngestResult) Result {
	if rejection := result.GetRejected(); rejection != nil {
		return Result{Rejected: &Rejected{rejection}}
	}
	return Result{Acceptance: result.GetAccepted()}
}

func (o Options) withDefaults() Options {
	setDefault(&o.Timeout, 30*time.Second)
	setDefault(&o.AttemptTimeout, 10*time.Second)
	setDefault(&o.BatchSize, 500)
	setDefault(&o.BatchDelay, 50*time.Millisecond)
	setDefault(&o.MaxPending, 10_000)
	o.BatchSize = min(o.BatchSize, maxBatchEvents)
	if o.HTTPClient == nil {
		o.HTTPClient = http2Client()
	}
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func http2Client() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP2(true)
	transport.Protocols.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: transport}
}

// Rejected is the error of an event that breaks a rule of the contract: sending it again unchanged can't help.
type Rejected struct{ *v1.Rejection }

func (r *Rejected) Error() string { return r.GetMessage() }

func rejectedOr(err error) error {
	var connectErr *connect.Error
	if !errors.As(err, &connectErr) {
		return err
	}
	for _, detail := range connectErr.Details() {
		if value, valueErr := detail.Value(); valueErr == nil {
			if rejection, ok := value.(*v1.Rejection); ok {
				return &Rejected{rejection}
			}
		}
	}
	return err
}
