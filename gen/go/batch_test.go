package clickmesh_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	clickmesh "github.com/clickmesh/clickmesh/gen/go"
)

func aLargeClick(bytes int) clickmesh.Click {
	click := aClick("")
	click.Metadata = map[string]string{"blob": strings.Repeat("x", bytes)}
	return click
}

func TestBatchesHaveSoManyEvents(t *testing.T) {
	s := startSink(t, http2)
	client := newClient(t, s.url, clickmesh.Options{BatchSize: 10, BatchDelay: time.Minute})
	for range 25 {
		client.Track(t.Context(), aClick(""))
	}
	if err := client.Close(t.Context()); err != nil {
		t.Error(err)
	}
	s.expectSizes(t, 5, 10, 10)
}

func TestBatchesHaveSoManyBytes(t *testing.T) {
	s := startSink(t, http2)
	client := newClient(t, s.url, clickmesh.Options{BatchDelay: time.Minute})
	var first *clickmesh.Tracked
	for i := range 3 {
		tracked, err := client.Track(t.Context(), aLargeClick(400_000))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = tracked
		}
	}
	// Long before it has waited for BatchDelay.
	if _, err := first.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	client.Close(t.Context())
	s.expectSizes(t, 1, 2)
}

func TestABatchWaitsAsLongAsItIsTold(t *testing.T) {
	s := startSink(t, http2)
	client := newClient(t, s.url, clickmesh.Options{BatchSize: 2, BatchDelay: time.Minute})
	client.Track(t.Context(), aClick(""))
	time.Sleep(200 * time.Millisecond)
	last, err := client.Track(t.Context(), aClick(""))
	if err != nil {
		t.Fatal(err)
	}
	last.Wait(t.Context())
	s.expectSizes(t, 2)
}

func TestSendBatchMakesCallsThatTheGatewayTakes(t *testing.T) {
	s := startSink(t, http2)
	client := newClient(t, s.url, clickmesh.Options{})
	many := make([]clickmesh.Event, 2500)
	for i := range many {
		many[i] = aClick(fmt.Sprint(i))
	}
	if _, err := client.SendBatch(t.Context(), many); err != nil {
		t.Error(err)
	}
	s.expectSizes(t, 500, 1000, 1000)
	s.sizes = nil
	large := []clickmesh.Event{aLargeClick(400_000), aLargeClick(400_000), aLargeClick(400_000)}
	if _, err := client.SendBatch(t.Context(), large); err != nil {
		t.Error(err)
	}
	s.expectSizes(t, 1, 2)
}

func TestFourBatchesAreUnderWayAtOnce(t *testing.T) {
	s := startSink(t, http2)
	var mu sync.Mutex
	now, most, begun := 0, 0, 0
	four := make(chan struct{})
	s.setBefore(func(http.ResponseWriter, *http.Request) bool {
		mu.Lock()
		now++
		begun++
		most = max(most, now)
		if begun == 4 {
			close(four)
		}
		mu.Unlock()
		<-four
		// Time for a fifth, if there were one.
		time.Sleep(200 * time.Millisecond)
		mu.Lock()
		now--
		mu.Unlock()
		return false
	})
	client := newClient(t, s.url, clickmesh.Options{BatchSize: 1})
	for range 12 {
		client.Track(t.Context(), aClick(""))
	}
	if err := client.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if most != 4 {
		t.Errorf("%d were under way at once", most)
	}
	// Also of those that waited meanwhile.
	s.expectSizes(t, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
}
