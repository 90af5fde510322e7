//go:build unix && !solaris && !aix

package clickmesh

import (
	"errors"
	"os"
	"syscall"
)

// lock keeps others from opening the store, until the file is closed or the process ends.
func lock(file *os.File) error {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errors.New("another client has it open: give each its own")
	}
	return err
}
