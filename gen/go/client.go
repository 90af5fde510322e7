// Package clickmesh sends clicks, conversions and what corrects them to a clickmesh gateway, and reads the statistics
// made of them.
//
// Every event gets its id and its time at the call, and every attempt to send it has the same, so that nothing counts
// twice. What could not be sent is told by the call, by [Client.Close], by Options.OnError, by a warning and by
// [Client.Counters]: no event vanishes without a word. gen/README.md says all that holds, in numbered statements.
package clickmesh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"

	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
	"github.com/clickmesh/clickmesh/gen/go/clickmesh/v1/clickmeshv1connect"
)

// Time of Close, and of Flush, if the context has none.
const defaultLimit = 30 * time.Second

// Client is safe for concurrent use. Close it to send what is still queued.
type Client struct {
	one       *connect.Client[serialized, v1.IngestResponse]
	many      *connect.Client[serialized, v1.IngestBatchResponse]
	stream    *connect.Client[serialized, v1.IngestStreamResponse]
	stats     clickmeshv1connect.StatsServiceClient
	transport *transport
	options   Options
	queue     *queue
	report    *reporter
	store     *store

	isClosing atomic.Bool
	// Closed once closeErr is there.
	closed   chan struct{}
	closeErr error
}

// New returns a client of the gateway at url, such as "http://127.0.0.1:8080" or "https://example.com/clickmesh". It
// connects with the first call.
func New(url string, options Options) (*Client, error) {
	base, err := checkURL(url)
	options = options.withDefaults()
	if options.Disabled {
		options.HTTPClient, options.Protocol, options.Store = inMemory(func(*v1.Event) {}), Connect, ""
	}
	if err := errors.Join(err, options.check()); err != nil {
		return nil, err
	}
	options.address = base
	client := &Client{options: options, closed: make(chan struct{})}
	client.report = &reporter{onError: options.OnError, logger: options.Logger}
	if options.Logger == nil {
		client.report.logger = slog.Default()
	}
	client.transport = &transport{client: options.HTTPClient, options: options}
	if options.HTTPClient == nil {
		client.transport.client = newHTTPClient(options.Protocol)
	}
	calls := clientOptions(options.Protocol)
	client.one = connect.NewClient[serialized, v1.IngestResponse](
		client.transport, base+clickmeshv1connect.IngestServiceIngestProcedure, calls...)
	client.many = connect.NewClient[serialized, v1.IngestBatchResponse](
		client.transport, base+clickmeshv1connect.IngestServiceIngestBatchProcedure, calls...)
	client.stream = connect.NewClient[serialized, v1.IngestStreamResponse](
		client.transport, base+clickmeshv1connect.IngestServiceIngestStreamProcedure, calls...)
	client.stats = clickmeshv1connect.NewStatsServiceClient(client.transport, base, calls...)
	client.queue = newQueue(options, client.deliver, func() { client.report.countQueued(1) })
	if options.Store != "" {
		client.store, err = openStore(options.Store, options.StoreBytes)
		if err != nil {
			return nil, err
		}
		go client.sendStored()
	}
	return client, nil
}

// Track queues one event, to be sent with others, and returns at once, or, without room in the queue, once there is
// some or ctx ends. The error is a *Rejected if the event breaks a rule of the contract; ErrClosed; or a *SendFailed of
// ErrQueueFull or of ctx. What became of the event is told by Wait of what it returns.
func (c *Client) Track(ctx context.Context, event Event) (*Tracked, error) {
	if c.isClosed() {
		return nil, ErrClosed
	}
	completed, rejected := prepare(event, time.Now())
	if rejected != nil {
		c.report.count(func(n *Counters) {
			n.Queued++
			n.Rejected++
		})
		c.report.tell(rejected)
		return nil, rejected
	}
	tracked, err := c.queue.add(ctx, completed)
	if err == nil || err == ErrClosed {
		return tracked, err
	}
	c.report.countQueued(1)
	return nil, c.lose([]*Completed{completed}, &failure{err: err})
}

// Ready returns once Track has room for an event.
func (c *Client) Ready(ctx context.Context) error { return c.queue.ready(ctx) }

// Flush sends what is queued and returns when everything tracked before has been answered, or ctx ends, or 30 s passed
// if ctx has no deadline. The error is a *NotSent if some of it was lost.
func (c *Client) Flush(ctx context.Context) error {
	ctx, cancel := limited(ctx)
	defer cancel()
	mark := c.queue.markNow()
	select {
	case <-mark.done:
	case <-ctx.Done():
	}
	lost, why, left := c.queue.unmark(mark)
	switch {
	case left > 0:
		return fmt.Errorf("clickmesh: %s no answer yet: %w", counted(left, "event has", "events have"), context.Cause(ctx))
	case len(lost) > 0:
		return &NotSent{len(lost), lost, why}
	}
	return nil
}

// Close takes no more events, sends what is queued, and returns when all of it is answered or given up. That is within
// the time of ctx, or 30 s if it has no deadline, or has ended already: so what is queued is sent also where ctx is that
// of a program which is told to end. The error is a *NotSent if events were lost since the client was made.
//
// Defer it in main: what is queued when the process exits is lost.
func (c *Client) Close(ctx context.Context) error {
	if !c.isClosing.CompareAndSwap(false, true) {
		<-c.closed
		return c.closeErr
	}
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := limited(ctx)
	defer cancel()
	c.queue.stop()
	mark := c.queue.markNow()
	select {
	case <-mark.done:
	case <-ctx.Done():
		c.queue.abandon(errors.New("the time of Close was over"))
		waitFor(mark.done, closeGrace)
	}
	if c.store != nil {
		c.store.stopSending(ctx)
	}
	events, _, _ := c.queue.unmark(mark)
	if lost, why := c.report.lossSoFar(); lost > 0 {
		c.closeErr = &NotSent{lost, events, why}
	}
	close(c.closed)
	// One of them may be what calls this.
	waitFor(c.queue.reportsDone(), closeGrace)
	c.queue.end()
	c.report.flush()
	if c.store != nil {
		c.store.close()
	}
	c.transport.closeIdle()
	return c.closeErr
}

// Time for calls that were ended to return, and for OnError of what they lost.
const closeGrace = time.Second

func waitFor(done <-chan struct{}, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

func limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, hasDeadline := ctx.Deadline(); hasDeadline {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, defaultLimit)
}

// Counters says what became of the events of all calls so far.
func (c *Client) Counters() Counters { return c.report.snapshot() }

// Stats returns clicks, conversions, revenue and conversion rate by period, campaign and source. Dates are days in UTC,
// as Day writes them.
func (c *Client) Stats(ctx context.Context, query *v1.GetStatsRequest) (*v1.GetStatsResponse, error) {
	response, failed := retry(ctx, c.options, func(ctx context.Context) (*connect.Response[v1.GetStatsResponse], error) {
		return c.stats.GetStats(ctx, connect.NewRequest(query))
	})
	if failed != nil {
		return nil, fmt.Errorf("clickmesh: no statistics after %s in %.1f s: %w",
			counted(failed.attempts, "attempt", "attempts"), failed.took.Seconds(), failed.err)
	}
	return response.Msg, nil
}

// Day is the day of a time in UTC, as queries of statistics have it.
func Day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func (c *Client) isClosed() bool { return c.isClosing.Load() }
