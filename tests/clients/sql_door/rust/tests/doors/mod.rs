//! The SQL door, the PostgreSQL that it is compared with, and the table of values that all drivers read.
#![allow(dead_code)] // each test program uses its part

use bytes::BytesMut;
use std::error::Error;
use tokio_postgres::types::{to_sql_checked, FromSql, IsNull, ToSql, Type};
use tokio_postgres::{Client, NoTls};

pub async fn connect(name: &str) -> Client {
    let url = std::env::var(name).expect("the runner sets SQL_DOOR and POSTGRES");
    let url = url.replace("sslmode=require", "sslmode=disable");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("SET TIME ZONE 'UTC'").await.unwrap();
    client
}

/// A table of the lake, made anew.
pub async fn new_table(client: &Client, name: &str, columns: &str) {
    client.batch_execute(&format!("DROP TABLE IF EXISTS {name}; CREATE TABLE {name} ({columns})")).await.unwrap();
}

/// A line of values.json: a type and the statements whose one row has its values and a NULL.
pub struct Case {
    pub type_name: String,
    pub postgres: String,
    pub lake: bool,
    pub from_door: String,
    pub from_postgres: String,
}

fn select_all(expressions: &serde_json::Value, type_name: &str) -> String {
    let values = expressions.as_array().unwrap().iter().map(|value| value.as_str().unwrap());
    let columns: Vec<_> = values.chain(["NULL"]).map(|value| format!("({value})::{type_name}")).collect();
    format!("SELECT {}", columns.join(", "))
}

pub fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string("../values.json").unwrap();
    let table: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let case = |entry: &serde_json::Value| {
        let type_name = entry["type"].as_str().unwrap();
        let postgres = entry["postgres"].as_str().unwrap_or(type_name);
        let door = entry.get("door").unwrap_or(&entry["values"]);
        Case {
            type_name: type_name.to_string(),
            postgres: postgres.to_string(),
            lake: entry["lake"].as_bool().unwrap_or(true),
            from_door: select_all(door, type_name),
            from_postgres: select_all(&entry["values"], postgres),
        }
    };
    table.iter().map(case).collect()
}

/// A value of any type as the bytes of its binary format.
#[derive(Debug, Clone, PartialEq)]
pub struct Raw(pub Vec<u8>);

impl FromSql<'_> for Raw {
    fn from_sql(_: &Type, bytes: &[u8]) -> Result<Raw, Box<dyn Error + Sync + Send>> {
        Ok(Raw(bytes.to_vec()))
    }
    fn accepts(_: &Type) -> bool {
        true
    }
}

impl ToSql for Raw {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }
    fn accepts(_: &Type) -> bool {
        true
    }
    to_sql_checked!();
}
