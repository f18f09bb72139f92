package actions

import (
	"bufio"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// writtenApart are the headers that are not written as they stand in a request.
var writtenApart = map[string]bool{"Host": true, "Content-Length": true, "Transfer-Encoding": true, "Trailer": true}

// writeRequest writes what Request.Write would. That looks at much which a request of ours does not have, and takes three times as
// long; one that has it goes its way.
func writeRequest(out *bufio.Writer, request *http.Request) error {
	if !isUsual(request) {
		return request.Write(out)
	}
	// An error of out comes again with each writing and with Flush.
	out.WriteString(request.Method)
	out.WriteByte(' ')
	out.WriteString(request.URL.RequestURI())
	out.WriteString(" HTTP/1.1\r\nHost: ")
	out.WriteString(request.Host)
	if request.ContentLength > 0 {
		out.WriteString("\r\nContent-Length: ")
		out.Write(strconv.AppendInt(out.AvailableBuffer(), request.ContentLength, 10))
	}
	out.WriteString("\r\n")
	if err := request.Header.WriteSubset(out, writtenApart); err != nil { // it lets no value end its line
		return err
	}
	out.WriteString("\r\n")
	if request.Body == nil {
		return nil
	}
	_, err := io.Copy(out, request.Body)
	return err
}

// isUsual tells that a request has a body of a known length or is to fetch something, goes to a host that stands in its URL as
// it is, and says who asks.
func isUsual(request *http.Request) bool {
	bodiless := request.Body == nil || request.Body == http.NoBody
	usualBody := !bodiless && request.ContentLength > 0 || bodiless && request.Method == http.MethodGet
	return usualBody && request.Header.Get("User-Agent") != "" && !request.Close && request.TransferEncoding == nil && request.Trailer == nil &&
		request.Host != "" && !strings.ContainsFunc(request.Host, isUnusualInHost)
}

func isUnusualInHost(c rune) bool {
	return c != '.' && c != ':' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z')
}
