package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	clickmesh "github.com/clickmesh/clickmesh/gen/go"
	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
)

func routines() int {
	// Connections end a little after they are closed.
	for range 100 {
		if runtime.NumGoroutine() < 20 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return runtime.NumGoroutine()
}

// commands are those to a client.
var commands = map[string]func(*connection, *call) (object, error){
	"track":         track,
	"trackMany":     trackMany,
	"trackAll":      trackAll,
	"mutate":        mutate,
	"send":          send,
	"sendBatch":     sendBatch,
	"sendStream":    sendStream,
	"complete":      complete,
	"sendAgain":     sendAgain,
	"cancel":        cancel,
	"ready":         ready,
	"flush":         flush,
	"close":         closeClient,
	"inCallback":    inCallback,
	"counters":      counters,
	"reports":       reports,
	"events":        events,
	"stats":         stats,
	"handleSigterm": handleSigterm,
}

func track(client *connection, c *call) (object, error) {
	event, err := eventOf(c.command["event"])
	if err != nil {
		return nil, err
	}
	tracked, err := client.Track(context.Background(), event)
	c.begun()
	return object{"result": waitFor(tracked, err)}, nil
}

func waitFor(tracked *clickmesh.Tracked, err error) object {
	if err != nil {
		return resultOf(nil, err)
	}
	return resultOf(tracked.Wait(context.Background()))
}

func trackMany(client *connection, c *call) (object, error) {
	told, _ := c.command["event"].(object)
	inner, _ := told["fields"].(object)
	id, hasID := inner["event_id"].(string)
	event, err := eventOf(told)
	if err != nil {
		return nil, err
	}
	count, rate := int(c.number("count")), c.number("ratePerSecond")
	began := time.Now()
	answers := make(chan answer, 1<<14)
	counted := make(chan tally)
	go func() { counted <- tallyOf(answers) }()
	for i := range count {
		if hasID {
			inner["event_id"] = fmt.Sprintf("%s-%d", id, i)
			if event, err = eventOf(told); err != nil {
				return nil, err
			}
		}
		if rate > 0 {
			time.Sleep(time.Until(began.Add(time.Duration(float64(i) / rate * float64(time.Second)))))
		}
		tracked, err := client.Track(context.Background(), event)
		answers <- answer{tracked, err}
	}
	c.begun()
	close(answers)
	n := <-counted
	return object{
		"accepted": n.accepted, "rejected": n.rejected, "failed": n.failed, "errors": n.errors, "tookMs": tookSince(began),
	}, nil
}

// answer is what Track returned.
type answer struct {
	tracked *clickmesh.Tracked
	err     error
}

type tally struct {
	accepted, rejected, failed int
	errors                     []object
}

// tallyOf waits for one answer after the other: there may be millions.
func tallyOf(answers <-chan answer) tally {
	n := tally{errors: []object{}}
	for one := range answers {
		accepted, err := (*clickmesh.Acceptance)(nil), one.err
		if err == nil {
			accepted, err = one.tracked.Wait(context.Background())
		}
		var rejected *clickmesh.Rejected
		switch {
		case err == nil:
			n.accepted++
			continue
		case errors.As(err, &rejected):
			n.rejected++
		default:
			n.failed++
		}
		if len(n.errors) < 3 {
			n.errors = append(n.errors, resultOf(accepted, err))
		}
	}
	return n
}

func trackAll(client *connection, c *call) (object, error) {
	events, err := eventsOf(c.command["events"])
	if err != nil {
		return nil, err
	}
	for _, event := range events {
		_, _ = client.Track(context.Background(), event)
	}
	return nil, nil
}

// mutate is of a generated message: a struct is copied by Go.
func mutate(client *connection, c *call) (object, error) {
	told, _ := c.command["event"].(object)
	event, err := protoOf(told)
	if err != nil {
		return nil, err
	}
	tracked, err := client.Track(context.Background(), clickmesh.FromProto(event))
	after := fieldsOf(event)
	changes, _ := c.command["changes"].(object)
	if changeErr := change(event, changes); changeErr != nil {
		return nil, changeErr
	}
	return object{"object": after, "result": waitFor(tracked, err)}, nil
}

func send(client *connection, c *call) (object, error) {
	event, err := eventOf(c.command["event"])
	if err != nil {
		return nil, err
	}
	c.begun()
	return object{"result": resultOf(client.Send(context.Background(), event))}, nil
}

func sendBatch(client *connection, c *call) (object, error) {
	events, err := eventsOf(c.command["events"])
	if err != nil {
		return nil, err
	}
	c.begun()
	return batchAnswer(client.SendBatch(context.Background(), events))
}

func batchAnswer(results []clickmesh.Result, err error) (object, error) {
	told := []object{}
	for _, result := range results {
		told = append(told, resultOf(result.Acceptance, result.Err))
	}
	answer := object{"results": told}
	if err != nil {
		answer["error"] = errorOf(err)
	}
	return answer, nil
}

func sendStream(client *connection, c *call) (object, error) {
	events, err := eventsOf(c.command["events"])
	if err != nil {
		return nil, err
	}
	c.begun()
	return streamAnswer(client.SendStream(context.Background(), events))
}

func streamAnswer(result *clickmesh.StreamResult, err error) (object, error) {
	if err != nil {
		return nil, err
	}
	rejections := []object{}
	for _, rejection := range result.Rejections {
		rejected := resultOf(nil, rejection.Rejected)["rejected"]
		rejections = append(rejections, object{"index": rejection.Index, "rejected": rejected})
	}
	return object{"accepted": result.Accepted, "rejected": result.Rejected, "rejections": rejections}, nil
}

func complete(_ *connection, c *call) (object, error) {
	event, err := eventOf(c.command["event"])
	if err != nil {
		return nil, err
	}
	completed, err := clickmesh.Complete(event)
	if err != nil {
		return nil, err
	}
	message := completed.Proto()
	return object{"event": object{"type": typeOf(message), "fields": fieldsOf(message)}}, nil
}

func sendAgain(client *connection, c *call) (object, error) {
	ctx := context.Background()
	events, err := eventsOf(c.command["events"])
	if c.command["events"] == nil {
		var event clickmesh.Event
		event, err = eventOf(c.command["event"])
		events = []clickmesh.Event{event}
	}
	if err != nil {
		return nil, err
	}
	c.begun()
	again := func(err error) []clickmesh.Event {
		var failed *clickmesh.SendFailed
		if !errors.As(err, &failed) {
			return nil
		}
		var events []clickmesh.Event
		for _, event := range failed.Events {
			events = append(events, event)
		}
		return events
	}
	switch c.text("call") {
	case "sendBatch":
		results, err := client.SendBatch(ctx, events)
		if err != nil {
			results, err = client.SendBatch(ctx, again(err))
		}
		return batchAnswer(results, err)
	case "sendStream":
		result, err := client.SendStream(ctx, events)
		if err != nil {
			result, err = client.SendStream(ctx, again(err))
		}
		return streamAnswer(result, err)
	case "track":
		tracked, err := client.Track(ctx, events[0])
		if err == nil {
			_, err = tracked.Wait(ctx)
		}
		if failed := again(err); failed != nil {
			return object{"result": waitFor(client.Track(ctx, failed[0]))}, nil
		}
		return object{"result": waitFor(tracked, err)}, nil
	default:
		accepted, err := client.Send(ctx, events[0])
		if failed := again(err); failed != nil {
			accepted, err = client.Send(ctx, failed[0])
		}
		return object{"result": resultOf(accepted, err)}, nil
	}
}

func cancel(client *connection, c *call) (object, error) {
	event, err := eventOf(c.command["event"])
	if err != nil {
		return nil, err
	}
	c.begun()
	ctx, end := context.WithCancel(context.Background())
	defer end()
	time.AfterFunc(millis(c.number("afterMs")), end)
	began := time.Now()
	var result object
	if c.text("call") == "track" {
		tracked, err := client.Track(ctx, event)
		if err == nil {
			result = resultOf(tracked.Wait(ctx))
		} else {
			result = resultOf(nil, err)
		}
	} else {
		result = resultOf(client.Send(ctx, event))
	}
	return object{"result": result, "tookMs": tookSince(began)}, nil
}

func ready(client *connection, c *call) (object, error) {
	c.begun()
	return nil, client.Ready(context.Background())
}

func counters(client *connection, _ *call) (object, error) {
	n := client.Counters()
	return object{"counters": object{
		"queued": n.Queued, "sent": n.Sent, "rejected": n.Rejected, "lost": n.Lost, "stored": n.Stored, "waiting": n.Waiting,
	}}, nil
}

func reports(client *connection, _ *call) (object, error) {
	client.mu.Lock()
	defer client.mu.Unlock()
	return object{"errors": append([]object{}, client.errors...), "warnings": append([]string{}, client.warnings...)}, nil
}

func events(client *connection, _ *call) (object, error) {
	if client.memory == nil {
		return nil, unsupported("the client is not one for tests")
	}
	told := []object{}
	for _, event := range client.memory.Events() {
		told = append(told, fieldsOf(event))
	}
	return object{"events": told}, nil
}

func stats(client *connection, c *call) (object, error) {
	told, _ := c.command["query"].(object)
	query := &v1.GetStatsRequest{}
	query.StartDate, _ = told["startDate"].(string)
	query.EndDate, _ = told["endDate"].(string)
	if told["dates"] == "native" {
		for _, date := range []*string{&query.StartDate, &query.EndDate} {
			day, err := time.Parse(time.DateOnly, *date)
			if err != nil {
				return nil, err
			}
			*date = clickmesh.Day(day)
		}
	}
	c.begun()
	response, err := client.Stats(context.Background(), query)
	if err != nil {
		return nil, err
	}
	rows := []json.RawMessage{}
	for _, row := range response.GetData() {
		line, err := protojson.Marshal(row)
		if err != nil {
			return nil, err
		}
		rows = append(rows, line)
	}
	return object{"rows": rows}, nil
}

func tookSince(began time.Time) float64 {
	return float64(time.Since(began)) / float64(time.Millisecond)
}
