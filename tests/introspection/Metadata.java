import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Calls every method of pgjdbc's DatabaseMetaData, with every sensible kind of arguments, and prints what it answers: a line
 * "method(arguments)", then a line for each row. Arguments: URL, user, database. The password is in the environment.
 */
public final class Metadata {
    private static String database;

    private Metadata() {}

    public static void main(String[] arguments) throws Exception {
        database = arguments[2];
        try (Connection connection = DriverManager.getConnection(arguments[0], arguments[1], System.getenv("PASSWORD"))) {
            DatabaseMetaData metadata = connection.getMetaData();
            Method[] methods = DatabaseMetaData.class.getDeclaredMethods();
            Arrays.sort(methods, Comparator.comparing(Method::toString));
            for (Method method : methods) {
                if (method.getReturnType() == Connection.class) continue;
                for (Object[] each : argumentsOf(method)) print(metadata, method, each);
            }
        }
    }

    private static void print(DatabaseMetaData metadata, Method method, Object[] arguments) throws Exception {
        System.out.println("= " + method.getName() + show(arguments));
        try {
            Object answer = method.invoke(metadata, arguments);
            if (!(answer instanceof ResultSet rows)) {
                System.out.println(show(answer));
                return;
            }
            try (rows) {
                int columns = rows.getMetaData().getColumnCount();
                List<String> row = new ArrayList<>();
                for (int i = 1; i <= columns; i++) {
                    row.add(rows.getMetaData().getColumnLabel(i) + " " + rows.getMetaData().getColumnTypeName(i));
                }
                System.out.println(row);
                while (rows.next()) {
                    row.clear();
                    for (int i = 1; i <= columns; i++) row.add(show(rows.getObject(i)));
                    System.out.println(row);
                }
            }
        } catch (InvocationTargetException failure) {
            Throwable cause = failure.getCause();
            System.out.println(cause.getClass().getSimpleName() + (cause instanceof SQLException sql ? " " + sql.getSQLState() : ""));
        } catch (NullPointerException failure) {
            System.out.println("a result without descriptions of its columns"); // the driver's own, for a catalog that is ""
        }
    }

    /** Names of a catalog, a schema, a relation and a part of it; foreign keys' methods take the first three twice. */
    private static final String[][] NAMES = {
        {null, null, null, null}, {null, "public", "orders", "%"}, {"DATABASE", "shop", "items", "code"},
        {null, "%", "Mixed Case", null}, {null, "public", "open\\_orders", "c%"}, {null, "pg_catalog", "lower", "%"},
        {"", "public", "%", "%"}, {"elsewhere", "public", "orders", "%"},
    };

    private static List<Object[]> argumentsOf(Method method) {
        List<Object[]> all = new ArrayList<>();
        boolean hasNames = Arrays.asList(method.getParameterTypes()).contains(String.class);
        for (String[] names : hasNames ? NAMES : new String[][] {{}}) combine(method.getParameterTypes(), 0, 0, names, new ArrayList<>(), all);
        return all;
    }

    private static void combine(Class<?>[] types, int at, int strings, String[] names, List<Object> chosen, List<Object[]> all) {
        if (at == types.length) {
            all.add(chosen.toArray());
            return;
        }
        boolean isName = types[at] == String.class;
        for (Object value : isName ? new Object[] {name(names, strings, types.length)} : values(types[at])) {
            chosen.add(value);
            combine(types, at + 1, strings + (isName ? 1 : 0), names, chosen, all);
            chosen.remove(chosen.size() - 1);
        }
    }

    private static String name(String[] names, int position, int count) {
        String name = names[count == 6 ? position % 3 : position];
        return "DATABASE".equals(name) ? database : name;
    }

    private static Object[] values(Class<?> type) {
        if (type == int.class) {
            return new Object[] {0, 1, 2, 4, 8, 12, ResultSet.TYPE_FORWARD_ONLY, ResultSet.TYPE_SCROLL_SENSITIVE, ResultSet.CONCUR_UPDATABLE};
        }
        if (type == boolean.class) return new Object[] {true, false};
        if (type == String[].class) return new Object[] {null, new String[] {"TABLE"}, new String[] {"VIEW", "FOREIGN TABLE"}};
        if (type == int[].class) return new Object[] {null, new int[] {java.sql.Types.DISTINCT, java.sql.Types.STRUCT}};
        throw new IllegalArgumentException("no arguments of " + type);
    }

    private static String show(Object value) {
        if (value instanceof Object[] values) return Arrays.deepToString(values);
        if (value instanceof int[] values) return Arrays.toString(values);
        return String.valueOf(value);
    }
}
