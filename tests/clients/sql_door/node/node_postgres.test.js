// node-postgres in its own idiom: prepared statements, cursors, streams, transactions, errors, a pool.
'use strict';

const assert = require('node:assert');
const { test } = require('node:test');
const { Pool } = require('pg');
const Cursor = require('pg-cursor');
const QueryStream = require('pg-query-stream');
const { connect, newTable, settings } = require('./doors.js');

test('rows are objects', async (t) => {
  await newTable(t, 'node_people', 'id int, name text, born date, tags text[], more json');
  const door = await connect(t);
  const added = await door.query('INSERT INTO node_people VALUES ($1, $2, $3, $4, $5), (2, NULL, NULL, NULL, NULL)',
    [1, "O'Hara", new Date(1990, 4, 17), ['a', 'b,c'], { x: [1, null] }]);
  assert.strictEqual(added.rowCount, 2);
  assert.strictEqual(added.command, 'INSERT');
  const { rows } = await door.query('SELECT * FROM node_people WHERE id = ANY($1) ORDER BY id', [[1, 2]]);
  assert.deepStrictEqual(rows, [
    { id: 1, name: "O'Hara", born: new Date(1990, 4, 17), tags: ['a', 'b,c'], more: { x: [1, null] } },
    { id: 2, name: null, born: null, tags: null, more: null },
  ]);
});

test('a named statement is prepared once', async (t) => {
  const door = await connect(t);
  for (const number of [1, 2, 3]) {
    const { rows } = await door.query({ name: 'twice', text: 'SELECT $1::int * 2 AS twice', values: [number] });
    assert.deepStrictEqual(rows, [{ twice: number * 2 }]);
  }
});

test('several statements in one text', async (t) => {
  const door = await connect(t);
  const results = await door.query('SELECT 1 AS one; SELECT 2 AS two');
  assert.deepStrictEqual(results.map((result) => result.rows), [[{ one: 1 }], [{ two: 2 }]]);
});

test('a cursor reads in portions, and may be closed early', async (t) => {
  const door = await connect(t);
  const cursor = door.query(new Cursor('SELECT i FROM range($1::bigint) AS t(i) ORDER BY i', [5000]));
  assert.strictEqual((await cursor.read(100)).length, 100);
  assert.deepStrictEqual((await cursor.read(1))[0], { i: '100' });
  await cursor.close();
  const whole = door.query(new Cursor('SELECT i FROM range(250) AS t(i)'));
  const sizes = [];
  for (let rows = await whole.read(100); rows.length > 0; rows = await whole.read(100)) sizes.push(rows.length);
  assert.deepStrictEqual(sizes, [100, 100, 50]);
});

test('a stream', async (t) => {
  const door = await connect(t);
  let total = 0;
  for await (const { i } of door.query(new QueryStream('SELECT i::int AS i FROM range(100000) AS t(i)', [], { batchSize: 1000 }))) total += i;
  assert.strictEqual(total, 100000 * 99999 / 2);
});

test('transactions', async (t) => {
  await newTable(t, 'node_ledger', 'id int');
  const door = await connect(t);
  await door.query('BEGIN');
  await door.query('INSERT INTO node_ledger VALUES (1)');
  await door.query('ROLLBACK');
  await door.query('BEGIN');
  await door.query('INSERT INTO node_ledger VALUES (2)');
  await assert.rejects(door.query('SELECT nothing'), { code: '42703' });
  await assert.rejects(door.query('SELECT 1'), { code: '25P02' });
  await door.query('ROLLBACK');
  assert.deepStrictEqual((await door.query('SELECT * FROM node_ledger')).rows, []);
});

test('errors say where and why', async (t) => {
  const door = await connect(t);
  await assert.rejects(door.query('SELECT 1 FROM no_such_table'), { code: '42P01', severity: 'ERROR' });
  await assert.rejects(door.query('SELECT $1::int', ['x']), { code: '22P02' });
  assert.deepStrictEqual((await door.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
});

test('a pool', async (t) => {
  const pool = new Pool(settings('SQL_DOOR', { max: 4 }));
  t.after(() => pool.end());
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => pool.query('SELECT $1::int * 2 AS twice', [i])));
  assert.deepStrictEqual(answers.map(({ rows }) => rows[0].twice), Array.from({ length: 40 }, (_, i) => i * 2));
});
