package clickmesh_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	clickmesh "github.com/clickmesh/clickmesh/gen/go"
	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
	"github.com/clickmesh/clickmesh/gen/go/clickmesh/v1/clickmeshv1connect"
)

// sink is a gateway that accepts everything and knows how often it got what. It serves below /a/b as well.
type sink struct {
	clickmeshv1connect.UnimplementedIngestServiceHandler
	url    string
	server *http.Server

	mu sync.Mutex
	// By event_id.
	seen map[string]int
	// How many events each call had.
	sizes []int
	// Asked before each request; true if it answered itself.
	before func(http.ResponseWriter, *http.Request) bool
	// Asked before each call; nil lets it through.
	fail func() error
}

type setProtocol = func(*http.Protocols, bool)

var (
	http1 setProtocol = (*http.Protocols).SetHTTP1
	http2 setProtocol = (*http.Protocols).SetUnencryptedHTTP2
)

func startSink(t testing.TB, protocol setProtocol) *sink {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{seen: map[string]int{}, url: "http://" + listener.Addr().String()}
	_, ingest := clickmeshv1connect.NewIngestServiceHandler(s)
	s.server = &http.Server{Protocols: new(http.Protocols)}
	protocol(s.server.Protocols, true)
	s.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		before := s.before
		s.mu.Unlock()
		if before != nil && before(w, r) {
			return
		}
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/a/b")
		ingest.ServeHTTP(w, r)
	})
	go s.server.Serve(listener)
	t.Cleanup(func() { s.server.Close() })
	return s
}

func (s *sink) setBefore(before func(http.ResponseWriter, *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = before
}

func (s *sink) setFail(fail func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

// take answers for events. A user "refused" is rejected, as what only a gateway knows.
func (s *sink) take(events []*v1.Event) ([]*v1.IngestResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(); err != nil {
			return nil, err
		}
	}
	s.sizes = append(s.sizes, len(events))
	results := make([]*v1.IngestResult, len(events))
	for i, event := range events {
		id := idOf(event)
		if event.GetClick().GetUserId() == "refused" {
			results[i] = &v1.IngestResult{Result: &v1.IngestResult_Rejected{Rejected: &v1.Rejection{
				EventId: id, Field: "user_id", Reason: v1.RejectReason_REJECT_REASON_UNKNOWN_TARGET, Message: "user_id is refused",
			}}}
			continue
		}
		s.seen[id]++
		accepted := &v1.Acceptance{EventId: id}
		results[i] = &v1.IngestResult{Result: &v1.IngestResult_Accepted{Accepted: accepted}}
	}
	return results, nil
}

func idOf(event *v1.Event) string {
	switch event := event.GetEvent().(type) {
	case *v1.Event_Click:
		return event.Click.GetEventId()
	case *v1.Event_Conversion:
		return event.Conversion.GetEventId()
	case *v1.Event_Adjustment:
		return event.Adjustment.GetEventId()
	default:
		return event.(*v1.Event_Verdict).Verdict.GetEventId()
	}
}

func (s *sink) Ingest(
	_ context.Context, request *connect.Request[v1.IngestRequest],
) (*connect.Response[v1.IngestResponse], error) {
	results, err := s.take([]*v1.Event{request.Msg.GetEvent()})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.IngestResponse{Acceptance: results[0].GetAccepted()}), nil
}

func (s *sink) IngestBatch(
	_ context.Context, request *connect.Request[v1.IngestBatchRequest],
) (*connect.Response[v1.IngestBatchResponse], error) {
	results, err := s.take(request.Msg.GetEvents())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&v1.IngestBatchResponse{Results: results}), nil
}

func (s *sink) IngestStream(
	_ context.Context, stream *connect.ClientStream[v1.IngestStreamRequest],
) (*connect.Response[v1.IngestStreamResponse], error) {
	response := &v1.IngestStreamResponse{}
	index := uint64(0)
	for stream.Receive() {
		results, err := s.take(stream.Msg().GetEvents())
		if err != nil {
			return nil, err
		}
		for _, result := range results {
			if rejection := result.GetRejected(); rejection != nil {
				response.Rejected++
				response.Rejections = append(response.Rejections, &v1.StreamRejection{Index: index, Rejection: rejection})
			} else {
				response.Accepted++
			}
			index++
		}
	}
	return connect.NewResponse(response), stream.Err()
}

// expectSizes holds if calls had so many events, in whatever order.
func (s *sink) expectSizes(t *testing.T, sizes ...int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.sizes)
	if !slices.Equal(s.sizes, sizes) {
		t.Errorf("calls had %v events, not %v", s.sizes, sizes)
	}
}

// expect holds if the sink has exactly so many events, by id.
func (s *sink) expect(t *testing.T, events int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) != events {
		t.Errorf("%d events arrived, %d were sent", len(s.seen), events)
	}
}

// faultProxy is a way to the sink that can break.
type faultProxy struct {
	url    string
	target string

	mu    sync.Mutex
	fault func(client, server *net.TCPConn)
	open  []*net.TCPConn
}

func startProxy(t *testing.T, s *sink) *faultProxy {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &faultProxy{url: "http://" + listener.Addr().String(), target: strings.TrimPrefix(s.url, "http://")}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client.(*net.TCPConn))
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		p.breakWith(nil)
	})
	return p
}

func (p *faultProxy) serve(client *net.TCPConn) {
	p.mu.Lock()
	fault := p.fault
	p.open = append(p.open, client)
	p.mu.Unlock()
	if fault == nil {
		fault = passOn
	}
	connection, err := net.Dial("tcp", p.target)
	if err != nil {
		client.Close()
		return
	}
	defer connection.Close()
	defer client.Close()
	fault(client, connection.(*net.TCPConn))
}

// breakWith ends the connections, and has the next ones go wrong; nil for those that don't.
func (p *faultProxy) breakWith(fault func(client, server *net.TCPConn)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
	for _, client := range p.open {
		client.SetLinger(0)
		client.Close()
	}
	p.open = nil
}

func passOn(client, server *net.TCPConn) {
	go func() {
		io.Copy(server, client)
		server.Close()
	}()
	io.Copy(client, server)
}

// reset is an RST after the first bytes of the client.
func reset(client, _ *net.TCPConn) {
	client.Read(make([]byte, 1))
	client.SetLinger(0)
}

// finish is a FIN after the first bytes of the client.
func finish(client, _ *net.TCPConn) {
	client.Read(make([]byte, 1))
	client.CloseWrite()
}

// blackHole takes everything and answers nothing.
func blackHole(client, _ *net.TCPConn) { io.Copy(io.Discard, client) }

// busy is what a load balancer without backends says.
func busy(client, _ *net.TCPConn) {
	client.Read(make([]byte, 1024))
	io.WriteString(client, "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
	client.CloseWrite()
	io.Copy(io.Discard, client)
}

// cutAnswer delivers, and breaks off at the answer: a HEADERS frame of HTTP/2.
func cutAnswer(client, server *net.TCPConn) {
	go io.Copy(server, client)
	var head [9]byte
	for {
		if _, err := io.ReadFull(server, head[:]); err != nil {
			return
		}
		body := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(server, body); err != nil || head[3] == 1 {
			client.SetLinger(0)
			return
		}
		client.Write(append(head[:], body...))
	}
}

// recorder keeps what OnError was told.
type recorder struct {
	mu     sync.Mutex
	errs   []error
	events []*clickmesh.Completed
}

func (r *recorder) onError(err error, events []*clickmesh.Completed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, err)
	r.events = append(r.events, events...)
}

func (r *recorder) lost() (lost int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, err := range r.errs {
		if failed := (*clickmesh.SendFailed)(nil); errors.As(err, &failed) {
			lost += len(failed.Events)
		}
	}
	return lost
}

// log is what a logger wrote.
type log struct {
	mu   sync.Mutex
	text []byte
}

func (l *log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, line...)
	return len(line), nil
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// logTo is a logger of lines of text without times.
func logTo(lines io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(lines, nil))
}

// until waits for a condition, at most 20 s.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}

func newClient(t testing.TB, url string, options clickmesh.Options) *clickmesh.Client {
	t.Helper()
	client, err := clickmesh.New(url, options)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func aClick(id string) clickmesh.Click {
	return clickmesh.Click{EventID: id, UserID: "user", AdID: "ad", CampaignID: "campaign", Source: "web"}
}
