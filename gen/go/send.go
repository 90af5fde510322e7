package clickmesh

import (
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"

	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
)

// Acceptance tells that an event is durable.
type Acceptance struct {
	// As it was sent.
	EventID string
	Time    time.Time
	// The UUID that the event is stored under.
	StoredID string
	// Position in raw-events.
	Partition uint32
	Offset    uint64
	// Names in the event that the contract doesn't know, and entries of metadata that could not be kept, such as
	// "metadata.gclid": what they held is not stored.
	Ignored []string
}

// Result is what became of one event of a batch: either is nil.
type Result struct {
	Acceptance *Acceptance
	// A *Rejected or a *SendFailed.
	Err error
}

// Send stores one event and returns once it is durable. The error is a *Rejected if the event breaks a rule of the
// contract, and a *SendFailed, which has the event with its id, if it was given up.
func (c *Client) Send(ctx context.Context, event Event) (*Acceptance, error) {
	if c.isClosed() {
		return nil, ErrClosed
	}
	c.report.countQueued(1)
	completed, rejected := prepare(event, time.Now())
	if rejected != nil {
		c.report.count(func(n *Counters) { n.Rejected++ })
		return nil, rejected
	}
	events := serialized{completed}
	response, failed := retry(ctx, c.options, func(ctx context.Context) (*connect.Response[v1.IngestResponse], error) {
		return c.one.CallUnary(ctx, connect.NewRequest(&events))
	})
	if failed == nil {
		c.report.count(func(n *Counters) { n.Sent++ })
		return accepted(completed, response.Msg.GetAcceptance()), nil
	}
	if rejection := rejectionIn(failed.err); rejection != nil {
		c.report.count(func(n *Counters) { n.Rejected++ })
		return nil, &Rejected{rejection, completed}
	}
	return nil, c.lose(events, failed)
}

// SendBatch stores any number of events, in calls as large as the gateway takes, and returns a result for each, in
// order. The error is a *SendFailed, which has the events that were given up; rejected ones are no error.
func (c *Client) SendBatch(ctx context.Context, events []Event) ([]Result, error) {
	if c.isClosed() {
		return nil, ErrClosed
	}
	results, good, places := c.prepareAll(events)
	var given []*Completed
	var last *failure
	for _, call := range calls(good) {
		there := places[:len(call)]
		places = places[len(call):]
		var answers []Result
		// While nobody answers, nobody will answer for the next either.
		if last == nil || !last.isOutage {
			var failed *failure
			if answers, failed = c.sendCall(ctx, c.options, call); failed != nil {
				last = failed
			}
		}
		if answers == nil {
			given = append(given, call...)
			continue
		}
		for i, place := range there {
			results[place] = answers[i]
		}
	}
	if last == nil {
		return results, nil
	}
	err := c.lose(given, last)
	for i, result := range results {
		if result.Acceptance == nil && result.Err == nil {
			results[i].Err = err.of(given[0])
			given = given[1:]
		}
	}
	return results, err
}

// StreamResult is what became of the events of a stream.
type StreamResult struct {
	Accepted, Rejected uint64
	// Those that the client rejected, and the first 1,000 of the gateway, by index.
	Rejections []StreamRejection
	// Names that were ignored (see Acceptance), and in how many events: the first 100.
	Ignored []*v1.IgnoredName
}

// StreamRejection is a rejected event of a stream.
type StreamRejection struct {
	// In what was sent, from 0.
	Index    int
	Rejected *Rejected
}

// SendStream stores any number of events over one stream, answered when all are durable. A stream that breaks is sent
// again from its start.
func (c *Client) SendStream(ctx context.Context, events []Event) (*StreamResult, error) {
	if c.isClosed() {
		return nil, ErrClosed
	}
	results, good, places := c.prepareAll(events)
	response, failed := retry(ctx, c.options, func(ctx context.Context) (*connect.Response[v1.IngestStreamResponse], error) {
		stream := c.stream.CallClientStream(ctx)
		for _, call := range calls(good) {
			// io.EOF: the gateway has answered already, and CloseAndReceive tells what.
			if stream.Send((*serialized)(&call)) != nil {
				break
			}
		}
		return stream.CloseAndReceive()
	})
	if failed != nil {
		return nil, c.lose(good, failed)
	}
	answer := response.Msg
	for _, rejection := range answer.GetRejections() {
		if i := int(rejection.GetIndex()); i < len(good) {
			results[places[i]].Err = &Rejected{rejection.GetRejection(), good[i]}
		}
	}
	c.report.count(func(n *Counters) {
		n.Sent += uint64(len(good)) - answer.GetRejected()
		n.Rejected += answer.GetRejected()
	})
	result := &StreamResult{Accepted: answer.GetAccepted(), Ignored: answer.GetIgnored()}
	result.Rejected = uint64(len(events)) - answer.GetAccepted()
	for i := range results {
		if rejected, ok := results[i].Err.(*Rejected); ok {
			result.Rejections = append(result.Rejections, StreamRejection{i, rejected})
		}
	}
	return result, nil
}

// prepareAll has a result for each event, so far of those that are rejected, and the others with their places in it.
func (c *Client) prepareAll(events []Event) (results []Result, good []*Completed, places []int) {
	now := time.Now()
	results = make([]Result, len(events))
	good = make([]*Completed, 0, len(events))
	places = make([]int, 0, len(events))
	for i, event := range events {
		completed, rejected := prepare(event, now)
		if rejected != nil {
			results[i].Err = rejected
			continue
		}
		good = append(good, completed)
		places = append(places, i)
	}
	c.report.count(func(n *Counters) {
		n.Queued += uint64(len(events))
		n.Rejected += uint64(len(events) - len(good))
	})
	return results, good, places
}

// sendCall sends what the gateway takes in one call, and has a result for each event if it answers.
func (c *Client) sendCall(ctx context.Context, options Options, events serialized) ([]Result, *failure) {
	response, failed := retry(ctx, options, func(ctx context.Context) (*connect.Response[v1.IngestBatchResponse], error) {
		response, err := c.many.CallUnary(ctx, connect.NewRequest(&events))
		if err == nil && len(response.Msg.GetResults()) != len(events) {
			err = fmt.Errorf("%d events had %d results", len(events), len(response.Msg.GetResults()))
		}
		return response, err
	})
	if failed != nil {
		return nil, failed
	}
	results := make([]Result, len(events))
	rejections := uint64(0)
	for i, result := range response.Msg.GetResults() {
		if rejection := result.GetRejected(); rejection != nil {
			results[i].Err = &Rejected{rejection, events[i]}
			rejections++
		} else {
			results[i].Acceptance = accepted(events[i], result.GetAccepted())
		}
	}
	c.report.count(func(n *Counters) {
		n.Sent += uint64(len(events)) - rejections
		n.Rejected += rejections
	})
	return results, nil
}

// deliver sends a batch of the queue, and keeps in the store what it could not send.
func (c *Client) deliver(ctx context.Context, events []*Completed) ([]Result, func()) {
	results, failed := c.sendCall(ctx, c.options, events)
	if failed == nil {
		return results, func() {
			for _, result := range results {
				if rejected, ok := result.Err.(*Rejected); ok {
					c.report.tell(rejected)
				}
			}
		}
	}
	kept, lostBy := 0, failed.err
	if c.store != nil {
		var why error
		if kept, why = c.store.keep(events); why != nil {
			lostBy = fmt.Errorf("%w; %w", failed.err, why)
		}
	}
	results = make([]Result, len(events))
	var errs []*SendFailed
	if kept > 0 {
		errs = append(errs, &SendFailed{events[:kept], failed.attempts, failed.took, true, failed.err})
	}
	if kept < len(events) {
		errs = append(errs, &SendFailed{events[kept:], failed.attempts, failed.took, false, lostBy})
	}
	for _, err := range errs {
		c.report.countFailed(err)
	}
	for i, event := range events {
		err := errs[0]
		if i >= kept {
			err = errs[len(errs)-1]
		}
		results[i].Err = err.of(event)
	}
	return results, func() {
		for _, err := range errs {
			c.report.tell(err)
		}
	}
}

// lose counts and reports events that were given up.
func (c *Client) lose(events []*Completed, failed *failure) *SendFailed {
	err := &SendFailed{events, failed.attempts, failed.took, false, failed.err}
	c.report.countFailed(err)
	c.report.tell(err)
	return err
}

func accepted(event *Completed, acceptance *v1.Acceptance) *Acceptance {
	return &Acceptance{
		EventID: event.id, Time: event.Time(), StoredID: acceptance.GetEventId(), Partition: acceptance.GetPartition(),
		Offset: acceptance.GetOffset(), Ignored: append(event.ignored[:len(event.ignored):len(event.ignored)], acceptance.GetIgnored()...),
	}
}
