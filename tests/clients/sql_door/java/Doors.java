import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import org.postgresql.util.PGobject;

/** The SQL door, and the PostgreSQL that it is compared with: URLs that the runner sets in the environment. */
final class Doors {
    private Doors() {}

    /** A connection; options are "name=value". */
    static Connection connect(String door, String... options) throws SQLException {
        URI url = URI.create(System.getenv(door));
        String[] user = url.getUserInfo().split(":");
        Properties properties = new Properties();
        properties.setProperty("user", user[0]);
        properties.setProperty("password", user[1]);
        properties.setProperty("sslmode", "require");
        for (String option : options) {
            String[] parts = option.split("=");
            properties.setProperty(parts[0], parts[1]);
        }
        Connection connection =
                DriverManager.getConnection("jdbc:postgresql://" + url.getHost() + ":" + url.getPort() + url.getPath(), properties);
        execute(connection, "SET TIME ZONE 'UTC'");
        return connection;
    }

    static void execute(Connection connection, String... statements) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String text : statements) statement.execute(text);
        }
    }

    /** A table of the lake, made anew. */
    static void newTable(Connection connection, String name, String columns) throws SQLException {
        execute(connection, "DROP TABLE IF EXISTS " + name, "CREATE TABLE " + name + " (" + columns + ")");
    }

    /** The first column of a query's rows. */
    static List<Object> column(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(query)) {
            List<Object> values = new ArrayList<>();
            while (rows.next()) values.add(rows.getObject(1));
            return values;
        }
    }

    static void assertColumn(Connection connection, String query, Object... expected) throws SQLException {
        assertEquals(Arrays.asList(expected), column(connection, query));
    }

    /** A value as text that is the same for equal values. */
    static String show(Object value) throws SQLException {
        if (value == null) return "null";
        if (value instanceof byte[] bytes) return "bytes " + Arrays.toString(bytes);
        if (value instanceof java.sql.Array array) return "array " + show(array.getArray());
        if (value instanceof PGobject object) return object.getClass().getSimpleName() + " " + object.getValue();
        if (value instanceof java.sql.Timestamp timestamp) return "timestamp " + timestamp;
        if (value instanceof Object[] values) {
            List<String> shown = new ArrayList<>();
            for (Object each : values) shown.add(show(each));
            return shown.toString();
        }
        return value.getClass().getSimpleName() + " " + value;
    }
}
