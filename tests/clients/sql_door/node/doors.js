// The SQL door, the PostgreSQL that it is compared with, and the table of values that all drivers read.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { Client, types } = require('pg');

// The certificate is the box's own.
function settings(name, more = {}) {
  return { connectionString: process.env[name].replace('sslmode=require', 'sslmode=no-verify'), ...more };
}

// An open client, closed when the test `t` ends.
async function connect(t, name = 'SQL_DOOR', more = {}) {
  const client = new Client(settings(name, more));
  await client.connect();
  t.after(() => client.end());
  await client.query("SET TIME ZONE 'UTC'");
  return client;
}

// A table of the lake that is dropped when the test `t` ends.
async function newTable(t, name, columns) {
  const client = new Client(settings('SQL_DOOR'));
  await client.connect();
  await client.query(`CREATE TABLE ${name} (${columns})`);
  t.after(async () => {
    await client.query(`DROP TABLE ${name}`);
    await client.end();
  });
}

function selectAll(expressions, type) {
  return `SELECT ${[...expressions, 'NULL'].map((value, i) => `(${value})::${type} AS c${i}`).join(', ')}`;
}

// Each case of values.json: its type, the statements that give its values, whether a table can have it.
function cases() {
  const table = JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'values.json'), 'utf8'));
  return table.map(({ type, postgres = type, values, door = values, lake = true, special = '' }) => ({
    type, postgres, lake, special, fromDoor: selectAll(door, type), fromPostgres: selectAll(values, postgres),
  }));
}

// Every value as the text that came, so that dates keep their microseconds and numbers their digits.
const asText = { types: { getTypeParser: () => (value) => value } };

module.exports = { asText, cases, connect, newTable, settings, types };
