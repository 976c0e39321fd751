// pgx in its own idiom: collected rows, batches, pipelines, COPY, transactions, errors, a pool.
package sqldoor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

var background = context.Background()

type sale struct {
	ID    int32
	Item  string
	Price pgtype.Numeric
	Sold  *time.Time
	Tags  []string
}

func TestPgxStructs(t *testing.T) {
	newTable(t, "pgx_sales", "id int, item text, price numeric(10,2), sold timestamptz, tags text[]")
	door := connect(t, "SQL_DOOR")
	sold := time.Date(2024, 2, 29, 12, 30, 0, 0, time.UTC)
	for _, mode := range modes {
		_, err := door.Exec(background, "DELETE FROM pgx_sales", mode)
		must(t, err)
		tag, err := door.Exec(background, "INSERT INTO pgx_sales VALUES ($1, $2, $3, $4, $5), ($6, 'none', NULL, NULL, NULL)",
			mode, 1, "pen", "1.50", sold, []string{"a", "b,c"}, 2)
		must(t, err)
		equal(t, tag.String(), "INSERT 0 2")
		rows, err := door.Query(background, "SELECT * FROM pgx_sales WHERE id >= $1 ORDER BY id", mode, 1)
		must(t, err)
		sales, err := pgx.CollectRows(rows, pgx.RowToStructByPos[sale])
		must(t, err)
		equal(t, len(sales), 2)
		price, err := sales[0].Price.Value()
		must(t, err)
		equal(t, fmt.Sprint(price), "1.50")
		equal(t, sales[0].Sold.Equal(sold), true)
		equal(t, fmt.Sprint(sales[0].Tags), "[a b,c]")
		equal(t, sales[1].Sold, nil)
		var count int64
		must(t, door.QueryRow(background, "SELECT count(*) FROM pgx_sales WHERE id = ANY($1::int[])", mode, []int32{1, 2, 3}).Scan(&count))
		equal(t, count, 2)
	}
}

func TestPgxNamedArguments(t *testing.T) {
	door := connect(t, "SQL_DOOR")
	var sum int
	must(t, door.QueryRow(background, "SELECT @a::int + @b::int", pgx.NamedArgs{"a": 40, "b": 2}).Scan(&sum))
	equal(t, sum, 42)
}

func TestPgxBatch(t *testing.T) {
	newTable(t, "pgx_batch", "id int, name text")
	door := connect(t, "SQL_DOOR")
	batch := &pgx.Batch{}
	for i := range 50 {
		batch.Queue("INSERT INTO pgx_batch VALUES ($1, $2)", i, fmt.Sprintf("name %d", i))
	}
	var count int
	batch.Queue("SELECT count(*) FROM pgx_batch").QueryRow(func(row pgx.Row) error { return row.Scan(&count) })
	must(t, door.SendBatch(background, batch).Close())
	equal(t, count, 50)

	broken := &pgx.Batch{}
	broken.Queue("INSERT INTO pgx_batch VALUES (100, 'gone')")
	broken.Queue("SELECT 'x'::int")
	if err := door.SendBatch(background, broken).Close(); err == nil {
		t.Fatal("a batch with a bad statement went through")
	}
	must(t, door.QueryRow(background, "SELECT count(*) FROM pgx_batch").Scan(&count))
	equal(t, count, 50)
}

func TestPgxCopyFrom(t *testing.T) {
	newTable(t, "pgx_copy", "id int, name text, price numeric(10,2), seen timestamptz")
	door := connect(t, "SQL_DOOR")
	seen := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	copied, err := door.CopyFrom(background, pgx.Identifier{"pgx_copy"}, []string{"id", "name", "price", "seen"},
		pgx.CopyFromSlice(3000, func(i int) ([]any, error) { return []any{i, fmt.Sprintf("name %d", i), "2.25", seen}, nil }))
	must(t, err)
	equal(t, copied, 3000)
	var count int
	must(t, door.QueryRow(background, "SELECT count(*) FROM pgx_copy WHERE price = 2.25 AND seen = $1", seen).Scan(&count))
	equal(t, count, 3000)
}

func TestPgxCopyTo(t *testing.T) {
	door := connect(t, "SQL_DOOR")
	file, err := os.CreateTemp(t.TempDir(), "out")
	must(t, err)
	tag, err := door.PgConn().CopyTo(background, file, "COPY (SELECT i FROM range(3) AS t(i)) TO STDOUT")
	must(t, err)
	equal(t, tag.String(), "COPY 3")
	text, err := os.ReadFile(file.Name())
	must(t, err)
	equal(t, string(text), "0\n1\n2\n")
}

func TestPgxTransactions(t *testing.T) {
	newTable(t, "pgx_ledger", "id int")
	door := connect(t, "SQL_DOOR")
	changedMind := errors.New("changed my mind")
	err := pgx.BeginTxFunc(background, door, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		_, err := tx.Exec(background, "INSERT INTO pgx_ledger VALUES (1)")
		must(t, err)
		return changedMind
	})
	equal(t, errors.Is(err, changedMind), true)
	must(t, pgx.BeginFunc(background, door, func(tx pgx.Tx) error {
		_, err := tx.Exec(background, "INSERT INTO pgx_ledger VALUES (2)")
		return err
	}))
	var ids []int32
	must(t, door.QueryRow(background, "SELECT array_agg(id) FROM pgx_ledger").Scan(&ids))
	equal(t, fmt.Sprint(ids), "[2]")
}

func TestPgxPipeline(t *testing.T) {
	door := connect(t, "SQL_DOOR")
	pipeline := door.PgConn().StartPipeline(background)
	for i := range 20 {
		pipeline.SendQueryParams("SELECT $1::int * 2", [][]byte{[]byte(fmt.Sprint(i))}, []uint32{pgtype.Int4OID}, nil, nil)
	}
	must(t, pipeline.Sync())
	for i := range 20 {
		results, err := pipeline.GetResults()
		must(t, err)
		result := results.(*pgconn.ResultReader).Read()
		must(t, result.Err)
		equal(t, string(result.Rows[0][0]), fmt.Sprint(i*2))
	}
	must(t, pipeline.Close())
}

func TestPgxErrors(t *testing.T) {
	door := connect(t, "SQL_DOOR")
	for query, state := range map[string]string{
		"SELEC 1": "42601", "SELECT * FROM no_such_table": "42P01", "SELECT nothing": "42703", "SELECT 'x'::int": "22P02",
	} {
		for _, mode := range modes {
			_, err := door.Exec(background, query, mode)
			var answer *pgconn.PgError
			if !errors.As(err, &answer) || answer.Code != state {
				t.Errorf("%s in mode %v: %v", query, mode, err)
			}
		}
	}
	ctx, cancel := context.WithTimeout(background, 300*time.Millisecond)
	defer cancel()
	_, err := door.Exec(ctx, "SELECT count(*) FROM range(100000000000) AS t(i) WHERE i % 7 = 3")
	equal(t, errors.Is(err, context.DeadlineExceeded), true)
}

func TestPgxLargeResult(t *testing.T) {
	door := connect(t, "SQL_DOOR")
	rows, err := door.Query(background, "SELECT i, 'row ' || i FROM range(200000) AS t(i)")
	must(t, err)
	var id, total int64
	var text string
	_, err = pgx.ForEachRow(rows, []any{&id, &text}, func() error { total += id; return nil })
	must(t, err)
	equal(t, total, 200000*199999/2)
}

func TestPgxPool(t *testing.T) {
	pool, err := pgxpool.New(background, os.Getenv("SQL_DOOR")+"&pool_max_conns=4")
	must(t, err)
	defer pool.Close()
	var group sync.WaitGroup
	wrong := make(chan string, 40)
	for i := range 40 {
		group.Add(1)
		go func() {
			defer group.Done()
			var twice int
			if err := pool.QueryRow(background, "SELECT $1::int * 2", i).Scan(&twice); err != nil || twice != 2*i {
				wrong <- fmt.Sprintf("%d: %d, %v", i, twice, err)
			}
		}()
	}
	group.Wait()
	close(wrong)
	for message := range wrong {
		t.Error(message)
	}
}
