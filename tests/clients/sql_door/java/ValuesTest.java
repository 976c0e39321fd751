import static org.junit.jupiter.api.Assertions.assertEquals;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The table of values, compared with what pgjdbc makes of PostgreSQL's. A threshold of -1 makes pgjdbc speak binary at once. */
class ValuesTest {
    private static List<Object> row(Connection connection, String query) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(query); ResultSet rows = statement.executeQuery()) {
            rows.next();
            List<Object> values = new ArrayList<>();
            for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) values.add(rows.getObject(i));
            return values;
        }
    }

    private static String shown(List<Object> values) throws SQLException {
        return Doors.show(values.toArray());
    }

    @ParameterizedTest
    @ValueSource(strings = {"prepareThreshold=5", "prepareThreshold=-1"})
    void results(String threshold) throws Exception {
        List<String> wrong = new ArrayList<>();
        try (Connection door = Doors.connect("SQL_DOOR", threshold); Connection postgres = Doors.connect("POSTGRES", threshold)) {
            for (ValueTable.Case each : ValueTable.cases()) {
                String right = shown(row(postgres, each.fromPostgres()));
                String mine;
                try {
                    mine = shown(row(door, each.fromDoor()));
                } catch (SQLException error) {
                    mine = error.getMessage();
                }
                if (!mine.equals(right)) wrong.add(each.type() + ": " + mine + " instead of " + right);
            }
        }
        assertEquals(List.of(), wrong);
    }

    @ParameterizedTest
    @ValueSource(strings = {"prepareThreshold=5", "prepareThreshold=-1"})
    void parameters(String threshold) throws Exception {
        List<String> wrong = new ArrayList<>();
        try (Connection door = Doors.connect("SQL_DOOR", threshold); Connection postgres = Doors.connect("POSTGRES", threshold)) {
            for (ValueTable.Case each : ValueTable.cases()) {
                for (Object value : row(postgres, each.fromPostgres())) {
                    try (PreparedStatement statement = door.prepareStatement("SELECT ?::" + each.type())) {
                        statement.setObject(1, value);
                        ResultSet rows = statement.executeQuery();
                        rows.next();
                        String mine = Doors.show(rows.getObject(1));
                        if (!mine.equals(Doors.show(value))) wrong.add(each.type() + ": " + mine + " instead of " + Doors.show(value));
                    } catch (SQLException error) {
                        wrong.add(each.type() + " " + Doors.show(value) + ": " + error.getMessage());
                    }
                }
            }
        }
        assertEquals(List.of(), wrong);
    }

    @ParameterizedTest
    @ValueSource(strings = {"prepareThreshold=5", "prepareThreshold=-1"})
    void aRowOfEveryType(String threshold) throws Exception {
        try (Connection door = Doors.connect("SQL_DOOR", threshold); Connection postgres = Doors.connect("POSTGRES", threshold)) {
            List<String> columns = new ArrayList<>();
            List<Object> values = new ArrayList<>();
            for (ValueTable.Case each : ValueTable.cases()) {
                if (!each.lake()) continue;
                columns.add("c" + columns.size() + " " + each.type());
                values.add(row(postgres, each.fromPostgres()).get(0));
            }
            Doors.newTable(door, "jdbc_values", String.join(", ", columns));
            String places = "?" + ", ?".repeat(columns.size() - 1);
            try (PreparedStatement insert = door.prepareStatement("INSERT INTO jdbc_values VALUES (" + places + ")")) {
                for (int i = 0; i < values.size(); i++) insert.setObject(i + 1, values.get(i));
                assertEquals(1, insert.executeUpdate());
            }
            List<Object> stored = row(door, "SELECT * FROM jdbc_values");
            for (int i = 0; i < values.size(); i++) assertEquals(Doors.show(values.get(i)), Doors.show(stored.get(i)), columns.get(i));
            Doors.execute(door, "DROP TABLE jdbc_values");
        }
    }
}
