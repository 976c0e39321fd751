//! tokio-postgres: the table of values in the binary format that it always speaks, byte for byte, and in text.

mod doors;
use doors::{cases, connect, new_table, Raw};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, SimpleQueryMessage};

async fn row(client: &Client, statement: &str) -> Result<Vec<Option<Raw>>, String> {
    let row = client.query_one(statement, &[]).await.map_err(|error| format!("{statement}: {error:?}"))?;
    Ok((0..row.len()).map(|column| row.get(column)).collect())
}

async fn text_row(client: &Client, statement: &str) -> Vec<Option<String>> {
    let messages = client.simple_query(statement).await.unwrap();
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.flat_map(|row| (0..row.len()).map(|column| row.get(column).map(str::to_string))).collect()
}

#[tokio::test]
async fn results() {
    let (door, postgres) = (connect("SQL_DOOR").await, connect("POSTGRES").await);
    for case in cases() {
        assert_eq!(row(&door, &case.from_door).await, row(&postgres, &case.from_postgres).await.map_err(|_| "".into()));
        let mine = text_row(&door, &case.from_door).await;
        assert_eq!(mine, text_row(&postgres, &case.from_postgres).await, "{}", case.type_name);
    }
}

#[tokio::test]
async fn parameters() {
    let (door, postgres) = (connect("SQL_DOOR").await, connect("POSTGRES").await);
    for case in cases() {
        let statement = door.prepare(&format!("SELECT $1::{}", case.type_name)).await.unwrap();
        for value in row(&postgres, &case.from_postgres).await.unwrap() {
            let answer = door.query_one(&statement, &[&value]).await;
            let mine: Option<Raw> = answer.unwrap_or_else(|error| panic!("{}: {error:?}", case.type_name)).get(0);
            assert_eq!(mine, value, "{}", case.type_name);
        }
    }
}

#[tokio::test]
async fn a_row_of_every_type() {
    let (door, postgres) = (connect("SQL_DOOR").await, connect("POSTGRES").await);
    let (mut columns, mut places, mut values) = (vec![], vec![], vec![]);
    for (number, case) in cases().iter().filter(|case| case.lake).enumerate() {
        columns.push(format!("c{number} {}", case.type_name));
        places.push(format!("${}", number + 1));
        values.push(row(&postgres, &case.from_postgres).await.unwrap()[0].clone());
    }
    new_table(&door, "rust_values", &columns.join(", ")).await;
    let parameters: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
    let insert = format!("INSERT INTO rust_values VALUES ({})", places.join(", "));
    assert_eq!(door.execute(&insert, &parameters).await.unwrap(), 1);
    let stored = row(&door, "SELECT * FROM rust_values").await.unwrap();
    for (number, column) in columns.iter().enumerate() {
        assert_eq!(stored[number], values[number], "{column}");
    }
    door.batch_execute("DROP TABLE rust_values").await.unwrap();
}
