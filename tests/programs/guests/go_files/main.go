// Command go_files reads orders from a JSON file, prices them on several goroutines, and writes what they made back to
// files: `go_files DIR`. With "panic" or "exit" after the directory it ends in that way.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"
)

type order struct {
	ID    int               `json:"id"`
	Items []item            `json:"items"`
	Notes map[string]string `json:"notes,omitempty"`
}

type item struct {
	Name  string  `json:"name"`
	Count int     `json:"count"`
	Price float64 `json:"price"`
}

type invoice struct {
	Order int     `json:"order"`
	Total float64 `json:"total"`
	Lines int     `json:"lines"`
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: go_files DIR [panic|exit]")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	if len(os.Args) > 2 && os.Args[2] == "panic" {
		var nothing *order
		fmt.Println(nothing.ID)
	}
	if len(os.Args) > 2 && os.Args[2] == "exit" {
		os.Exit(3)
	}
}

func run(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "orders.json"))
	if err != nil {
		return err
	}
	var orders []order
	if err := json.Unmarshal(text, &orders); err != nil {
		return err
	}

	jobs := make(chan order)
	results := make(chan invoice)
	var workers sync.WaitGroup
	for w := 0; w < 8; w++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for o := range jobs {
				total := 0.0
				for _, i := range o.Items {
					total += float64(i.Count) * i.Price
				}
				time.Sleep(time.Millisecond)
				results <- invoice{o.ID, total, len(o.Items)}
			}
		}()
	}
	go func() {
		for _, o := range orders {
			jobs <- o
		}
		close(jobs)
		workers.Wait()
		close(results)
	}()

	out := filepath.Join(dir, "out", "invoices")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	var invoices []invoice
	for i := range results {
		invoices = append(invoices, i)
		data, err := json.Marshal(i)
		if err != nil {
			return err
		}
		part := filepath.Join(out, fmt.Sprintf("%d.part", i.Order))
		if err := os.WriteFile(part, data, 0o644); err != nil {
			return err
		}
		if err := os.Rename(part, strings.TrimSuffix(part, ".part")+".json"); err != nil {
			return err
		}
	}
	sort.Slice(invoices, func(a, b int) bool { return invoices[a].Order < invoices[b].Order })

	log, err := os.Create(filepath.Join(dir, "out", "log.txt"))
	if err != nil {
		return err
	}
	for _, i := range invoices {
		fmt.Fprintf(log, "%d %.2f\n", i.Order, i.Total)
	}
	if _, err := log.Seek(0, 0); err != nil {
		return err
	}
	lines := 0
	for scanner := bufio.NewScanner(log); scanner.Scan(); {
		lines++
	}
	if err := log.Close(); err != nil {
		return err
	}

	names := 0
	err = filepath.WalkDir(filepath.Join(dir, "out"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names++
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(out, fmt.Sprintf("%d.json", invoices[0].Order))); err != nil {
		return err
	}
	_, err = os.Stat(filepath.Join(dir, "..", "orders.json"))
	fmt.Printf("orders %d lines %d files %d first %.2f outside %v\n", len(orders), lines, names, invoices[0].Total, !errors.Is(err, nil))
	fmt.Println("greeting", os.Getenv("GREETING"))
	return nil
}
