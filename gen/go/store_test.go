package clickmesh_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	clickmesh "github.com/clickmesh/clickmesh/gen/go"
)

func TestTheStoreKeepsWhatWasNotSentForTheNextClient(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	away := newClient(t, "http://127.0.0.1:1", clickmesh.Options{Timeout: 50 * time.Millisecond, Store: path})
	if _, err := clickmesh.New("http://127.0.0.1:1", clickmesh.Options{Store: path}); err == nil {
		t.Error("two clients have one store")
	}
	for i := range 700 {
		away.Track(t.Context(), aClick(fmt.Sprint(i)))
	}
	// What is kept is not lost.
	for _, end := range []func(context.Context) error{away.Flush, away.Close} {
		if err := end(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if counters := away.Counters(); counters != (clickmesh.Counters{Queued: 700, Stored: 700}) {
		t.Errorf("counted %+v", counters)
	}
	s := startSink(t, http2)
	client := newClient(t, s.url, clickmesh.Options{Store: path})
	// Also if it is closed at once.
	if err := client.Close(t.Context()); err != nil {
		t.Error(err)
	}
	agrees(t, client, s, 0)
	s.expect(t, 700)
	if info, err := os.Stat(path); err != nil || info.Size() > 100 {
		t.Errorf("the store is not empty: %v", info.Size())
	}
	// And only once.
	again := newClient(t, "http://127.0.0.1:1", clickmesh.Options{Store: path})
	again.Close(t.Context())
	if counters := again.Counters(); counters.Queued != 0 {
		t.Errorf("sent again: %+v", counters)
	}
}

func TestOfTheStoreOnlyWhatWasNotSentIsSentAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	away := newClient(t, "http://127.0.0.1:1", clickmesh.Options{Timeout: 50 * time.Millisecond, Store: path})
	for i := range 700 {
		away.Track(t.Context(), aClick(fmt.Sprint(i)))
	}
	away.Close(t.Context())
	s := startSink(t, http2)
	calls := 0
	s.setFail(func() error {
		if calls++; calls == 1 {
			return nil
		}
		return connect.NewError(connect.CodeUnavailable, errors.New("down"))
	})
	first := newClient(t, s.url, clickmesh.Options{AttemptTimeout: 500 * time.Millisecond, Store: path})
	until(t, "the first call", func() bool { return first.Counters().Sent == 500 })
	first.Close(t.Context())
	s.setFail(nil)
	second := newClient(t, s.url, clickmesh.Options{Store: path})
	second.Close(t.Context())
	if counters := second.Counters(); counters.Sent != 200 {
		t.Errorf("counted %+v", counters)
	}
	s.expect(t, 700)
}

func TestWhatTheStoreSendsIsCountedOnceAndItsRejectionsAreTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	away := newClient(t, "http://127.0.0.1:1", clickmesh.Options{Timeout: 50 * time.Millisecond, Store: path})
	refused := aClick("bad")
	refused.UserID = "refused"
	for _, event := range []clickmesh.Event{aClick("good"), refused} {
		away.Track(t.Context(), event)
	}
	away.Close(t.Context())
	s := startSink(t, http2)
	var calls atomic.Int32
	s.setFail(func() error {
		calls.Add(1)
		return connect.NewError(connect.CodeUnavailable, errors.New("down"))
	})
	told := make(chan string, 10)
	client := newClient(t, s.url, clickmesh.Options{
		AttemptTimeout: 100 * time.Millisecond, Store: path,
		OnError: func(err error, events []*clickmesh.Completed) { told <- events[0].EventID() + ": " + err.Error() },
	})
	until(t, "the third call", func() bool { return calls.Load() >= 3 })
	// While nobody sends them, they are the store's.
	until(t, "a call that is given up", func() bool { return client.Counters() == clickmesh.Counters{} })
	s.setFail(nil)
	until(t, "what is told", func() bool { return len(told) > 0 })
	if text := <-told; text != "bad: clickmesh: rejected: user_id is refused" {
		t.Error(text)
	}
	if counters := client.Counters(); counters != (clickmesh.Counters{Queued: 2, Sent: 1, Rejected: 1}) {
		t.Errorf("counted %+v", counters)
	}
}

func TestWhatTheStoreHasNoRoomForIsLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	warnings := &log{}
	away := newClient(t, "http://127.0.0.1:1", clickmesh.Options{
		Timeout: 50 * time.Millisecond, Store: path, StoreBytes: 64 << 10, Logger: logTo(warnings),
	})
	for range 1000 {
		away.Track(t.Context(), aClick(""))
	}
	var notSent *clickmesh.NotSent
	err := away.Close(t.Context())
	counters := away.Counters()
	if !errors.As(err, &notSent) || uint64(notSent.Lost) != counters.Lost || counters.Stored < 400 ||
		counters.Stored+counters.Lost != 1000 {
		t.Errorf("Close: %v; %+v", err, counters)
	}
	if text := warnings.String(); !strings.Contains(text, "connection refused; the store has no room") {
		t.Errorf("warned %q", text)
	}
}

func TestAnotherFileIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes")
	if err := os.WriteFile(path, []byte("what somebody wrote"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := clickmesh.New("http://127.0.0.1:1", clickmesh.Options{Store: path}); err == nil ||
		!strings.Contains(err.Error(), "is no store of clickmesh") {
		t.Errorf("%v", err)
	}
	if text, err := os.ReadFile(path); string(text) != "what somebody wrote" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestADamagedRecordIsLeftOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	away := newClient(t, "http://127.0.0.1:1", clickmesh.Options{Timeout: 50 * time.Millisecond, Store: path})
	for i := range 3 {
		away.Track(t.Context(), aClick(fmt.Sprint(i)))
	}
	away.Close(t.Context())
	bytes, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bytes[len(bytes)-1]++
	os.WriteFile(path, bytes, 0o600)
	s := startSink(t, http2)
	client := newClient(t, s.url, clickmesh.Options{Store: path})
	client.Close(t.Context())
	if counters := client.Counters(); counters != (clickmesh.Counters{Queued: 2, Sent: 2}) {
		t.Errorf("counted %+v", counters)
	}
}
