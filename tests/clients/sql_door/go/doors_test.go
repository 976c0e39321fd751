// The SQL door, the PostgreSQL that it is compared with, and the table of values that all drivers read.
package sqldoor

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// A line of values.json: a type and expressions that have it. Postgres and Door default to Type and Values.
type valueCase struct {
	Type, Postgres, Special string
	Values, Door            []string
	Lake                    *bool
}

func valueCases(t *testing.T) []valueCase {
	t.Helper()
	text, err := os.ReadFile("../values.json")
	must(t, err)
	var cases []valueCase
	must(t, json.Unmarshal(text, &cases))
	for i := range cases {
		if cases[i].Postgres == "" {
			cases[i].Postgres = cases[i].Type
		}
		if cases[i].Door == nil {
			cases[i].Door = cases[i].Values
		}
	}
	return cases
}

// The statement whose one row is all values and a NULL.
func selectAll(expressions []string, typeName string) string {
	columns := make([]string, 0, len(expressions)+1)
	for _, expression := range append(append([]string{}, expressions...), "NULL") {
		columns = append(columns, fmt.Sprintf("(%s)::%s", expression, typeName))
	}
	return "SELECT " + strings.Join(columns, ", ")
}

func (c valueCase) fromDoor() string     { return selectAll(c.Door, c.Type) }
func (c valueCase) fromPostgres() string { return selectAll(c.Values, c.Postgres) }
func (c valueCase) stored() bool         { return c.Lake == nil || *c.Lake }
func (c valueCase) nested() bool         { return strings.HasSuffix(c.Type, "[][]") }

// A value that pgx gave, as pgx takes it: it reads JSON into Go's values, but takes a string for JSON's text.
func (c valueCase) parameter(value any) any {
	if c.Postgres != "json" || value == nil {
		return value
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}

// Environment variables that the runner sets: SQL_DOOR and POSTGRES, each a URL.
func connect(t *testing.T, door string) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(context.Background(), os.Getenv(door))
	must(t, err)
	t.Cleanup(func() { connection.Close(context.Background()) })
	_, err = connection.Exec(context.Background(), "SET TIME ZONE 'UTC'")
	must(t, err)
	return connection
}

// A table of the lake that is dropped when the test ends.
func newTable(t *testing.T, name, columns string) {
	t.Helper()
	connection := connect(t, "SQL_DOOR")
	_, err := connection.Exec(context.Background(), fmt.Sprintf("CREATE TABLE %s (%s)", name, columns))
	must(t, err)
	t.Cleanup(func() {
		connection := connect(t, "SQL_DOOR")
		_, err := connection.Exec(context.Background(), "DROP TABLE "+name)
		must(t, err)
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%v instead of %v", got, want)
	}
}

// A value as text that is the same for equal values, NaN included.
func show(value any) string {
	switch value := value.(type) {
	case time.Time:
		return value.UTC().Format(time.RFC3339Nano)
	case pgtype.Numeric:
		text, err := value.Value()
		return fmt.Sprintf("numeric(%v %v)", text, err)
	case []any:
		shown := make([]string, len(value))
		for i := range value {
			shown[i] = show(value[i])
		}
		return "[" + strings.Join(shown, ", ") + "]"
	default:
		return fmt.Sprintf("%T(%v)", value, value)
	}
}
