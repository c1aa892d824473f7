// Command pause holds a pod's namespaces and does nothing else: it waits for the signal that ends the pod.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// The first process of a pod that shares its process namespace inherits orphans; ignored, they leave no zombies.
	signal.Ignore(syscall.SIGCHLD)
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
}
