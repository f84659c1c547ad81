// bench/etcd/load.go - closed-loop puts, or linearizable reads, against an etcd cluster's leader.
//
// The counterpart of `zap-sidecar bench` for the side-by-side table: each client has one request
// in flight. It speaks the raw KV stubs, which cost less than clientv3 would. Prints one JSON object.
//
// GO111MODULE=off GOPATH=/usr/share/gocode go build -o etcd_load bench/etcd/load.go
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/etcdserver/etcdserverpb"
	"google.golang.org/grpc"
)

const (
	keys              = 4000
	clientsPerChannel = 8
)

type request func(ctx context.Context, kv etcdserverpb.KVClient, key []byte) error

// leaderOf dials every endpoint and keeps the one that says that it leads.
func leaderOf(ctx context.Context, endpoints []string) string {
	for _, endpoint := range endpoints {
		channel := dial(endpoint)
		status, err := etcdserverpb.NewMaintenanceClient(channel).Status(ctx, &etcdserverpb.StatusRequest{})
		channel.Close()
		if err == nil && status.Leader == status.Header.MemberId {
			return endpoint
		}
	}
	log.Fatalf("none of %v leads", endpoints)
	return ""
}

func dial(endpoint string) *grpc.ClientConn {
	channel, err := grpc.Dial(endpoint, grpc.WithInsecure(), grpc.WithBlock())
	if err != nil {
		log.Fatalf("cannot reach %s: %v", endpoint, err)
	}
	return channel
}

// run keeps one request in flight until `end` and returns what each took.
func run(ctx context.Context, kv etcdserverpb.KVClient, client int, do request, end time.Time) (latencies []time.Duration, errors int) {
	for number := 0; ; number++ {
		began := time.Now()
		if began.After(end) {
			return latencies, errors
		}
		key := []byte(fmt.Sprintf("key%013d", (client*7919+number)%keys))
		err := do(ctx, kv, key)
		if err != nil {
			errors++
			continue
		}
		latencies = append(latencies, time.Since(began))
	}
}

func percentile(sorted []time.Duration, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(share*float64(len(sorted)-1))].Seconds() * 1e3
}

func main() {
	endpoints := flag.String("endpoints", "127.0.0.1:2379", "host:port, comma separated")
	clients := flag.Int("clients", 64, "requests in flight")
	duration := flag.Duration("duration", 5*time.Second, "measured time")
	size := flag.Int("size", 256, "bytes a value")
	mode := flag.String("mode", "write", "write, or read (linearizable)")
	flag.Parse()

	value := make([]byte, *size)
	if _, err := rand.Read(value); err != nil {
		log.Fatal(err)
	}
	do := map[string]request{
		"write": func(ctx context.Context, kv etcdserverpb.KVClient, key []byte) error {
			_, err := kv.Put(ctx, &etcdserverpb.PutRequest{Key: key, Value: value})
			return err
		},
		"read": func(ctx context.Context, kv etcdserverpb.KVClient, key []byte) error {
			_, err := kv.Range(ctx, &etcdserverpb.RangeRequest{Key: key})
			return err
		},
	}[*mode]
	if do == nil {
		log.Fatalf("-mode %q: write or read", *mode)
	}

	ctx := context.Background()
	leader := leaderOf(ctx, strings.Split(*endpoints, ","))
	end := time.Now().Add(*duration)

	var wait sync.WaitGroup
	var mutex sync.Mutex
	var all []time.Duration
	errors := 0
	var kv etcdserverpb.KVClient
	for client := 0; client < *clients; client++ {
		if client%clientsPerChannel == 0 {
			kv = etcdserverpb.NewKVClient(dial(leader))
		}
		wait.Add(1)
		go func(kv etcdserverpb.KVClient, client int) {
			defer wait.Done()
			latencies, failed := run(ctx, kv, client, do, end)
			mutex.Lock()
			defer mutex.Unlock()
			all = append(all, latencies...)
			errors += failed
		}(kv, client)
	}
	wait.Wait()

	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"calls":            len(all),
		"calls_per_second": float64(len(all)) / duration.Seconds(),
		"p50_ms":           percentile(all, 0.5),
		"p99_ms":           percentile(all, 0.99),
		"max_ms":           percentile(all, 1),
		"errors":           map[string]int{"failed": errors},
	})
}
