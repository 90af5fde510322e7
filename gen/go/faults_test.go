package clickmesh_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/durationpb"

	clickmesh "github.com/clickmesh/clickmesh/gen/go"
)

// agrees holds if the counters add up to what the sink has.
func agrees(t *testing.T, client *clickmesh.Client, s *sink, lost uint64) {
	t.Helper()
	counters := client.Counters()
	if counters.Queued != counters.Sent+counters.Rejected+counters.Lost+counters.Stored+counters.Waiting {
		t.Errorf("%+v don't add up", counters)
	}
	if counters.Lost != lost || counters.Waiting != 0 {
		t.Errorf("%+v, with %d lost", counters, lost)
	}
	s.expect(t, int(counters.Sent))
}

func TestABrokenConnectionLosesNothing(t *testing.T) {
	for name, fault := range map[string]func(client, server *net.TCPConn){
		"reset": reset, "finished": finish, "silent": blackHole, "503 of HTTP/1.1": busy, "answer cut": cutAnswer,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startSink(t, http2)
			proxy := startProxy(t, s)
			proxy.breakWith(fault)
			client := newClient(t, proxy.url, clickmesh.Options{AttemptTimeout: 500 * time.Millisecond})
			calls := map[string]func() error{
				"Send": func() error {
					_, err := client.Send(t.Context(), aClick("send"))
					return err
				},
				"SendBatch": func() error {
					_, err := client.SendBatch(t.Context(), []clickmesh.Event{aClick("batch-1"), aClick("batch-2")})
					return err
				},
				"SendStream": func() error {
					_, err := client.SendStream(t.Context(), []clickmesh.Event{aClick("stream-1"), aClick("stream-2")})
					return err
				},
				"Track": func() error {
					tracked, err := client.Track(t.Context(), aClick("track"))
					if err != nil {
						return err
					}
					_, err = tracked.Wait(t.Context())
					return err
				},
			}
			answers := make(chan error)
			for call, send := range calls {
				go func() {
					if err := send(); err != nil {
						answers <- fmt.Errorf("%s: %w", call, err)
						return
					}
					answers <- nil
				}()
			}
			// So that every call has failed at least once.
			select {
			case err := <-answers:
				t.Fatalf("answered through a broken connection: %v", err)
			case <-time.After(time.Second):
			}
			proxy.breakWith(nil)
			for range calls {
				if err := <-answers; err != nil {
					t.Error(err)
				}
			}
			if err := client.Close(t.Context()); err != nil {
				t.Error(err)
			}
			agrees(t, client, s, 0)
		})
	}
}

func TestAConnectionThatFallsSilentIsLeft(t *testing.T) {
	t.Parallel()
	s := startSink(t, http2)
	proxy := startProxy(t, s)
	silent := make(chan struct{})
	proxy.breakWith(func(client, server *net.TCPConn) {
		go passOn(client, server)
		<-silent
		// What the sink says arrives nowhere any more, and the connection stays.
		server.SetReadDeadline(time.Now())
		<-t.Context().Done()
	})
	client := newClient(t, proxy.url, clickmesh.Options{})
	if _, err := client.Send(t.Context(), aClick("before")); err != nil {
		t.Fatal(err)
	}
	proxy.mu.Lock()
	proxy.fault = nil
	proxy.mu.Unlock()
	close(silent)
	if _, err := client.Send(t.Context(), aClick("after")); err != nil {
		t.Error(err)
	}
}

func TestAnAttemptThatTakesTooLongIsLeft(t *testing.T) {
	t.Parallel()
	s := startSink(t, http2)
	var tries atomic.Int32
	s.setBefore(func(_ http.ResponseWriter, r *http.Request) bool {
		if tries.Add(1) > 1 {
			return false
		}
		<-r.Context().Done()
		return true
	})
	client := newClient(t, s.url, clickmesh.Options{AttemptTimeout: 100 * time.Millisecond, Timeout: 5 * time.Second})
	if _, err := client.Send(t.Context(), aClick("id")); err != nil {
		t.Error(err)
	}
}

func TestStatusesAreRetriedOrNot(t *testing.T) {
	for _, c := range []struct {
		status    int
		isRetried bool
	}{
		{status: 408, isRetried: true}, {status: 425, isRetried: true}, {status: 429, isRetried: true},
		{status: 502, isRetried: true}, {status: 503, isRetried: true}, {status: 504, isRetried: true},
		{status: 400}, {status: 401}, {status: 403}, {status: 404}, {status: 500},
	} {
		for _, protocol := range []clickmesh.Protocol{clickmesh.GRPC, clickmesh.Connect} {
			t.Run(fmt.Sprint(protocol, c.status), func(t *testing.T) {
				t.Parallel()
				served := http2
				if protocol == clickmesh.Connect {
					served = http1
				}
				s := startSink(t, served)
				tries := 0
				s.setBefore(func(w http.ResponseWriter, _ *http.Request) bool {
					if tries++; tries > 2 {
						return false
					}
					w.WriteHeader(c.status)
					return true
				})
				client := newClient(t, s.url, clickmesh.Options{Protocol: protocol})
				_, err := client.Send(t.Context(), aClick("id"))
				if c.isRetried != (err == nil) {
					t.Errorf("%d tries: %v", tries, err)
				}
				if failed := (*clickmesh.SendFailed)(nil); err != nil && (!errors.As(err, &failed) || failed.Attempts != 1) {
					t.Errorf("%v is not the error of one attempt", err)
				}
			})
		}
	}
}

func TestCodesAreRetriedOrNot(t *testing.T) {
	asked := connect.NewError(connect.CodeResourceExhausted, errors.New("full"))
	asked.Meta().Set("Retry-After", "1")
	askedForNothing := connect.NewError(connect.CodeResourceExhausted, errors.New("full"))
	askedForNothing.Meta().Set("Retry-After", "0")
	info, detailErr := connect.NewErrorDetail(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)})
	if detailErr != nil {
		t.Fatal(detailErr)
	}
	askedByInfo := connect.NewError(connect.CodeResourceExhausted, errors.New("full"))
	askedByInfo.AddDetail(info)
	tooLarge := connect.NewError(connect.CodeResourceExhausted, errors.New("full"))
	for name, c := range map[string]struct {
		err       *connect.Error
		isRetried bool
		least     time.Duration
	}{
		"unavailable":                  {err: connect.NewError(connect.CodeUnavailable, errors.New("down")), isRetried: true},
		"aborted":                      {err: connect.NewError(connect.CodeAborted, errors.New("again")), isRetried: true},
		"deadline":                     {err: connect.NewError(connect.CodeDeadlineExceeded, errors.New("late")), isRetried: true},
		"exhausted, with retry-after":  {err: asked, isRetried: true, least: time.Second},
		"exhausted, with RetryInfo":    {err: askedByInfo, isRetried: true, least: time.Second},
		"exhausted, with no time":      {err: askedForNothing},
		"exhausted, as it's too large": {err: tooLarge},
		"internal":                     {err: connect.NewError(connect.CodeInternal, errors.New("bug"))},
		"unauthenticated":              {err: connect.NewError(connect.CodeUnauthenticated, errors.New("who"))},
	} {
		for _, protocol := range []clickmesh.Protocol{clickmesh.GRPC, clickmesh.Connect} {
			t.Run(fmt.Sprint(protocol, " ", name), func(t *testing.T) {
				t.Parallel()
				served := http2
				if protocol == clickmesh.Connect {
					served = http1
				}
				s := startSink(t, served)
				tries := 0
				s.setFail(func() error {
					if tries++; tries > 1 {
						return nil
					}
					return c.err
				})
				client := newClient(t, s.url, clickmesh.Options{Protocol: protocol})
				began := time.Now()
				_, err := client.Send(t.Context(), aClick("id"))
				if c.isRetried != (err == nil) {
					t.Errorf("%d tries: %v", tries, err)
				}
				if took := time.Since(began); took < c.least {
					t.Errorf("tried again after %v", took)
				}
			})
		}
	}
}

func TestWhatIsGivenUpIsToldEverywhere(t *testing.T) {
	t.Parallel()
	reports, warnings := &recorder{}, &log{}
	client := newClient(t, "http://127.0.0.1:1", clickmesh.Options{
		Timeout: 100 * time.Millisecond, OnError: reports.onError, Logger: logTo(warnings),
	})
	var tracked []*clickmesh.Tracked
	for i := range 20 {
		one, err := client.Track(t.Context(), aClick(fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		tracked = append(tracked, one)
	}
	var notSent *clickmesh.NotSent
	if err := client.Close(t.Context()); !errors.As(err, &notSent) || notSent.Lost != 20 || len(notSent.Events) != 20 {
		t.Errorf("Close: %v", err)
	}
	var failed *clickmesh.SendFailed
	if _, err := tracked[7].Wait(t.Context()); !errors.As(err, &failed) || len(failed.Events) != 1 || failed.Events[0].EventID() != "7" {
		t.Errorf("Wait: %v", err)
	}
	if text := failed.Error(); !strings.Contains(text, "attempt") || strings.Contains(text, "\n") {
		t.Errorf("the error is %q", text)
	}
	if counters := client.Counters(); counters != (clickmesh.Counters{Queued: 20, Lost: 20}) {
		t.Errorf("counted %+v", counters)
	}
	if reports.lost() != 20 {
		t.Errorf("OnError was told of %d", reports.lost())
	}
	if text := warnings.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, `"clickmesh: 20 events lost: `) {
		t.Errorf("warned %q", text)
	}
}

func TestWhatIsGivenUpNamesTheAddressAndWhatToDo(t *testing.T) {
	plain, old := startSink(t, http2), startSink(t, http1)
	for _, c := range []struct {
		name, address, hint string
	}{
		{"TLS to none", strings.Replace(old.url, "http", "https", 1), "begins with http://"},
		{"HTTP/2 to HTTP/1.1", old.url, "set Options.Protocol to Connect"},
		{"no such service", plain.url + "/elsewhere", plain.url + "/elsewhere: unimplemented"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, c.address, clickmesh.Options{Timeout: 3 * time.Second})
			_, err := client.Send(t.Context(), aClick("id"))
			if err == nil || !strings.Contains(err.Error(), c.address) || !strings.Contains(err.Error(), c.hint) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAResetIsNotCalledCanceled(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t, startSink(t, http2))
	proxy.breakWith(reset)
	_, err := newClient(t, proxy.url, clickmesh.Options{Timeout: 300 * time.Millisecond}).Send(t.Context(), aClick("id"))
	if err == nil || strings.Contains(err.Error(), "canceled") || connect.CodeOf(err) != connect.CodeUnavailable {
		t.Errorf("%v", err)
	}
}

func TestWarningsAreOneIn10SecondsAndCountTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		warnings := &log{}
		client := newMemory(t, clickmesh.Options{
			Logger:  logTo(warnings),
			OnError: func(error, []*clickmesh.Completed) { panic("on purpose") },
		})
		expect := func(lines int, last string) {
			t.Helper()
			synctest.Wait()
			if text := warnings.String(); strings.Count(text, "\n") != lines || !strings.Contains(text, last) {
				t.Errorf("warned %q", text)
			}
		}
		for range 5 {
			if _, err := client.Track(t.Context(), clickmesh.Click{}); err == nil {
				t.Fatal("an empty click was taken")
			}
		}
		expect(1, "1 event rejected: ")
		time.Sleep(10 * time.Second)
		expect(2, "4 events rejected: user_id is required; OnError panicked 5 times: on purpose")
		for range 3 {
			client.Track(t.Context(), clickmesh.Click{})
		}
		client.Close(t.Context())
		expect(3, "3 events rejected: ")
	})
}

func TestSendAgainOfWhatFailedIsOneEvent(t *testing.T) {
	t.Parallel()
	s := startSink(t, http2)
	proxy := startProxy(t, s)
	proxy.breakWith(cutAnswer)
	client := newClient(t, proxy.url, clickmesh.Options{Timeout: 300 * time.Millisecond})
	event := aClick("")
	_, err := client.Send(t.Context(), event)
	var failed *clickmesh.SendFailed
	if !errors.As(err, &failed) {
		t.Fatalf("sent without an answer: %v", err)
	}
	proxy.breakWith(nil)
	accepted, err := client.Send(t.Context(), failed.Events[0])
	if err != nil || accepted.EventID != failed.Events[0].EventID() || !accepted.Time.Equal(failed.Events[0].Time()) {
		t.Errorf("%v, %v", accepted, err)
	}
	s.expect(t, 1)
}

func TestABatchStopsAtAnOutageAndSaysWhichEventsItGaveUp(t *testing.T) {
	t.Parallel()
	const timeout = 300 * time.Millisecond
	s := startSink(t, http2)
	tries := 0
	var since time.Time
	s.setFail(func() error {
		if tries++; tries == 2 {
			since = time.Now()
		}
		// It is back for the third call, which is not made.
		if tries == 1 || time.Since(since) > timeout {
			return nil
		}
		return connect.NewError(connect.CodeUnavailable, errors.New("down"))
	})
	client := newClient(t, s.url, clickmesh.Options{Timeout: timeout})
	events := make([]clickmesh.Event, 5000)
	for i := range events {
		events[i] = aClick(fmt.Sprint(i))
	}
	results, err := client.SendBatch(t.Context(), events)
	var failed *clickmesh.SendFailed
	if !errors.As(err, &failed) || len(failed.Events) != 4000 || failed.Events[0].EventID() != "1000" {
		t.Fatalf("%v", err)
	}
	for i, result := range results {
		failed, _ := result.Err.(*clickmesh.SendFailed)
		isFailed := failed != nil && failed.Events[0].EventID() == fmt.Sprint(i)
		if (result.Acceptance != nil) != (i < 1000) || isFailed != (i >= 1000) {
			t.Fatalf("result %d is %+v", i, result)
		}
	}
	client.Close(t.Context())
	agrees(t, client, s, 4000)
}

func TestAnyTimeoutsWorkTogether(t *testing.T) {
	t.Parallel()
	s := startSink(t, http2)
	for _, options := range []clickmesh.Options{
		{Timeout: time.Second, AttemptTimeout: time.Minute},
		{Timeout: 2 * time.Second, AttemptTimeout: 2 * time.Second},
		{AttemptTimeout: 1500*time.Millisecond + 7},
	} {
		if _, err := newClient(t, s.url, options).Send(t.Context(), aClick("id")); err != nil {
			t.Errorf("%+v: %v", options, err)
		}
	}
}

func TestACancelledCallReturnsAtOnce(t *testing.T) {
	t.Parallel()
	client := newClient(t, "http://127.0.0.1:1", clickmesh.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err := client.Send(ctx, aClick("id"))
	var failed *clickmesh.SendFailed
	if !errors.Is(err, context.Canceled) || !errors.As(err, &failed) || failed.Took > 10*time.Second {
		t.Errorf("%v", err)
	}
}
