package clickmesh_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	clickmesh "github.com/clickmesh/clickmesh/gen/go"
)

// hold keeps a sink from answering until it is released.
func hold(t *testing.T, s *sink) (release func()) {
	held := make(chan struct{})
	s.setBefore(func(http.ResponseWriter, *http.Request) bool {
		<-held
		return false
	})
	release = sync.OnceFunc(func() { close(held) })
	t.Cleanup(release)
	return release
}

func TestTrackSendsWhatFillsABatch(t *testing.T) {
	s := startSink(t, http2)
	client := newClient(t, s.url, clickmesh.Options{BatchSize: 10, BatchDelay: time.Minute})
	var last *clickmesh.Tracked
	for range 10 {
		last, _ = client.Track(t.Context(), aClick(""))
	}
	// Before BatchDelay.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := last.Wait(ctx); err != nil {
		t.Error(err)
	}
	s.expect(t, 10)
}

func TestTrackSendsWhatHasWaitedLongEnough(t *testing.T) {
	s := startSink(t, http2)
	client := newClient(t, s.url, clickmesh.Options{BatchDelay: time.Millisecond})
	for range 3 {
		tracked, err := client.Track(t.Context(), aClick(""))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tracked.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	}
	s.expect(t, 3)
}

func TestAFullQueueWaits(t *testing.T) {
	for name, options := range map[string]clickmesh.Options{
		"events": {MaxQueueEvents: 2, BatchDelay: time.Millisecond},
		"bytes":  {MaxQueueBytes: 1 << 20, BatchDelay: time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			s := startSink(t, http2)
			release := hold(t, s)
			client := newClient(t, s.url, options)
			event := aClick("")
			if name == "bytes" {
				event.Metadata = map[string]string{"long": strings.Repeat("x", 500_000)}
			}
			for range 2 {
				if _, err := client.Track(t.Context(), event); err != nil {
					t.Fatal(err)
				}
			}
			impatient, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			if _, err := client.Track(impatient, event); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Track: %v", err)
			}
			if name == "events" {
				if err := client.Ready(impatient); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Ready: %v", err)
				}
			}
			waited := make(chan error)
			go func() {
				_, err := client.Track(t.Context(), event)
				waited <- err
			}()
			release()
			if err := <-waited; err != nil {
				t.Error(err)
			}
			if err := client.Ready(t.Context()); err != nil {
				t.Error(err)
			}
			client.Close(t.Context())
			agrees(t, client, s, 1)
			// The one whose caller left is not sent after all.
			s.expect(t, 3)
		})
	}
}

func TestAFullQueueRejectsIfToldSo(t *testing.T) {
	s := startSink(t, http2)
	release := hold(t, s)
	reports := &recorder{}
	client := newClient(t, s.url, clickmesh.Options{
		MaxQueueEvents: 1, OnFull: clickmesh.Reject, OnError: reports.onError, BatchDelay: time.Millisecond,
	})
	client.Track(t.Context(), aClick("1"))
	if _, err := client.Track(t.Context(), aClick("2")); !errors.Is(err, clickmesh.ErrQueueFull) {
		t.Errorf("Track: %v", err)
	}
	release()
	var notSent *clickmesh.NotSent
	if err := client.Close(t.Context()); !errors.As(err, &notSent) || notSent.Lost != 1 {
		t.Errorf("Close: %v", err)
	}
	agrees(t, client, s, 1)
	if reports.lost() != 1 || reports.events[0].EventID() != "2" {
		t.Errorf("OnError was told %v", reports.errs)
	}
}

func TestFiftyThousandInALoopAndClose(t *testing.T) {
	s := startSink(t, http2)
	client := newClient(t, s.url, clickmesh.Options{})
	for range 50_000 {
		client.Track(t.Context(), aClick(""))
	}
	if err := client.Close(t.Context()); err != nil {
		t.Error(err)
	}
	agrees(t, client, s, 0)
	s.expect(t, 50_000)
}

func TestReusedStructsAreAsManyEvents(t *testing.T) {
	memory := newMemory(t, clickmesh.Options{})
	click := aClick("")
	click.Metadata = map[string]string{}
	for i := range 3 {
		click.UserID = fmt.Sprint("user-", i)
		click.Metadata["n"] = fmt.Sprint(i)
		if _, err := memory.Track(t.Context(), click); err != nil {
			t.Fatal(err)
		}
	}
	generated := protoOf(aClick(""))
	for range 2 {
		memory.Track(t.Context(), clickmesh.FromProto(generated))
	}
	if generated.GetClick().GetEventId() != "" || generated.GetClick().GetTimestamp() != 0 {
		t.Errorf("the caller's event was changed: %v", generated)
	}
	memory.Close(t.Context())
	events := memory.Events()
	ids := map[string]bool{}
	for i, event := range events {
		ids[event.GetClick().GetEventId()] = true
		want := fmt.Sprint("user-", i)
		if i < 3 && (event.GetClick().GetUserId() != want || event.GetClick().GetMetadata()["n"] != fmt.Sprint(i)) {
			t.Errorf("event %d is %v", i, event)
		}
	}
	if len(ids) != 5 {
		t.Errorf("%d events of 5 arrived", len(ids))
	}
}

func TestACompletedEventIsOneHoweverOftenItIsSent(t *testing.T) {
	s := startSink(t, http2)
	client := newClient(t, s.url, clickmesh.Options{})
	event, err := clickmesh.Complete(aClick(""))
	if err != nil {
		t.Fatal(err)
	}
	client.Send(t.Context(), event)
	client.SendBatch(t.Context(), []clickmesh.Event{event, event})
	client.Track(t.Context(), clickmesh.FromProto(event.Proto()))
	client.Close(t.Context())
	s.expect(t, 1)
}

func TestCloseEndsInItsTimeAndReturnsWhatWasNotSent(t *testing.T) {
	s := startSink(t, http2)
	hold(t, s)
	reports := &recorder{}
	client := newClient(t, s.url, clickmesh.Options{BatchSize: 10, OnError: reports.onError})
	for i := range 100 {
		client.Track(t.Context(), aClick(fmt.Sprint(i)))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	var notSent *clickmesh.NotSent
	if err := client.Close(ctx); !errors.As(err, &notSent) || notSent.Lost != 100 || len(notSent.Events) != 100 {
		t.Errorf("Close: %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("Close took %v", took)
	}
	if counters := client.Counters(); counters != (clickmesh.Counters{Queued: 100, Lost: 100}) {
		t.Errorf("counted %+v", counters)
	}
	if reports.lost() != 100 {
		t.Errorf("OnError was told of %d", reports.lost())
	}
	if err := client.Close(t.Context()); err != notSent {
		t.Errorf("the second Close: %v", err)
	}
}

func TestCloseReturnsThoseThatWaitForRoom(t *testing.T) {
	s := startSink(t, http2)
	hold(t, s)
	client := newClient(t, s.url, clickmesh.Options{MaxQueueEvents: 1})
	client.Track(t.Context(), aClick("1"))
	waited := make(chan error)
	waiting := &watchedContext{Context: t.Context(), asked: make(chan struct{})}
	go func() {
		tracked, err := client.Track(waiting, aClick("2"))
		if err == nil {
			_, err = tracked.Wait(t.Context())
		}
		waited <- err
	}()
	<-waiting.asked
	if counters := client.Counters(); counters.Waiting != 1 {
		t.Errorf("an event without room is counted as one that waits: %+v", counters)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	var notSent *clickmesh.NotSent
	if err := client.Close(ctx); !errors.As(err, &notSent) || notSent.Lost != 2 || len(notSent.Events) != 2 {
		t.Errorf("Close: %v", err)
	}
	var failed *clickmesh.SendFailed
	if err := <-waited; !errors.As(err, &failed) || failed.Events[0].EventID() != "2" {
		t.Errorf("the event that waited for room: %v", err)
	}
}

func TestThoseThatWaitForRoomAreLetInInOrder(t *testing.T) {
	s := startSink(t, http2)
	hold(t, s)
	client := newClient(t, s.url, clickmesh.Options{MaxQueueBytes: 1 << 20})
	client.Track(t.Context(), aLargeClick(700_000))
	waiting := &watchedContext{Context: t.Context(), asked: make(chan struct{})}
	go client.Track(waiting, aLargeClick(700_000))
	<-waiting.asked
	// It would have room, and is not first.
	impatient, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := client.Track(impatient, aClick("small")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Track: %v", err)
	}
}

// watchedContext says when it is waited for.
type watchedContext struct {
	context.Context
	asked chan struct{}
	once  sync.Once
}

func (c *watchedContext) Done() <-chan struct{} {
	c.once.Do(func() { close(c.asked) })
	return c.Context.Done()
}

func TestCloseOfAContextThatHasEndedSendsWhatWaits(t *testing.T) {
	s := startSink(t, http2)
	client := newClient(t, s.url, clickmesh.Options{BatchDelay: time.Minute})
	for range 20 {
		client.Track(t.Context(), aClick(""))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Close(ctx); err != nil {
		t.Error(err)
	}
	s.expect(t, 20)
}

func TestAfterCloseCallsFailAtOnceAndCountNowhere(t *testing.T) {
	s := startSink(t, http2)
	client := newClient(t, s.url, clickmesh.Options{})
	client.Close(t.Context())
	_, track := client.Track(t.Context(), aClick(""))
	_, send := client.Send(t.Context(), aClick(""))
	_, batch := client.SendBatch(t.Context(), []clickmesh.Event{aClick("")})
	_, stream := client.SendStream(t.Context(), []clickmesh.Event{aClick("")})
	for _, err := range []error{track, send, batch, stream, client.Ready(t.Context())} {
		if !errors.Is(err, clickmesh.ErrClosed) {
			t.Errorf("%v", err)
		}
	}
	agrees(t, client, s, 0)
}

func TestTwoClosesWaitForTheSameEnd(t *testing.T) {
	s := startSink(t, http2)
	release := hold(t, s)
	client := newClient(t, s.url, clickmesh.Options{})
	client.Track(t.Context(), aClick(""))
	closed := make(chan uint64, 2)
	for range 2 {
		go func() {
			client.Close(t.Context())
			closed <- client.Counters().Sent
		}()
	}
	select {
	case <-closed:
		t.Error("closed before the answer")
	case <-time.After(50 * time.Millisecond):
	}
	release()
	for range 2 {
		if sent := <-closed; sent != 1 {
			t.Errorf("%d sent at the end of a Close", sent)
		}
	}
}

func TestOnErrorMayCallTheClientAndPanic(t *testing.T) {
	for name, call := range map[string]func(*clickmesh.Client){
		"flush": func(client *clickmesh.Client) { client.Flush(t.Context()) },
		"close": func(client *clickmesh.Client) { client.Close(t.Context()) },
		"track": func(client *clickmesh.Client) { client.Track(t.Context(), aClick("")) },
		"panic": func(*clickmesh.Client) { panic("on purpose") },
	} {
		for _, isClosing := range []bool{false, true} {
			t.Run(fmt.Sprint(name, isClosing), func(t *testing.T) {
				t.Parallel()
				s := startSink(t, http2)
				s.setFail(func() error {
					s.fail = nil
					return connect.NewError(connect.CodeInternal, errors.New("bug"))
				})
				var client *clickmesh.Client
				returned := make(chan struct{})
				client = newClient(t, s.url, clickmesh.Options{BatchDelay: time.Millisecond, OnError: func(error, []*clickmesh.Completed) {
					defer close(returned)
					call(client)
				}})
				client.Track(t.Context(), aClick(""))
				began := time.Now()
				if isClosing {
					client.Close(t.Context())
				}
				<-returned
				client.Close(t.Context())
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		}
	}
}

func TestFlushTellsWhatHasNoAnswer(t *testing.T) {
	s := startSink(t, http2)
	release := hold(t, s)
	client := newClient(t, s.url, clickmesh.Options{})
	client.Track(t.Context(), aClick(""))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := client.Flush(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 event has no answer yet") {
		t.Errorf("Flush: %v", err)
	}
	release()
	if err := client.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	s.expect(t, 1)
}

func TestFlushWaitsForWhatWasTrackedBefore(t *testing.T) {
	s := startSink(t, http2)
	held, begun := make(chan struct{}), make(chan struct{})
	calls := atomic.Int32{}
	s.setBefore(func(http.ResponseWriter, *http.Request) bool {
		if calls.Add(1) == 1 {
			close(begun)
			<-held
		}
		return false
	})
	client := newClient(t, s.url, clickmesh.Options{BatchSize: 1})
	client.Track(t.Context(), aClick("first"))
	<-begun
	flushed := make(chan error, 1)
	go func() { flushed <- client.Flush(t.Context()) }()
	// So that the next is later, most likely.
	time.Sleep(50 * time.Millisecond)
	later, err := client.Track(t.Context(), aClick("later"))
	if err != nil {
		t.Fatal(err)
	}
	later.Wait(t.Context())
	select {
	case err := <-flushed:
		t.Errorf("flushed before the answer: %v", err)
	default:
	}
	close(held)
	if err := <-flushed; err != nil {
		t.Error(err)
	}
}

func TestFlushDoesNotWaitForACallerThatLeft(t *testing.T) {
	s := startSink(t, http2)
	release := hold(t, s)
	client := newClient(t, s.url, clickmesh.Options{MaxQueueEvents: 1})
	client.Track(t.Context(), aClick("first"))
	ctx, leave := context.WithCancel(t.Context())
	waiting := &watchedContext{Context: ctx, asked: make(chan struct{})}
	left := make(chan struct{})
	go func() {
		client.Track(waiting, aClick("left"))
		close(left)
	}()
	<-waiting.asked
	flushed := make(chan error)
	go func() { flushed <- client.Flush(t.Context()) }()
	// So that it counts the one in line, most likely.
	time.Sleep(50 * time.Millisecond)
	leave()
	<-left
	release()
	if err := <-flushed; err != nil {
		t.Error(err)
	}
}

func TestFlushSaysWhatWasLost(t *testing.T) {
	client := newClient(t, "http://127.0.0.1:1", clickmesh.Options{Timeout: 50 * time.Millisecond})
	client.Track(t.Context(), aClick("1"))
	var notSent *clickmesh.NotSent
	if err := client.Flush(t.Context()); !errors.As(err, &notSent) || notSent.Lost != 1 || len(notSent.Events) != 1 {
		t.Errorf("Flush: %v", err)
	}
}

func TestClosedClientsLeaveNothing(t *testing.T) {
	s := startSink(t, http2)
	before := runtime.NumGoroutine()
	for range 50 {
		client := newClient(t, s.url, clickmesh.Options{})
		client.Track(t.Context(), aClick(""))
		if err := client.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "no more goroutines than before", func() bool { return runtime.NumGoroutine() <= before+5 })
}
