package clickmesh

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// CloseOnSigterm closes the client when the process is told to end by SIGTERM, as docker stop and Kubernetes do, and
// then lets the signal end the process. Of a program that handles SIGTERM itself, and closes the client there, it is not
// needed: the signal would reach it twice. What it returns takes it back.
func (c *Client) CloseOnSigterm() (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	stopped := make(chan struct{})
	go func() {
		select {
		case <-signals:
			// What was lost is warned of.
			_ = c.Close(context.Background())
			signal.Stop(signals)
			endBySigterm()
		case <-c.closed:
			signal.Stop(signals)
		case <-stopped:
			signal.Stop(signals)
		}
	}()
	return sync.OnceFunc(func() { close(stopped) })
}

// endBySigterm sends the signal again, now that nobody here takes it.
func endBySigterm() {
	process, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = process.Signal(syscall.SIGTERM)
	}
	if err != nil {
		os.Exit(1)
	}
}
