// lib/pq through database/sql.
package sqldoor

import (
	"database/sql"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/lib/pq"
)

func TestLibPq(t *testing.T) {
	newTable(t, "libpq_rows", "id int, name text, seen timestamptz, tags text[], raw bytea")
	door, err := sql.Open("postgres", os.Getenv("SQL_DOOR"))
	must(t, err)
	defer door.Close()
	seen := time.Date(2024, 2, 29, 12, 30, 0, 0, time.UTC)
	insert, err := door.Prepare("INSERT INTO libpq_rows VALUES ($1, $2, $3, $4, $5)")
	must(t, err)
	_, err = insert.Exec(1, "one", seen, pq.Array([]string{"a", "b,c"}), []byte{0, 255})
	must(t, err)
	must(t, insert.Close())

	var name string
	var when time.Time
	var tags []string
	var raw []byte
	must(t, door.QueryRow("SELECT name, seen, tags, raw FROM libpq_rows WHERE id = $1", 1).Scan(&name, &when, pq.Array(&tags), &raw))
	equal(t, fmt.Sprint(name, when.Equal(seen), tags, raw), fmt.Sprint("one", true, []string{"a", "b,c"}, []byte{0, 255}))

	_, err = door.Query("SELECT * FROM no_such_table")
	equal(t, string(err.(*pq.Error).Code), "42P01")
}

func TestLibPqCopyIn(t *testing.T) {
	newTable(t, "libpq_copy", "id int, name text")
	door, err := sql.Open("postgres", os.Getenv("SQL_DOOR"))
	must(t, err)
	defer door.Close()
	transaction, err := door.Begin()
	must(t, err)
	statement, err := transaction.Prepare(pq.CopyIn("libpq_copy", "id", "name"))
	must(t, err)
	for i := range 1000 {
		_, err = statement.Exec(i, fmt.Sprintf("name %d", i))
		must(t, err)
	}
	_, err = statement.Exec()
	must(t, err)
	must(t, statement.Close())
	must(t, transaction.Commit())
	var count int
	must(t, door.QueryRow("SELECT count(*) FROM libpq_copy").Scan(&count))
	equal(t, count, 1000)
}
