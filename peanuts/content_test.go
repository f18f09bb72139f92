package peanuts_test

import (
	"net/http"
	"testing"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

func TestOnlyPlainJSONIsTaken(t *testing.T) { // C20, A10, A14
	kind := func(lines ...string) http.Header { return http.Header{"Content-Type": lines} }
	for _, header := range []http.Header{
		{}, kind("application/json"), kind("application/json; charset=utf-8"), kind("APPLICATION/JSON"),
		kind("application/cloudevents+json"), kind("application/vnd.peanuts.v1+json; charset=utf-8"), kind(" application/json "),
	} {
		if err := peanuts.CheckContentType(header); err != nil {
			t.Errorf("CheckContentType(%v) = %v, want nil", header, err)
		}
	}
	encoded := func(how string) http.Header {
		return http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {how}}
	}
	for _, header := range []http.Header{
		kind("application/x-www-form-urlencoded"), kind("multipart/form-data; boundary=x"), kind("text/plain"), kind("text/json"),
		kind("application/xml"), kind("application/jsonl"), kind("application/x-json"), kind("application/octet-stream"),
		kind("application/+json"), kind("application/json+xml"), kind("text/x+json"), kind("json"), kind("*/*"), kind("/"),
		kind("application/json, text/plain"), kind("application/json", "application/json"), kind("application/json; charset"),
		encoded("gzip"), encoded("deflate"), encoded("br"), encoded("identity"), encoded(""),
		{"Content-Encoding": {"gzip"}},
	} {
		if err := peanuts.CheckContentType(header); err != peanuts.ErrContentType {
			t.Errorf("CheckContentType(%v) = %v, want ErrContentType", header, err)
		}
	}
}
