package powerloss

import (
	"testing"
)

// written is a router that writes a store, flushes it or does not, and then tells of it.
func written(t *testing.T, flushes bool) []Operation {
	t.Helper()
	image, promised := sound(t)
	operations := []Operation{mkdir("state"), flush("."), create(storeFile), flush("state")}
	content := image.Files[storeFile]
	for at := 0; at < len(content); at += 4096 {
		operations = append(operations, write(storeFile, at, string(content[at:at+4096])))
	}
	for _, id := range promised.Sent {
		operations = append(operations, Operation{Kind: Send, ID: id})
	}
	if flushes {
		operations = append(operations, flush(storeFile))
	}
	for _, id := range promised.Acknowledged {
		operations = append(operations, Operation{Kind: Acknowledge, ID: id})
	}
	operations = append(operations, promised.Settled...)
	for i := range operations {
		operations[i].at, operations[i].since = i+1, i+1
	}
	return operations
}

// last are the operations with what was written before taken as one: only the end is looked at.
func last(operations []Operation) Sweep {
	return Sweep{Operations: operations, Seed: 7}
}

func TestASweepFindsWhatWasNotFlushed(t *testing.T) { // F6
	for _, flushes := range []bool{true, false} {
		sweep := last(written(t, flushes))
		sweep.Judge, sweep.Workers = judge(t), 2
		result, err := sweep.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if result.Judged != result.Possible || result.Acknowledged != len(stored) || result.Copies != result.Flushes-2 {
			t.Errorf("Run() = %+v; want each of %d images judged, and %d events", result, result.Possible, len(stored))
		}
		if flushes != (result.Losing == 0) {
			t.Errorf("flushed: %t, and %d images lose something", flushes, result.Losing)
		}
		// A database that is written without a journal is torn in between.
		if result.Corrupt == 0 || len(result.Findings) == 0 {
			t.Errorf("%d images are corrupt, %d are told of; want some", result.Corrupt, len(result.Findings))
		}
	}
}
