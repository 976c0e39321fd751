//! tokio-postgres in its own idiom: typed rows, named types, pipelines, portals, transactions, COPY, cancel.

mod doors;
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use doors::{connect, new_table};
use futures_util::{future, pin_mut, SinkExt, StreamExt, TryStreamExt};
use rust_decimal::Decimal;
use tokio_postgres::binary_copy::{BinaryCopyInWriter, BinaryCopyOutStream};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{IsolationLevel, NoTls};
use uuid::Uuid;

#[tokio::test]
async fn typed_rows() {
    let door = connect("SQL_DOOR").await;
    let columns = "id int, big bigint, half float8, price numeric(10,2), name text, raw bytea, born date, \
                   seen timestamptz, tag uuid, more json, numbers int[], words text[]";
    new_table(&door, "rust_rows", columns).await;
    let (born, seen) = (NaiveDate::from_ymd_opt(1815, 12, 10), DateTime::<Utc>::from_timestamp(1709210215, 250_000_000));
    let (price, tag, more) = (Decimal::new(1234, 2), Uuid::from_u128(7), serde_json::json!({"a": [1, null]}));
    let (numbers, words) = (vec![Some(1), None], vec!["a".to_string(), "b,c".to_string()]);
    let insert = "INSERT INTO rust_rows VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let added = door
        .execute(insert, &[&1i32, &(1i64 << 40), &1.5f64, &price, &"Ada", &&b"\x00\xff"[..], &born, &seen, &tag, &more, &numbers, &words])
        .await;
    assert_eq!(added.unwrap(), 1);
    let row = door.query_one("SELECT * FROM rust_rows WHERE id = $1 AND name = $2", &[&1i32, &"Ada"]).await.unwrap();
    assert_eq!((row.get::<_, i32>("id"), row.get::<_, i64>("big"), row.get::<_, f64>("half")), (1, 1 << 40, 1.5));
    assert_eq!((row.get::<_, Decimal>("price"), row.get::<_, Vec<u8>>("raw")), (price, vec![0, 255]));
    assert_eq!((row.get::<_, Option<NaiveDate>>("born"), row.get::<_, Option<DateTime<Utc>>>("seen")), (born, seen));
    assert_eq!((row.get::<_, Uuid>("tag"), row.get::<_, serde_json::Value>("more")), (tag, more));
    assert_eq!((row.get::<_, Vec<Option<i32>>>("numbers"), row.get::<_, Vec<String>>("words")), (numbers, words));
    door.batch_execute("DROP TABLE rust_rows").await.unwrap();
}

#[tokio::test]
async fn statements_describe_themselves() {
    let door = connect("SQL_DOOR").await;
    let statement = door.prepare_typed("SELECT $1 + 1 AS next, $2::text AS word", &[Type::INT4]).await.unwrap();
    assert_eq!(statement.params(), [Type::INT4, Type::TEXT]);
    let columns: Vec<_> = statement.columns().iter().map(|column| (column.name(), column.type_().clone())).collect();
    assert_eq!(columns, [("next", Type::INT4), ("word", Type::TEXT)]);
    let row = door.query_one(&statement, &[&41i32, &"x"]).await.unwrap();
    assert_eq!((row.get::<_, i32>(0), row.get::<_, String>(1)), (42, "x".to_string()));
    let rows = door.query_typed("SELECT $1::int * 2", &[(&21i32, Type::INT4)]).await.unwrap();
    assert_eq!(rows[0].get::<_, i32>(0), 42);
}

#[tokio::test]
async fn queries_are_pipelined() {
    let door = connect("SQL_DOOR").await;
    let twice = door.prepare("SELECT $1::int * 2").await.unwrap();
    let numbers: Vec<i32> = (0..50).collect();
    let answers = future::try_join_all(numbers.iter().map(|number| async {
        door.query_one(&twice, &[number]).await.map(|row| row.get::<_, i32>(0))
    }));
    assert_eq!(answers.await.unwrap(), numbers.iter().map(|number| number * 2).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_portal_gives_rows_in_portions() {
    let mut door = connect("SQL_DOOR").await;
    let transaction = door.transaction().await.unwrap();
    let portal = transaction.bind("SELECT i::int FROM range(250) AS t(i) ORDER BY i", &[]).await.unwrap();
    for expected in [0..100, 100..200, 200..250] {
        let rows = transaction.query_portal(&portal, 100).await.unwrap();
        let numbers: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(numbers, expected.collect::<Vec<_>>());
    }
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn transactions() {
    let mut door = connect("SQL_DOOR").await;
    new_table(&door, "rust_ledger", "id int").await;
    let transaction = door.build_transaction().isolation_level(IsolationLevel::RepeatableRead).start().await.unwrap();
    transaction.execute("INSERT INTO rust_ledger VALUES (1)", &[]).await.unwrap();
    transaction.rollback().await.unwrap();
    let transaction = door.transaction().await.unwrap();
    transaction.execute("INSERT INTO rust_ledger VALUES (2)", &[]).await.unwrap();
    transaction.commit().await.unwrap();
    let rows = door.query("SELECT id FROM rust_ledger", &[]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<i32>>(), [2]);
    door.batch_execute("DROP TABLE rust_ledger").await.unwrap();
}

#[tokio::test]
async fn rows_are_copied_as_text() {
    let door = connect("SQL_DOOR").await;
    new_table(&door, "rust_copy", "id int, name text").await;
    let sink = door.copy_in("COPY rust_copy FROM STDIN").await.unwrap();
    pin_mut!(sink);
    for line in ["1\tone\n", "2\t\\N\n"] {
        sink.send(Bytes::from(line)).await.unwrap();
    }
    assert_eq!(sink.finish().await.unwrap(), 2);
    let chunks = door.copy_out("COPY (SELECT * FROM rust_copy ORDER BY id) TO STDOUT").await.unwrap();
    let bytes: Vec<Bytes> = chunks.try_collect().await.unwrap();
    assert_eq!(bytes.concat(), b"1\tone\n2\t\\N\n");
    door.batch_execute("DROP TABLE rust_copy").await.unwrap();
}

#[tokio::test]
async fn rows_are_copied_in_binary() {
    let door = connect("SQL_DOOR").await;
    new_table(&door, "rust_binary", "id int, name text, raw bytea").await;
    let types = [Type::INT4, Type::TEXT, Type::BYTEA];
    let writer = BinaryCopyInWriter::new(door.copy_in("COPY rust_binary FROM STDIN BINARY").await.unwrap(), &types);
    pin_mut!(writer);
    writer.as_mut().write(&[&1i32, &"one", &&b"\x00"[..]]).await.unwrap();
    writer.as_mut().write(&[&2i32, &None::<&str>, &None::<&[u8]>]).await.unwrap();
    assert_eq!(writer.finish().await.unwrap(), 2);
    let out = door.copy_out("COPY (SELECT * FROM rust_binary ORDER BY id) TO STDOUT (FORMAT binary)").await.unwrap();
    let rows: Vec<_> = BinaryCopyOutStream::new(out, &types).map(|row| row.unwrap()).collect().await;
    let seen: Vec<(i32, Option<&str>, Option<&[u8]>)> = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    assert_eq!(seen, [(1, Some("one"), Some(&b"\x00"[..])), (2, None, None)]);
    door.batch_execute("DROP TABLE rust_binary").await.unwrap();
}

#[tokio::test]
async fn errors_have_their_state() {
    let door = connect("SQL_DOOR").await;
    for (statement, state) in [
        ("SELEC 1", SqlState::SYNTAX_ERROR),
        ("SELECT * FROM no_such_table", SqlState::UNDEFINED_TABLE),
        ("SELECT nothing", SqlState::UNDEFINED_COLUMN),
    ] {
        assert_eq!(door.query(statement, &[]).await.unwrap_err().code(), Some(&state), "{statement}");
    }
}

#[tokio::test]
async fn a_statement_is_cancelled() {
    let door = connect("SQL_DOOR").await;
    let token = door.cancel_token();
    let mut long = Box::pin(door.query("SELECT count(*) FROM range(100000000000) AS t(i) WHERE i % 7 = 3", &[]));
    let answer = loop {
        tokio::select! {
            answer = &mut long => break answer,
            // The first may come before the statement has begun.
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => token.cancel_query(NoTls).await.unwrap(),
        }
    };
    assert_eq!(answer.unwrap_err().code(), Some(&SqlState::QUERY_CANCELED));
    assert_eq!(door.query_one("SELECT 1", &[]).await.unwrap().get::<_, i32>(0), 1);
}
