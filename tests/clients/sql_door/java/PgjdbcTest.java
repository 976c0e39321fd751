import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/** pgjdbc in its own idiom. */
class PgjdbcTest {
    @ParameterizedTest
    @ValueSource(strings = {"false", "true"})
    void batches(String rewrite) throws Exception {
        try (Connection door = Doors.connect("SQL_DOOR", "reWriteBatchedInserts=" + rewrite)) {
            Doors.newTable(door, "jdbc_batch", "id int, name text, seen timestamptz");
            try (PreparedStatement insert = door.prepareStatement("INSERT INTO jdbc_batch VALUES (?, ?, ?)")) {
                for (int i = 0; i < 100; i++) {
                    insert.setInt(1, i);
                    insert.setString(2, i % 10 == 0 ? null : "name " + i);
                    insert.setObject(3, OffsetDateTime.of(2024, 1, 1, 0, 0, i % 60, 0, ZoneOffset.ofHours(2)));
                    insert.addBatch();
                }
                int[] counts = insert.executeBatch();
                assertEquals(100, counts.length);
                // A rewritten batch says SUCCESS_NO_INFO for each of its rows.
                assertEquals(rewrite.equals("true") ? Statement.SUCCESS_NO_INFO : 1, counts[0]);
            }
            Doors.assertColumn(door, "SELECT count(*) FROM jdbc_batch WHERE name IS NOT NULL", 90L);
            try (Statement statement = door.createStatement()) {
                statement.addBatch("DELETE FROM jdbc_batch WHERE id < 50");
                statement.addBatch("UPDATE jdbc_batch SET name = 'x' WHERE id < 60");
                assertArrayEquals(new int[] {50, 10}, statement.executeBatch());
            }
            Doors.execute(door, "DROP TABLE jdbc_batch");
        }
    }

    @Test
    void fetchSize() throws Exception {
        try (Connection door = Doors.connect("SQL_DOOR")) {
            door.setAutoCommit(false);
            try (PreparedStatement query = door.prepareStatement("SELECT i, 'row ' || i FROM range(10000) AS t(i) WHERE i >= ? ORDER BY i")) {
                query.setFetchSize(300);
                query.setLong(1, 10);
                ResultSet rows = query.executeQuery();
                for (long i = 10; i < 10000; i++) {
                    assertTrue(rows.next());
                    assertEquals(i, rows.getLong(1));
                }
                assertFalse(rows.next());
                query.setMaxRows(7);
                rows = query.executeQuery();
                int count = 0;
                while (rows.next()) count++;
                assertEquals(7, count);
            }
            door.commit();
        }
    }

    @Test
    void scrollableResults() throws Exception {
        try (Connection door = Doors.connect("SQL_DOOR");
                Statement statement = door.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY)) {
            ResultSet rows = statement.executeQuery("SELECT i FROM range(10) AS t(i) ORDER BY i");
            assertTrue(rows.last());
            assertEquals(10, rows.getRow());
            assertTrue(rows.absolute(3));
            assertEquals(2, rows.getLong(1));
            assertTrue(rows.previous());
            assertEquals(1, rows.getLong(1));
            assertTrue(rows.relative(5));
            assertEquals(6, rows.getLong(1));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"prepareThreshold=1", "prepareThreshold=5", "prepareThreshold=-1", "preferQueryMode=simple",
            "preferQueryMode=extendedForPrepared", "preferQueryMode=extendedCacheEverything"})
    void everyWayToSend(String option) throws Exception {
        try (Connection door = Doors.connect("SQL_DOOR", option)) {
            Doors.newTable(door, "jdbc_modes", "b boolean, s smallint, i int, l bigint, f real, d double precision, n numeric(12,3), "
                    + "t text, y bytea, da date, ti time, ts timestamp, tz timestamptz, u uuid, a int[]");
            UUID uuid = UUID.fromString("f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
            LocalDateTime noon = LocalDateTime.of(2024, 2, 29, 12, 34, 56, 789_012_000);
            for (int round = 0; round < 7; round++) {
                try (PreparedStatement insert = door.prepareStatement(
                        "INSERT INTO jdbc_modes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
                    insert.setBoolean(1, true);
                    insert.setShort(2, (short) -7);
                    insert.setInt(3, round);
                    insert.setLong(4, 1L << 40);
                    insert.setFloat(5, 1.5f);
                    insert.setDouble(6, -0.1);
                    insert.setBigDecimal(7, new BigDecimal("123.450"));
                    insert.setString(8, "it's \\ text");
                    insert.setBytes(9, new byte[] {0, -1, 39, 92});
                    insert.setObject(10, noon.toLocalDate());
                    insert.setObject(11, noon.toLocalTime());
                    insert.setObject(12, noon);
                    insert.setObject(13, noon.atOffset(ZoneOffset.ofHours(5)));
                    insert.setObject(14, uuid);
                    insert.setArray(15, door.createArrayOf("int4", new Integer[] {1, null, 3}));
                    assertEquals(1, insert.executeUpdate());
                }
                try (PreparedStatement query = door.prepareStatement("SELECT * FROM jdbc_modes WHERE i = ? AND t = ? AND da < ?")) {
                    query.setInt(1, round);
                    query.setString(2, "it's \\ text");
                    query.setDate(3, java.sql.Date.valueOf("2024-03-01"));
                    ResultSet row = query.executeQuery();
                    assertTrue(row.next());
                    assertTrue(row.getBoolean("b"));
                    assertEquals(-7, row.getShort("s"));
                    assertEquals(1L << 40, row.getLong("l"));
                    assertEquals(1.5f, row.getFloat("f"));
                    assertEquals(-0.1, row.getDouble("d"));
                    assertEquals(new BigDecimal("123.450"), row.getBigDecimal("n"));
                    assertArrayEquals(new byte[] {0, -1, 39, 92}, row.getBytes("y"));
                    assertEquals(noon.toLocalDate(), row.getObject("da", LocalDate.class));
                    assertEquals(noon.toLocalTime(), row.getObject("ti", LocalTime.class));
                    assertEquals(noon, row.getObject("ts", LocalDateTime.class));
                    assertEquals(noon.atOffset(ZoneOffset.ofHours(5)).toInstant(), row.getObject("tz", OffsetDateTime.class).toInstant());
                    assertEquals(uuid, row.getObject("u"));
                    assertEquals(Arrays.asList(1, null, 3), Arrays.asList((Object[]) row.getArray("a").getArray()));
                    assertFalse(row.next());
                }
            }
            Doors.execute(door, "DROP TABLE jdbc_modes");
        }
    }

    @Test
    void transactionsAndIsolation() throws Exception {
        try (Connection door = Doors.connect("SQL_DOOR")) {
            Doors.newTable(door, "jdbc_ledger", "id int");
            door.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            assertEquals(Connection.TRANSACTION_REPEATABLE_READ, door.getTransactionIsolation());
            door.setAutoCommit(false);
            Doors.execute(door, "INSERT INTO jdbc_ledger VALUES (1)");
            door.rollback();
            Doors.execute(door, "INSERT INTO jdbc_ledger VALUES (2)");
            door.commit();
            Doors.assertColumn(door, "SELECT id FROM jdbc_ledger", 2);
            door.rollback();
            door.setReadOnly(true);
            Doors.assertColumn(door, "SELECT 1", 1);
            door.rollback();
            door.setReadOnly(false);
            SQLException error = assertThrows(SQLException.class, () -> Doors.execute(door, "SELECT nothing"));
            assertEquals("42703", error.getSQLState());
            error = assertThrows(SQLException.class, () -> Doors.execute(door, "SELECT 1"));
            assertEquals("25P02", error.getSQLState());
            door.rollback();
            door.setAutoCommit(true);
            Doors.execute(door, "DROP TABLE jdbc_ledger");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"autosave=always", "autosave=conservative"})
    void autosave(String option) throws Exception {
        try (Connection door = Doors.connect("SQL_DOOR", option)) {
            door.setAutoCommit(false);
            Doors.assertColumn(door, "SELECT 1", 1);
            assertThrows(SQLException.class, () -> Doors.execute(door, "SELECT nothing"));
            if (option.endsWith("always")) Doors.assertColumn(door, "SELECT 2", 2);
            door.rollback();
        }
    }

    @Test
    void savepoints() throws Exception {
        try (Connection door = Doors.connect("SQL_DOOR")) {
            door.setAutoCommit(false);
            Savepoint savepoint = door.setSavepoint("here");
            Doors.assertColumn(door, "SELECT 1", 1);
            door.rollback(savepoint);
            door.releaseSavepoint(savepoint);
            door.commit();
        }
    }

    @Test
    void copies() throws Exception {
        try (Connection door = Doors.connect("SQL_DOOR")) {
            Doors.newTable(door, "jdbc_copy", "id int, name text");
            CopyManager copies = door.unwrap(PGConnection.class).getCopyAPI();
            assertEquals(2, copies.copyIn("COPY jdbc_copy FROM STDIN (FORMAT csv)", new StringReader("1,one\n2,\"two, or so\"\n")));
            StringWriter out = new StringWriter();
            assertEquals(2, copies.copyOut("COPY (SELECT * FROM jdbc_copy ORDER BY id) TO STDOUT (FORMAT csv, HEADER)", out));
            assertEquals("id,name\n1,one\n2,\"two, or so\"\n", out.toString());
            Doors.execute(door, "DROP TABLE jdbc_copy");
        }
    }

    @Test
    void timestampsInZones() throws Exception {
        try (Connection door = Doors.connect("SQL_DOOR"); PreparedStatement query = door.prepareStatement("SELECT ?::timestamptz, ?::timestamp")) {
            Doors.execute(door, "SET TIME ZONE 'Asia/Kathmandu'");
            java.sql.Timestamp instant = java.sql.Timestamp.from(java.time.Instant.parse("2024-07-01T12:00:00.123456Z"));
            query.setTimestamp(1, instant);
            query.setTimestamp(2, java.sql.Timestamp.valueOf("2024-07-01 12:00:00.5"));
            ResultSet row = query.executeQuery();
            row.next();
            assertEquals(instant, row.getTimestamp(1));
            assertEquals(java.sql.Timestamp.valueOf("2024-07-01 12:00:00.5"), row.getTimestamp(2));
            Doors.assertColumn(door, "SELECT '2024-07-01 12:00:00+00'::timestamptz::text", "2024-07-01 17:45:00+05:45");
        }
    }

    @Test
    void describes() throws Exception {
        try (Connection door = Doors.connect("SQL_DOOR")) {
            Doors.newTable(door, "jdbc_described", "id int, price numeric(10,2), tags text[]");
            try (PreparedStatement query = door.prepareStatement("SELECT id, price, tags FROM jdbc_described WHERE price > ? AND id = ?")) {
                assertEquals(3, query.getMetaData().getColumnCount());
                assertEquals("int4", query.getMetaData().getColumnTypeName(1));
                assertEquals(10, query.getMetaData().getPrecision(2));
                assertEquals(2, query.getMetaData().getScale(2));
                assertEquals("numeric", query.getParameterMetaData().getParameterTypeName(1));
                assertEquals("int4", query.getParameterMetaData().getParameterTypeName(2));
            }
            Doors.execute(door, "DROP TABLE jdbc_described");
        }
    }

    @Test
    void cancels() throws Exception {
        try (Connection door = Doors.connect("SQL_DOOR"); Statement statement = door.createStatement()) {
            statement.setQueryTimeout(3);  // seconds; it cancels once, and the statement must have begun
            SQLException error = assertThrows(SQLException.class,
                    () -> statement.executeQuery("SELECT count(*) FROM range(100000000000) AS t(i) WHERE i % 7 = 3"));
            assertEquals("57014", error.getSQLState());
            Doors.assertColumn(door, "SELECT 1", 1);
        }
    }
}
