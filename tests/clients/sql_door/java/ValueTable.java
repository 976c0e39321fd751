import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * values.json, the table of types and values that all drivers read. The JDK has no reader of JSON, and this file needs no
 * more of it than objects, lists, strings and booleans.
 */
final class ValueTable {
    record Case(String type, String postgres, List<String> values, List<String> door, boolean lake) {
        /** The statement whose one row has all values and a NULL. */
        String fromDoor() {
            return select(door, type);
        }

        String fromPostgres() {
            return select(values, postgres);
        }

        private static String select(List<String> expressions, String type) {
            List<String> columns = new ArrayList<>();
            for (String expression : expressions) columns.add("(" + expression + ")::" + type);
            columns.add("NULL::" + type);
            return "SELECT " + String.join(", ", columns);
        }
    }

    private final String text;
    private int at = 0;

    private ValueTable(String text) {
        this.text = text;
    }

    static List<Case> cases() throws IOException {
        List<Case> cases = new ArrayList<>();
        for (Object entry : (List<?>) new ValueTable(Files.readString(Path.of("..", "values.json"))).value()) {
            Map<?, ?> fields = (Map<?, ?>) entry;
            String type = (String) fields.get("type");
            List<String> values = strings(fields.get("values"));
            cases.add(new Case(type, fields.containsKey("postgres") ? (String) fields.get("postgres") : type, values,
                    fields.containsKey("door") ? strings(fields.get("door")) : values, !Boolean.FALSE.equals(fields.get("lake"))));
        }
        return cases;
    }

    private static List<String> strings(Object list) {
        return ((List<?>) list).stream().map(String.class::cast).toList();
    }

    private char next() {
        while (Character.isWhitespace(text.charAt(at))) at++;
        return text.charAt(at);
    }

    private Object value() {
        switch (next()) {
            case '[': {
                List<Object> list = new ArrayList<>();
                for (at++; next() != ']'; skipComma()) list.add(value());
                at++;
                return list;
            }
            case '{': {
                Map<String, Object> object = new java.util.HashMap<>();
                for (at++; next() != '}'; skipComma()) {
                    String name = string();
                    next();
                    at++; // the colon
                    object.put(name, value());
                }
                at++;
                return object;
            }
            case '"':
                return string();
            default:
                boolean isTrue = text.startsWith("true", at);
                at += isTrue ? 4 : 5;
                return isTrue;
        }
    }

    private void skipComma() {
        if (next() == ',') at++;
    }

    private String string() {
        StringBuilder out = new StringBuilder();
        next();
        for (at++; text.charAt(at) != '"'; at++) {
            if (text.charAt(at) != '\\') {
                out.append(text.charAt(at));
                continue;
            }
            char escaped = text.charAt(++at);
            out.append(escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped);
        }
        at++;
        return out.toString();
    }
}
