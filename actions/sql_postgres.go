package actions

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/peanuts-router/peanuts-router/engine"
)

// idleSQL is how long a connection to a database is kept that nothing uses.
const idleSQL = 90 * time.Second

// postgres writes to a table of PostgreSQL. A row goes out as one JSON object which the server itself turns into the
// types of the columns: a driver would store 4.5 in an integer column as 4 without a word.
type postgres struct {
	sqlDialect
	config *pgxpool.Config

	mu     sync.Mutex
	pool   *pgxpool.Pool // nil until something is sent
	hangUp func()        // ends what is still being connected
}

// maxPostgresMessage is how long one message of the server's may be, in bytes: room is made for what it announces.
const maxPostgresMessage = 1 << 20

// maxPostgresName is how many bytes of a name PostgreSQL tells apart; it cuts what is longer.
const maxPostgresName = 63

func newPostgres(settings *engine.SQLSettings, address string, connections int) (*postgres, error) {
	p := &postgres{}
	p.sqlNames = sqlNames{
		table: strings.Split(settings.Table, "."), key: settings.Key, version: settings.Version,
		longest: maxPostgresName, fold: func(name string) string { return name },
	}
	if err := p.sqlNames.check(); err != nil {
		return nil, err
	}
	if len(p.table) > 2 {
		return nil, errors.New("the table has to be NAME or SCHEMA.NAME")
	}
	p.quote = func(name ...string) string { return pgx.Identifier(name).Sanitize() }
	p.source = "jsonb_populate_record(NULL::" + p.quote(p.table...) + ", $1::jsonb) AS r"
	p.value = func(_ int, column string) string { return "r." + p.quote(column) }
	p.bytes = func(expression string) string { return expression + `::text COLLATE "C"` }
	// Not every type can be compared, json itself for one. As jsonb all can.
	p.differ = func(column, other string) string {
		return "to_jsonb(" + column + ") IS DISTINCT FROM to_jsonb(" + other + ")"
	}
	var err error
	if p.config, err = pgxpool.ParseConfig(address); err != nil {
		return nil, errors.New("the address of the database cannot be used: it has to be postgres://USER:PASSWORD@HOST:PORT/DATABASE, with what is special in it escaped")
	}
	p.config.MaxConns, p.config.MinConns, p.config.MinIdleConns = int32(connections), 0, 0
	p.config.MaxConnIdleTime = idleSQL
	conn := p.config.ConnConfig
	conn.ConnectTimeout = min(conn.ConnectTimeout, engine.MaxTimeout)
	conn.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		frontend := pgproto3.NewFrontend(r, w)
		frontend.SetMaxBodyLen(maxPostgresMessage)
		return frontend
	}
	// Nothing is prepared: the table may change under a prepared statement, and poolers lose it.
	conn.DefaultQueryExecMode, conn.StatementCacheCapacity, conn.DescriptionCacheCapacity = pgx.QueryExecModeExec, 0, 0
	setDefault(conn.RuntimeParams, "application_name", "peanuts-router")
	setDefault(conn.RuntimeParams, "timezone", "UTC") // of times that come without a zone
	return p, nil
}

func setDefault(params map[string]string, name, value string) {
	for known := range params {
		if strings.EqualFold(known, name) {
			return
		}
	}
	params[name] = value
}

func (p *postgres) connections() (*pgxpool.Pool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pool != nil {
		return p.pool, nil
	}
	life, hangUp := context.WithCancel(context.Background())
	config := p.config.Copy()
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		return dialWithin(ctx, life, network, address)
	}
	pool, err := pgxpool.NewWithConfig(life, config)
	if err != nil {
		hangUp()
		return nil, err
	}
	p.pool, p.hangUp = pool, hangUp
	return pool, nil
}

func (p *postgres) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pool != nil {
		p.hangUp() // the pool waits for what is still being connected
		p.pool.Close()
		p.pool, p.hangUp = nil, nil
	}
}

// dialWithin connects, and cuts the connection when life ends: a server may take connections and never say a word.
func dialWithin(ctx, life context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(life, cancel)()
	conn, err := dialer(Config{}, "")(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return boundTo(life, conn), nil
}

func (p *postgres) apply(ctx context.Context, c *sqlChange) (int64, *engine.Outcome) {
	pool, err := p.connections()
	if err != nil {
		return 0, p.outcome(ctx, nil, c, err)
	}
	tag, err := pool.Exec(ctx, p.statement(c), object(c.columns...))
	if err != nil {
		return 0, p.outcome(ctx, pool, c, err)
	}
	return tag.RowsAffected(), nil
}

// object is columns as one JSON object.
func object(columns ...engine.SQLColumn) string {
	var out bytes.Buffer
	for i, column := range columns {
		name, _ := json.Marshal(column.Name) // text is always JSON
		out.WriteByte("{,"[min(i, 1)])
		out.Write(name)
		out.WriteByte(':')
		out.Write(column.Value)
	}
	out.WriteByte('}')
	return out.String()
}
