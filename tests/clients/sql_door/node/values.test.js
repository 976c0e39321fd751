// node-postgres: the table of values, compared with what node-postgres makes of PostgreSQL's.
'use strict';

const assert = require('node:assert');
const { test } = require('node:test');
const { asText, cases, connect, newTable } = require('./doors.js');

// A client's own value of a column, as it is sent again.
function parameter({ postgres }, value) {
  const isJson = postgres === 'json' && value !== null;
  return isJson ? JSON.stringify(value) : value;
}

for (const binary of [false, true]) {
  test(`results in ${binary ? 'binary' : 'text'}`, async (t) => {
    const door = await connect(t, 'SQL_DOOR', { binary });
    const postgres = await connect(t, 'POSTGRES', { binary });
    for (const each of cases()) {
      // An empty list of values makes node-postgres prepare, which alone gives binary results.
      const mine = await door.query({ text: each.fromDoor, values: [], rowMode: 'array' });
      const right = await postgres.query({ text: each.fromPostgres, values: [], rowMode: 'array' });
      assert.deepStrictEqual(mine.rows, right.rows, each.type);
      if (each.type === 'varchar(20)') continue; // DuckDB has one type of text, and calls it text
      const numbers = (result) => result.fields.map((field) => field.dataTypeID);
      assert.deepStrictEqual(numbers(mine), numbers(right), each.type);
    }
  });
}

test('parameters as the text that PostgreSQL writes', async (t) => {
  const door = await connect(t, 'SQL_DOOR', asText);
  const postgres = await connect(t, 'POSTGRES', asText);
  for (const each of cases()) {
    const right = await postgres.query({ text: each.fromPostgres, rowMode: 'array' });
    for (const value of right.rows[0]) {
      const mine = await door.query({ text: `SELECT $1::${each.type}`, values: [value], rowMode: 'array' });
      assert.strictEqual(mine.rows[0][0], value, each.type);
    }
  }
});

test("parameters as JavaScript's own values", async (t) => {
  const door = await connect(t);
  const postgres = await connect(t, 'POSTGRES');
  for (const each of cases()) {
    if (/bytea\[\]|json\[\]|interval\[\]/.test(each.postgres)) continue; // node-postgres cannot write what it has read
    const right = await postgres.query({ text: each.fromPostgres, rowMode: 'array' });
    for (const value of right.rows[0]) {
      const question = { text: `SELECT $1::${each.type}`, values: [parameter(each, value)], rowMode: 'array' };
      const mine = await door.query(question);
      assert.deepStrictEqual(mine.rows[0][0], value, each.type);
    }
  }
});

test('a row of every type', async (t) => {
  const stored = cases().filter((each) => each.lake);
  await newTable(t, 'node_values', stored.map((each, i) => `c${i} ${each.type}`).join(', '));
  const door = await connect(t, 'SQL_DOOR', asText);
  const postgres = await connect(t, 'POSTGRES', asText);
  const row = [];
  for (const each of stored) {
    const right = await postgres.query({ text: each.fromPostgres, rowMode: 'array' });
    row.push(right.rows[0][0]);
  }
  await door.query(`INSERT INTO node_values VALUES (${row.map((_, i) => `$${i + 1}`).join(', ')})`, row);
  const mine = await door.query({ text: 'SELECT * FROM node_values', rowMode: 'array' });
  stored.forEach((each, i) => assert.strictEqual(mine.rows[0][i], row[i], each.type));
});
