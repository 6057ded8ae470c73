// Command pipeline sends trees between goroutines over channels: the scheduler, the allocator and the collector at work.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

type node struct {
	left, right *node
	value       uint64
}

func build(depth int, seed uint64) *node {
	n := &node{value: seed*6364136223846793005 + 1442695040888963407}
	if depth > 0 {
		n.left = build(depth-1, n.value)
		n.right = build(depth-1, n.value>>7)
	}
	return n
}

func (n *node) sum() uint64 {
	if n == nil {
		return 0
	}
	return n.value ^ (n.left.sum()*31 + n.right.sum()*17)
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: pipeline SIZE")
		os.Exit(2)
	}
	jobs, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	started := time.Now()
	trees := make(chan *node, 16)
	sums := make(chan uint64, 16)
	var workers sync.WaitGroup
	for w := 0; w < 4; w++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for tree := range trees {
				sums <- tree.sum()
			}
		}()
	}
	go func() {
		for i := 0; i < jobs; i++ {
			trees <- build(6+i%5, uint64(i))
		}
		close(trees)
		workers.Wait()
		close(sums)
	}()
	// Addition, so that the order in which workers answer does not matter.
	var total uint64
	counts := map[uint64]int{}
	for s := range sums {
		total += s
		counts[s%64]++
	}
	elapsed := time.Since(started)
	fmt.Printf("checksum %016x %d\n", total, len(counts))
	fmt.Fprintf(os.Stderr, "elapsed_ns %d\n", elapsed.Nanoseconds())
}
