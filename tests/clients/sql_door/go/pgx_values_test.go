// pgx: the table of values in every mode that pgx has, compared with what pgx makes of PostgreSQL's.
package sqldoor

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

var modes = []pgx.QueryExecMode{
	pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
	pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
}

func oneRow(connection *pgx.Conn, query string, arguments ...any) ([]any, error) {
	rows, err := connection.Query(context.Background(), query, arguments...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
}

func TestPgxResults(t *testing.T) {
	door, postgres := connect(t, "SQL_DOOR"), connect(t, "POSTGRES")
	for _, mode := range modes {
		for _, c := range valueCases(t) {
			got, err := oneRow(door, c.fromDoor(), mode)
			if err != nil {
				t.Errorf("%v %s: %v", mode, c.Type, err)
				continue
			}
			want, err := oneRow(postgres, c.fromPostgres(), mode)
			must(t, err)
			if show(got) != show(want) {
				t.Errorf("%v %s: %s instead of %s", mode, c.Type, show(got), show(want))
			}
		}
	}
}

// The modes that ask the server for the parameters' types.
func TestPgxParameters(t *testing.T) {
	door, postgres := connect(t, "SQL_DOOR"), connect(t, "POSTGRES")
	for _, mode := range modes[:3] {
		for _, c := range valueCases(t) {
			if c.nested() {
				continue // Values() gives them flat; TestPgxNestedArrays has them
			}
			values, err := oneRow(postgres, c.fromPostgres(), mode)
			must(t, err)
			for _, value := range values {
				got, err := oneRow(door, fmt.Sprintf("SELECT $1::%s", c.Type), mode, c.parameter(value))
				if err != nil {
					t.Errorf("%v %s: %v", mode, c.Type, err)
				} else if show(got[0]) != show(value) {
					t.Errorf("%v %s: %s instead of %s", mode, c.Type, show(got[0]), show(value))
				}
			}
		}
	}
}

func TestPgxNestedArrays(t *testing.T) {
	door := connect(t, "SQL_DOOR")
	for _, mode := range modes[:3] {
		var numbers [][]int32
		must(t, door.QueryRow(context.Background(), "SELECT $1::integer[][]", mode, [][]int32{{1, 2}, {3, 4}}).Scan(&numbers))
		equal(t, fmt.Sprint(numbers), "[[1 2] [3 4]]")
		var words [][]string
		must(t, door.QueryRow(context.Background(), "SELECT $1::text[][]", mode, [][]string{{"a", "b c"}}).Scan(&words))
		equal(t, fmt.Sprint(words), "[[a b c]]")
	}
}

// One row of every type that a table can have, as parameters and by COPY.
func TestPgxARowOfEveryType(t *testing.T) {
	door, postgres := connect(t, "SQL_DOOR"), connect(t, "POSTGRES")
	var columns, names, places, types []string
	var values, parameters []any
	for _, c := range valueCases(t) {
		if !c.stored() || c.nested() || c.Special != "" || c.Type == "timetz" {
			continue // pgx knows no binary format of timetz, which COPY needs
		}
		row, err := oneRow(postgres, c.fromPostgres())
		must(t, err)
		names = append(names, fmt.Sprintf("c%d", len(names)))
		columns = append(columns, names[len(names)-1]+" "+c.Type)
		places = append(places, fmt.Sprintf("$%d", len(names)))
		types = append(types, c.Type)
		values = append(values, row[len(row)/2])
		parameters = append(parameters, c.parameter(row[len(row)/2]))
	}
	newTable(t, "pgx_values", strings.Join(columns, ", "))
	check := func() {
		t.Helper()
		stored, err := oneRow(door, "SELECT * FROM pgx_values")
		must(t, err)
		for i := range values {
			if show(stored[i]) != show(values[i]) {
				t.Errorf("%s: %s instead of %s", types[i], show(stored[i]), show(values[i]))
			}
		}
		_, err = door.Exec(context.Background(), "DELETE FROM pgx_values")
		must(t, err)
	}
	_, err := door.Exec(context.Background(), "INSERT INTO pgx_values VALUES ("+strings.Join(places, ", ")+")", parameters...)
	must(t, err)
	check()
	copied, err := door.CopyFrom(context.Background(), pgx.Identifier{"pgx_values"}, names, pgx.CopyFromRows([][]any{parameters}))
	must(t, err)
	equal(t, copied, 1)
	check()
}
