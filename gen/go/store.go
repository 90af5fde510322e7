package clickmesh

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	v1 "github.com/clickmesh/clickmesh/gen/go/clickmesh/v1"
)

// What a store begins with.
const storeMagic = "clickmesh store 1\n"

// A record of the store is one event: whether it was sent, its length and CRC-32 (little endian), and its bytes.
const (
	recordHead  = 9
	waitingMark = 'w'
	sentMark    = 's'
)

// Longest time between two tries to send what is in the store.
const maxStoreWait = time.Minute

// store is a file of events that could not be sent. One client at a time has it open.
type store struct {
	limit int64
	// Of the sending of what was in it when it was opened: ends it, says that it is to end at the next failure, and that
	// it has.
	ctx      context.Context
	stop     context.CancelFunc
	isEnding chan struct{}
	stopped  chan struct{}

	mu   sync.Mutex
	file *os.File
	size int64
	// Size when it was opened: up to there are events of clients before.
	before int64
}

func openStore(path string, limit int64) (*store, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("clickmesh: Options.Store: %w", err)
	}
	s := &store{limit: limit, file: file, isEnding: make(chan struct{}), stopped: make(chan struct{})}
	s.ctx, s.stop = context.WithCancel(context.Background())
	if err := errors.Join(lock(file), s.readHead()); err != nil {
		file.Close()
		return nil, fmt.Errorf("clickmesh: Options.Store %q: %w", path, err)
	}
	return s, nil
}

// readHead finds the end of the last whole record: a crash may have left part of another behind it.
func (s *store) readHead() error {
	head := make([]byte, len(storeMagic))
	n, err := s.file.ReadAt(head, 0)
	if n == 0 && err == io.EOF {
		_, err = s.file.WriteAt([]byte(storeMagic), 0)
		s.size, s.before = int64(len(storeMagic)), int64(len(storeMagic))
		return err
	}
	if string(head[:n]) != storeMagic {
		return errors.New("the file is no store of clickmesh: name another")
	}
	s.size = int64(len(storeMagic))
	for {
		_, next, err := s.read(s.size)
		if err != nil {
			break
		}
		s.size = next
	}
	s.before = s.size
	return s.file.Truncate(s.size)
}

// read returns the bytes of the event of a record, nil if that was sent, and where the next record is.
func (s *store) read(at int64) ([]byte, int64, error) {
	var head [recordHead]byte
	if _, err := s.file.ReadAt(head[:], at); err != nil {
		return nil, 0, err
	}
	length := int64(binary.LittleEndian.Uint32(head[1:]))
	if length > maxEventBytes {
		return nil, 0, errors.New("a record is too long")
	}
	bytes := make([]byte, length)
	if _, err := s.file.ReadAt(bytes, at+recordHead); err != nil {
		return nil, 0, err
	}
	if crc32.ChecksumIEEE(bytes) != binary.LittleEndian.Uint32(head[5:]) {
		return nil, 0, errors.New("a record is damaged")
	}
	next := at + recordHead + length
	if head[0] == sentMark {
		return nil, next, nil
	}
	return bytes, next, nil
}

var errStoreFull = errors.New("the store has no room")

// keep writes events until one has no room, and returns how many it has durably, and why not more.
func (s *store) keep(events []*Completed) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var records []byte
	var full error
	n := 0
	for ; n < len(events); n++ {
		bytes := events[n].bytes
		if s.size+int64(len(records)+recordHead+len(bytes)) > s.limit {
			full = errStoreFull
			break
		}
		records = append(records, waitingMark)
		records = binary.LittleEndian.AppendUint32(records, uint32(len(bytes)))
		records = binary.LittleEndian.AppendUint32(records, crc32.ChecksumIEEE(bytes))
		records = append(records, bytes...)
	}
	_, err := s.file.WriteAt(records, s.size)
	if err == nil {
		err = s.file.Sync()
	}
	if err != nil {
		return 0, fmt.Errorf("the store can't be written: %w", err)
	}
	s.size += int64(len(records))
	return n, full
}

// next are up to a batch of the events of clients before, their places, and where those behind them are.
func (s *store) next(at int64, most int) (events []*Completed, places []int64, next int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bytes := 0
	for at < s.before && len(events) < most && bytes < maxBatchBytes/2 {
		record, after, err := s.read(at)
		if err != nil {
			break
		}
		if event := completedFrom(record); event != nil {
			events, places = append(events, event), append(places, at)
			bytes += len(record)
		}
		at = after
	}
	return events, places, at
}

// completedFrom is nil of a record that was sent, or that this version doesn't know.
func completedFrom(bytes []byte) *Completed {
	event := &v1.Event{}
	if bytes == nil || proto.Unmarshal(bytes, event) != nil {
		return nil
	}
	arm := event.ProtoReflect().WhichOneof(eventCases)
	if arm == nil {
		return nil
	}
	known, fields := eventTypes[arm.Number()], event.ProtoReflect().Get(arm).Message()
	return &Completed{id: fields.Get(known.id).String(), millis: fields.Get(known.timestamp).Int(), bytes: bytes}
}

// markSent says of records that they need not be sent again.
func (s *store) markSent(places []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, place := range places {
		// If it can't be written the event is sent again, which changes nothing.
		_, _ = s.file.WriteAt([]byte{sentMark}, place)
	}
}

// clear empties the store once all of it was sent.
func (s *store) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size == s.before && s.file.Truncate(int64(len(storeMagic))) == nil {
		s.size = int64(len(storeMagic))
		s.before = s.size
	}
}

// stopSending goes on as long as the gateway takes what is sent, within the time of ctx.
func (s *store) stopSending(ctx context.Context) {
	close(s.isEnding)
	select {
	case <-s.stopped:
	case <-ctx.Done():
		s.stop()
		<-s.stopped
	}
}

func (s *store) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.file.Close()
}

// sendStored sends what clients before could not send, again and again until all of it is sent.
func (c *Client) sendStored() {
	defer close(c.store.stopped)
	wait := firstBackoff
	// It has a loop of its own, which Close waits for.
	options := c.options
	options.Timeout = min(options.Timeout, options.AttemptTimeout)
	for at := c.store.start(); ; {
		events, places, next := c.store.next(at, c.options.BatchSize)
		if len(events) == 0 {
			c.store.clear()
			return
		}
		c.report.countQueued(int64(len(events)))
		results, failed := c.sendCall(c.store.ctx, options, events)
		if failed != nil {
			c.report.countQueued(-int64(len(events)))
			select {
			case <-c.store.isEnding:
				return
			case <-time.After(wait):
			}
			wait = min(2*wait, maxStoreWait)
			continue
		}
		c.store.markSent(places)
		for _, result := range results {
			if rejected, ok := result.Err.(*Rejected); ok {
				c.report.tell(rejected)
			}
		}
		at, wait = next, firstBackoff
	}
}

func (s *store) start() int64 { return int64(len(storeMagic)) }
