package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

const (
	envSecret         = "PEANUTS_SECRET"
	envSecretPrevious = "PEANUTS_SECRET_PREVIOUS"
)

// secretFlags is how a command is told the secrets shared with Peanuts. They never stand on the command line.
type secretFlags struct{ file string }

func (f *secretFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "secret-file", "",
		"file with the secrets shared with Peanuts, one a line; default: "+envSecret+" (and "+envSecretPrevious+" while rotating)")
}

// read returns the secrets, the current one first. None, or an empty one, is an error (C2).
func (f *secretFlags) read() ([]string, error) {
	if f.file != "" {
		return secretsInFile(f.file)
	}
	current, set := os.LookupEnv(envSecret)
	if !set {
		return nil, fmt.Errorf("no secret: set %s to what Peanuts signs with, or name a file with --secret-file", envSecret)
	}
	secrets := []string{current}
	if previous, rotating := os.LookupEnv(envSecretPrevious); rotating {
		secrets = append(secrets, previous)
	}
	for i, secret := range secrets {
		if strings.TrimSpace(secret) == "" {
			return nil, fmt.Errorf("%s is set but empty", []string{envSecret, envSecretPrevious}[i])
		}
	}
	return secrets, nil
}

// shortSecret is how many bytes a secret has at least that nobody guesses.
const shortSecret = 16

// warnOfShort tells of secrets that could be guessed: who guesses one signs what he likes (A6).
func warnOfShort(secrets []string, log *slog.Logger) {
	for _, secret := range secrets {
		if len(secret) < shortSecret {
			log.Warn("a secret shared with Peanuts is short enough to be guessed", "bytes", len(secret), "want_at_least", shortSecret)
		}
	}
}

func secretsInFile(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the secrets: %w", err)
	}
	var secrets []string
	for line := range strings.Lines(string(text)) {
		if secret := strings.TrimRight(line, "\r\n"); strings.TrimSpace(secret) != "" {
			secrets = append(secrets, secret)
		}
	}
	if len(secrets) == 0 {
		return nil, fmt.Errorf("reading the secrets: %s holds none", file)
	}
	return secrets, nil
}
