package peanuts_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

const secret = "a-secret-of-the-tests"

func TestSignGivesThePublishedVectors(t *testing.T) { // R16; RFC 4231 section 4, and GitHub's example
	of := strings.Repeat
	tests := []struct{ name, secret, body, want string }{
		{"case 1", of("\x0b", 20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{"case 2", "Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{"case 3", of("\xaa", 20), of("\xdd", 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
		{"case 4", unhex(t, "0102030405060708090a0b0c0d0e0f10111213141516171819"), of("\xcd", 50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
		{"case 6", of("\xaa", 131), "Test Using Larger Than Block-Size Key - Hash Key First", "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
		{"case 7", of("\xaa", 131), "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.", "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
		{"GitHub", "It's a Secret to Everybody", "Hello, World!", "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
	}
	for _, test := range tests {
		if got := peanuts.Sign(test.secret, []byte(test.body)); got != test.want {
			t.Errorf("%s: Sign = %s, want %s", test.name, got, test.want)
		}
		if strings.TrimSpace(test.secret) == "" {
			continue // case 1's key is all vertical tabs: no secret for a Verifier
		}
		if err := verifier(t, test.secret).Verify(signed(test.want), []byte(test.body)); err != nil {
			t.Errorf("%s: Verify = %v, want nil", test.name, err)
		}
	}
}

func TestVerifyTakesOneLineOfHexInEitherCaseAndRefusesTheRest(t *testing.T) { // C2, R20, P3, P4, A1, A2
	body := []byte(`{"event":"entry.created"}`)
	right := peanuts.Sign(secret, body)
	taken := map[string][]string{
		"lower case":           {right},
		"upper case":           {strings.ToUpper(right)},
		"mixed case":           {strings.ToUpper(right[:20]) + right[20:]},
		"prefixed":             {"sha256=" + right},
		"prefixed, upper case": {"sha256=" + strings.ToUpper(right)},
	}
	refused := map[string][]string{
		"no line":                {},
		"an empty line":          {""},
		"only the prefix":        {"sha256="},
		"two lines":              {right, right},
		"right, then wrong":      {right, strings.Repeat("0", 64)},
		"wrong, then right":      {strings.Repeat("0", 64), right},
		"a comma list":           {right + "," + right},
		"an upper-case prefix":   {"SHA256=" + right},
		"two prefixes":           {"sha256=sha256=" + right},
		"another prefix":         {"sha1=" + right},
		"a blank before":         {" " + right},
		"a blank after":          {right + " "},
		"a newline after":        {right + "\n"},
		"a blank inside":         {right[:32] + " " + right[32:]},
		"one digit more":         {right + "0"},
		"not hex":                {right[:63] + "g"},
		"full-width digits":      {strings.Repeat("０", 64)},
		"64 bytes of full width": {strings.Repeat("０", 21) + "0"},
		"another key":            {peanuts.Sign("another key", body)},
		"of another body":        {peanuts.Sign(secret, append(body, ' '))},
		"a megabyte":             {strings.Repeat("a", 1<<20)},
	}
	for length := range len(right) {
		refused[fmt.Sprintf("first %d digits", length)] = []string{right[:length]}
		refused[fmt.Sprintf("prefix and first %d digits", length)] = []string{"sha256=" + right[:length]}
	}
	v := verifier(t, secret)
	for name, lines := range taken {
		if err := v.Verify(signed(lines...), body); err != nil {
			t.Errorf("%s: Verify = %v, want nil", name, err)
		}
	}
	for name, lines := range refused {
		err := v.Verify(signed(lines...), body)
		if err != peanuts.ErrInvalidSignature || err.Error() != "invalid signature" { // A7: one fixed text
			t.Errorf("%s: Verify = %v, want invalid signature", name, err)
		}
	}
}

func TestVerifyRefusesABodyWithAnyBitFlipped(t *testing.T) { // A4
	body := []byte(`{"event":"entry.created","entry":{"id":"e-1","data":{"note":"` + strings.Repeat("x", 300) + `"}}}`)[:300]
	header, v := signed(peanuts.Sign(secret, body)), verifier(t, secret)
	for bit := range len(body) * 8 {
		body[bit/8] ^= 1 << (bit % 8)
		if err := v.Verify(header, body); err == nil {
			t.Errorf("Verify with bit %d flipped = nil, want invalid signature", bit)
		}
		body[bit/8] ^= 1 << (bit % 8)
	}
	for _, changed := range [][]byte{body[:299], body[1:], append([]byte{' '}, body...), append(body[:300:300], '\n'), nil} {
		if err := v.Verify(header, changed); err == nil {
			t.Errorf("Verify of %q = nil, want invalid signature", changed)
		}
	}
	if err := v.Verify(header, body); err != nil {
		t.Errorf("Verify of the body itself = %v, want nil", err)
	}
}

// What JSON.stringify(JSON.parse(body)) changes must reach the verifier, and the event, as it was sent.
func TestVerifySeesTheBytesAsSentThroughEveryTrapOfReserialising(t *testing.T) { // P1, R18, C2
	traps := map[string]string{
		"white space":          `{ "event" : "x",  "a" : 1 }`,
		"a trailing zero":      `{"event":"x","a":500.0}`,
		"an exponent":          `{"event":"x","a":1e3}`,
		"a long number":        `{"event":"x","a":12345678901234567890}`,
		"an escaped letter":    `{"event":"x","a":"caf\u00e9"}`,
		"an escaped slash":     `{"event":"x","a":"\/expenses"}`,
		"integer-like names":   `{"event":"x","b":1,"2":1,"1":1}`,
		"a newline at the end": `{"event":"x"}` + "\n",
		"a negative zero":      `{"event":"x","a":-0}`,
		"a lone surrogate":     `{"event":"x","a":"\ud83d"}`,
		"what stays the same":  `{"event":"x","a":[true,null,"é",1.5]}`,
	}
	v := verifier(t, secret)
	for name, text := range traps {
		body := []byte(text)
		header := signed(peanuts.Sign(secret, body))
		event, err := peanuts.Parse(body)
		if err != nil {
			t.Errorf("%s: Parse = %v, want nil", name, err)
			continue
		}
		if err := v.Verify(header, event.Raw); err != nil {
			t.Errorf("%s: Verify of event.Raw = %v, want nil", name, err)
		}
		again, err := json.Marshal(event.Fields)
		if err != nil {
			t.Errorf("%s: Marshal = %v", name, err)
		}
		if same := string(again) == text; (v.Verify(header, again) == nil) != same {
			t.Errorf("%s: Verify of %s, signed as %s, does not tell them apart", name, again, text)
		}
	}
	twice := []byte(`{"event":"x","a":1,"a":2}`) // the eleventh: signed or not, Parse refuses it
	if err := v.Verify(signed(peanuts.Sign(secret, twice)), twice); err != nil {
		t.Errorf("Verify(%s) = %v, want nil", twice, err)
	}
}

func TestVerifyTakesEachOfSeveralSecretsWhileRotating(t *testing.T) { // C3, R22
	body := []byte("{}")
	v := verifier(t, "new", "old", "older")
	for _, key := range []string{"new", "old", "older"} {
		if err := v.Verify(signed(peanuts.Sign(key, body)), body); err != nil {
			t.Errorf("Verify with secret %q = %v, want nil", key, err)
		}
	}
	for _, key := range []string{"", "retired", "newold"} {
		if err := v.Verify(signed(peanuts.Sign(key, body)), body); err == nil {
			t.Errorf("Verify with secret %q = nil, want invalid signature", key)
		}
	}
}

func TestNewVerifierRefusesNoSecretAndEmptyOnes(t *testing.T) { // C2, A6
	for _, secrets := range [][]string{nil, {""}, {"  "}, {"\n"}, {"good", ""}, {"", "good"}} {
		if v, err := peanuts.NewVerifier(secrets...); err == nil || v != nil {
			t.Errorf("NewVerifier(%q) = %v, %v; want an error", secrets, v, err)
		} else if strings.Contains(err.Error(), "good") {
			t.Errorf("NewVerifier(%q) tells a secret: %v", secrets, err)
		}
	}
}

func TestNothingThatHoldsASecretPrintsIt(t *testing.T) { // C19, A7
	config := peanuts.SenderConfig{URL: "http://127.0.0.1:1/token", Secret: secret}
	sender, err := peanuts.NewSender(config)
	if err != nil {
		t.Fatalf("NewSender = %v", err)
	}
	client := newClient(t)
	v := verifier(t, secret)
	for _, holder := range []any{v, *v, client, sender, *sender, config, &config, []any{config, v}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			got := fmt.Sprintf(verb, holder)
			if strings.Contains(got, secret) || strings.Contains(got, hex.EncodeToString([]byte(secret))) {
				t.Errorf("Sprintf(%q, %T) = %s, which tells the secret", verb, holder, got)
			}
		}
	}
	if got, err := json.Marshal(config); err != nil || strings.Contains(string(got), secret) {
		t.Errorf("Marshal(SenderConfig) = %s, %v; want no secret", got, err)
	}
}

func TestOneVerifierServesManyAtOnce(t *testing.T) { // safe for concurrent use; run with -race
	v := verifier(t, secret, "other")
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			body := []byte(strings.Repeat("x", n))
			right, wrong := signed(peanuts.Sign("other", body)), signed(peanuts.Sign("third", body))
			for range 200 {
				if err := v.Verify(right, body); err != nil {
					t.Errorf("Verify of a right signature = %v, want nil", err)
				}
				if err := v.Verify(wrong, body); err == nil {
					t.Error("Verify of a wrong signature = nil, want invalid signature")
				}
			}
		})
	}
	all.Wait()
}

// Of comparisons, sign.go has hmac.Equal, and == with a constant, nil or a length; none can end at a first wrong byte.
func TestSignaturesAreComparedInConstantTime(t *testing.T) { // A5, P2, R19
	source, err := os.ReadFile("sign.go")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "sign.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	constant := 0
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			name := fmt.Sprintf("%s.%s", n.X, n.Sel)
			switch {
			case name == "hmac.Equal":
				constant++
			case strings.HasSuffix(name, "Equal"), strings.HasSuffix(name, "EqualFold"), strings.HasSuffix(name, "Compare"):
				t.Errorf("sign.go calls %s", name)
			}
		case *ast.BinaryExpr:
			if (n.Op == token.EQL || n.Op == token.NEQ) && !harmless(n.X) && !harmless(n.Y) {
				t.Errorf("sign.go compares with %s at byte %d", n.Op, n.Pos())
			}
		}
		return true
	})
	if constant != 1 {
		t.Errorf("sign.go calls hmac.Equal %d times, want once", constant)
	}
}

func harmless(operand ast.Expr) bool {
	switch operand := operand.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return operand.Name == "nil"
	case *ast.CallExpr:
		called, ok := operand.Fun.(*ast.Ident)
		return ok && called.Name == "len"
	}
	return false
}

func FuzzVerify(f *testing.F) { // A1, A2: exactly the two spellings of the right digest are taken
	right := peanuts.Sign(secret, []byte("{}"))
	for _, value := range []string{right, "sha256=" + right, strings.ToUpper(right), right[:63], "", "sha256=", right + "\r\n", "０"} {
		f.Add(value, []byte("{}"))
	}
	v, err := peanuts.NewVerifier(secret)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string, body []byte) {
		err := v.Verify(signed(value), body)
		want := strings.ToLower(strings.TrimPrefix(value, "sha256=")) == peanuts.Sign(secret, body)
		if (err == nil) != want || err != nil && !errors.Is(err, peanuts.ErrInvalidSignature) {
			t.Errorf("Verify(%q, %q) = %v, want taken: %v", value, body, err, want)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	body := example(b)
	v := verifier(b, secret)
	header := signed(peanuts.Sign(secret, body))
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := v.Verify(header, body); err != nil {
			b.Fatal(err)
		}
	}
}

func verifier(t testing.TB, secrets ...string) *peanuts.Verifier {
	t.Helper()
	v, err := peanuts.NewVerifier(secrets...)
	if err != nil {
		t.Fatalf("NewVerifier = %v", err)
	}
	return v
}

func signed(lines ...string) http.Header { return http.Header{peanuts.SignatureHeader: lines} }

func unhex(t *testing.T, digits string) string {
	t.Helper()
	text, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
