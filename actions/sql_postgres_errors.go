package actions

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/peanuts-router/peanuts-router/engine"
)

// sqlStates are the names of the SQLSTATEs that a sync meets (PostgreSQL's manual, appendix A), and what to tell about
// them. What has no text here is told by its class.
var sqlStates = map[string][2]string{
	"22001": {"string_data_right_truncation", "the value is too long for the column"},
	"22003": {"numeric_value_out_of_range", "the value is out of the column's range"},
	"22007": {"invalid_datetime_format", "the value is no time or date"},
	"22008": {"datetime_field_overflow", "the value is out of the column's range"},
	"22P02": {"invalid_text_representation", "the value is not of the column's type"},
	"23502": {"not_null_violation", "the column needs a value"},
	"23503": {"foreign_key_violation", "the row that the value points to is not there"},
	"23505": {"unique_violation", "another row has this value already"},
	"23514": {"check_violation", "a constraint of the table refuses the row"},
	"23P01": {"exclusion_violation", "a constraint of the table refuses the row"},
	"25006": {"read_only_sql_transaction", "the database is read-only now"},
	"28000": {"invalid_authorization_specification", ""},
	"28P01": {"invalid_password", ""},
	"3D000": {"invalid_catalog_name", "there is no such database"},
	"3F000": {"invalid_schema_name", "there is no such schema"},
	"40001": {"serialization_failure", ""},
	"40P01": {"deadlock_detected", ""},
	"42501": {"insufficient_privilege", "the database user may not write to the table; grant it INSERT, SELECT, UPDATE and DELETE"},
	"42703": {"undefined_column", "there is no such column"},
	"42704": {"undefined_object", "there is no such table"},
	"42804": {"datatype_mismatch", "the value is not of the column's type"},
	"428C9": {"generated_always", "the column is computed by the database; take it out of the upsert"},
	"42P01": {"undefined_table", "there is no such table"},
	"42P10": {"invalid_column_reference", "the key column has no unique constraint and is no primary key; add one"},
	"53100": {"disk_full", ""},
	"53200": {"out_of_memory", ""},
	"53300": {"too_many_connections", ""},
	"57014": {"query_canceled", ""},
	"57P01": {"admin_shutdown", ""},
	"57P02": {"crash_shutdown", ""},
	"57P03": {"cannot_connect_now", ""},
}

// sqlClasses tell what the classes of SQLSTATE mean that no attempt can change.
var sqlClasses = map[string]string{
	"21": "the table refuses the row",
	"22": "the value does not fit the column",
	"23": "a constraint of the table refuses the row",
	"27": "a trigger refuses the row",
	"3F": "there is no such schema",
	"42": "the table cannot take the row as the rules describe it",
	"44": "a view refuses the row",
	"0A": "the table cannot be written to in this way",
	"54": "the row is too large",
	"P0": "a function of the database refuses the row",
}

// outcome tells what an error means. Of what the server says only the answer holds anything, for it may tell values.
func (p *postgres) outcome(ctx context.Context, pool *pgxpool.Pool, c *sqlChange, err error) *engine.Outcome {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || ctx.Err() != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		outcome := ofError(err)
		return &outcome
	}
	told := sqlStates[refused.Code]
	outcome := retry(strings.TrimSpace(refused.Code+" "+told[0]), told[1])
	outcome.Answer = keep(inLines(refused.Message, refused.Detail, refused.Hint))
	class := refused.Code[:min(2, len(refused.Code))]
	switch final, isFinal := sqlClasses[class]; {
	case class == "28":
		outcome.Refused, outcome.Reason = true, "the database refuses our credentials; check user and password of this action"
	case refused.Code == "42501", refused.Code == "25006":
		outcome.Refused = true
	case isFinal:
		outcome.Verdict = engine.VerdictDead
		if outcome.Reason == "" {
			outcome.Reason = final
		}
		outcome.Reason = p.place(ctx, pool, c, refused) + outcome.Reason
	case outcome.Reason == "":
		outcome.Reason = "the database cannot do it now (" + outcome.Status + ")"
	}
	return &outcome
}

// place names what an error is about, with a colon: a column, a constraint or the table.
func (p *postgres) place(ctx context.Context, pool *pgxpool.Pool, c *sqlChange, refused *pgconn.PgError) string {
	column := refused.ColumnName
	switch {
	case column != "":
	case refused.Code == "42P10":
		column = p.key
	case refused.Code == "42703", refused.Code == "428C9":
		column = p.unfit(ctx, pool, c, refused.Code)
	case strings.HasPrefix(refused.Code, "22"), refused.Code == "23514" && refused.TableName == "":
		column = p.probe(ctx, pool, c, refused.Code)
	}
	switch {
	case column != "":
		return fmt.Sprintf("column %q: ", column)
	case refused.ConstraintName != "":
		return fmt.Sprintf("constraint %q: ", refused.ConstraintName)
	}
	return fmt.Sprintf("table %q: ", strings.Join(p.table, "."))
}

// unfit finds the column that is not there, or that is computed: what the server says of it differs by language.
func (p *postgres) unfit(ctx context.Context, pool *pgxpool.Pool, c *sqlChange, code string) string {
	table, err := p.describe(ctx, pool)
	if err != nil || table == nil {
		return ""
	}
	for _, column := range c.columns {
		found := p.find(table, column.Name)
		if code == "42703" && found == nil || code == "428C9" && found != nil && found.computed {
			return column.Name
		}
	}
	return ""
}

// probe finds the column whose value the server cannot turn into the column's type: it does not tell.
func (p *postgres) probe(ctx context.Context, pool *pgxpool.Pool, c *sqlChange, code string) string {
	for _, column := range c.columns {
		var refused *pgconn.PgError
		_, err := pool.Exec(ctx, "SELECT r."+p.quote(column.Name)+" FROM "+p.source, object(column))
		if errors.As(err, &refused) && refused.Code == code {
			return column.Name
		}
	}
	return ""
}

// inLines is what there is of some texts, each in its line.
func inLines(texts ...string) string {
	var lines []string
	for _, text := range texts {
		if text != "" {
			lines = append(lines, text)
		}
	}
	return strings.Join(lines, "\n")
}
