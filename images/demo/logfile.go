package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const maxLogFile = 20 << 20 // bytes

// logFile is a file of log lines; when it is too large it becomes <path>.1 and a new one starts.
type logFile struct {
	path  string
	limit int64
	file  *os.File
	size  int64
}

func openLogFile(path string, limit int64) (*logFile, error) {
	folder := filepath.Dir(path)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the folder of %s does not exist, create %s first", path, folder)
	}
	f := &logFile{path: path, limit: limit}
	return f, f.open()
}

func (f *logFile) open() error {
	file, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", f.path)
	}
	if err != nil {
		_ = file.Close()
		return err
	}
	f.file, f.size = file, info.Size()
	return nil
}

// Write adds whole lines.
func (f *logFile) Write(lines []byte) (int, error) {
	n, err := f.file.Write(lines)
	f.size += int64(n)
	if err == nil && f.size > f.limit {
		err = f.rotate()
	}
	return n, err
}

// rotate starts a new file; where that fails the old one goes on until it has grown by the limit again.
func (f *logFile) rotate() error {
	f.size = 0
	if err := os.Rename(f.path, f.path+".1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	old := f.file
	if err := f.open(); err != nil {
		return err
	}
	return old.Close()
}

// Close ends the writing.
func (f *logFile) Close() error { return f.file.Close() }
