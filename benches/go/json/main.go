// Command json encodes and decodes documents with encoding/json, sorts and hashes what comes back.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"
)

type item struct {
	ID    int               `json:"id"`
	Name  string            `json:"name"`
	Price float64           `json:"price"`
	Tags  []string          `json:"tags"`
	Extra map[string]string `json:"extra,omitempty"`
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: json SIZE")
		os.Exit(2)
	}
	rounds, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	started := time.Now()
	hash := sha256.New()
	for round := 0; round < rounds; round++ {
		items := make([]item, 200)
		for i := range items {
			items[i] = item{
				ID:    i ^ round,
				Name:  strings.Repeat("n", i%13) + strconv.Itoa(i),
				Price: float64(i*7919%1009) / 4,
				Tags:  []string{"a", strconv.Itoa(i % 7)},
				Extra: map[string]string{"k" + strconv.Itoa(i%5): "v"},
			}
		}
		text, err := json.Marshal(items)
		if err != nil {
			panic(err)
		}
		var back []item
		if err := json.Unmarshal(text, &back); err != nil {
			panic(err)
		}
		sort.Slice(back, func(i, j int) bool {
			if back[i].Price != back[j].Price {
				return back[i].Price < back[j].Price
			}
			return back[i].ID < back[j].ID
		})
		for _, v := range back {
			fmt.Fprintf(hash, "%d %s %.2f %d;", v.ID, v.Name, v.Price, len(v.Extra))
		}
	}
	sum := hash.Sum(nil)
	elapsed := time.Since(started)
	fmt.Printf("checksum %x\n", sum[:8])
	fmt.Fprintf(os.Stderr, "elapsed_ns %d\n", elapsed.Nanoseconds())
}
