package clickmesh_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"

	"compress/gzip"

	"google.golang.org/protobuf/encoding/protowire"

	clickmesh "github.com/clickmesh/clickmesh/gen/go"
)

// BenchmarkTrack is one goroutine that tracks against a sink in the same process, which takes requests apart no further
// than it must to answer.
func BenchmarkTrack(b *testing.B) {
	client := newClient(b, startCheapSink(b), clickmesh.Options{})
	click := clickmesh.Click{
		UserID: "user-123456", AdID: "ad-456", CampaignID: "camp-789", Source: "facebook",
		Metadata: map[string]string{"browser": "firefox", "geo": "DE"},
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Track(context.Background(), click); err != nil {
			b.Fatal(err)
		}
	}
	if err := client.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(memory.Sys)/(1<<20), "MiB")
	if counters := client.Counters(); counters.Sent != uint64(b.N) {
		b.Fatalf("of %d events these were sent: %+v", b.N, counters)
	}
}

// startCheapSink answers IngestBatch over gRPC with as many acceptances as there are events.
func startCheapSink(b *testing.B) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	result := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), nil)
	server := &http.Server{Protocols: new(http.Protocols)}
	server.Protocols.SetUnencryptedHTTP2(true)
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var head [5]byte
		io.ReadFull(r.Body, head[:])
		var body io.Reader = io.LimitReader(r.Body, int64(binary.BigEndian.Uint32(head[1:])))
		if head[0] == 1 {
			body, _ = gzip.NewReader(body)
		}
		events, _ := io.ReadAll(body)
		answer := make([]byte, 5)
		for len(events) > 0 {
			_, _, tag := protowire.ConsumeTag(events)
			_, size := protowire.ConsumeBytes(events[tag:])
			events = events[tag+size:]
			answer = protowire.AppendTag(answer, 1, protowire.BytesType)
			answer = protowire.AppendBytes(answer, result)
		}
		binary.BigEndian.PutUint32(answer[1:], uint32(len(answer)-5))
		w.Header().Set("Content-Type", "application/grpc+proto")
		w.Header().Set("Trailer", "Grpc-Status")
		w.Write(answer)
		w.Header().Set("Grpc-Status", "0")
	})
	go server.Serve(listener)
	b.Cleanup(func() { server.Close() })
	return "http://" + listener.Addr().String()
}
