#include "service/undo_functions.hpp"

#include <algorithm>
#include <charconv>

#include "base/log.hpp"
#include "engine/undo.hpp"
#include "keeper/history.hpp"

namespace boathouse::service {
namespace {

using engine::BoxFunction;
using engine::BoxRows;
using engine::TableName;
using Arguments = std::vector<std::string>;

// Where the first part of a name ends: at its closing quote, or at the first dot.
std::size_t end_of_part(const std::string& text) {
    if (!text.starts_with('"')) return std::min(text.find('.'), text.size());
    std::size_t end = 1;
    while (end < text.size() && (text[end] != '"' || text.substr(end, 2) == "\"\"")) end += text[end] == '"' ? 2 : 1;
    return std::min(end + 1, text.size());
}

std::string unquoted(const std::string& part) {
    if (part.size() < 2 || !part.starts_with('"') || !part.ends_with('"')) return part;
    std::string name;
    for (std::size_t i = 1; i + 1 < part.size(); ++i) {
        name += part[i];
        if (part[i] == '"') ++i;  // doubled
    }
    return name;
}

// "sales.orders", or "orders" in main; a part that has a dot in it stands in double quotes, as in SQL.
TableName name_of(const std::string& text) {
    const std::size_t end = end_of_part(text);
    if (end >= text.size() || text[end] != '.') return {"main", unquoted(text)};
    return {unquoted(text.substr(0, end)), unquoted(text.substr(end + 1))};
}

Result<long long> snapshot_of(const std::string& text) {
    long long number = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && number >= 0) return number;
    return Error{ErrorKind::configuration, fmt::format("\"{}\" is no snapshot's number", text),
                 "SELECT * FROM boathouse.table_history('…') shows a table's.", ""};
}

// "id, day" -> id and day.
std::vector<std::string> key_of(const std::string& text) {
    std::vector<std::string> columns;
    std::string column;
    for (const char character : text + ",") {
        if (character == ' ') continue;
        if (character != ',') {
            column += character;
        } else if (!column.empty()) {
            columns.push_back(std::move(column));
            column.clear();
        }
    }
    return columns;
}

Result<catalog::Connection> open_lake(const config::Settings& settings) {
    auto endpoint = catalog::lake_endpoint(settings);
    if (!endpoint) return endpoint.error();
    return catalog::Connection::open(*endpoint);
}

Result<BoxRows> history(const config::Settings& settings, const TableName& name) {
    auto lake = open_lake(settings);
    if (!lake) return lake.error();
    const auto read = keeper::table_history(*lake, name.schema, name.table);
    if (!read) return read.error();
    BoxRows rows;
    const auto text = [](const std::string& value) {
        return value.empty() ? std::optional<std::string>() : std::optional(value);
    };
    for (const keeper::TableSnapshot& snapshot : *read) {
        rows.push_back({std::to_string(snapshot.id), snapshot.at, text(snapshot.author), text(snapshot.message),
                        snapshot.changes});
    }
    return rows;
}

Result<BoxRows> restore(engine::Lake& lake, const Arguments& given) {
    const auto snapshot = snapshot_of(given[1]);
    if (!snapshot) return snapshot.error();
    const auto count = engine::restore_table(lake, name_of(given[0]), *snapshot);
    if (!count) return count.error();
    return BoxRows{{fmt::format("{} is as it was in snapshot {}: {} rows", given[0], *snapshot, *count)}};
}

Result<BoxRows> undrop(engine::Lake& lake, const config::Settings& settings, const TableName& name) {
    auto connection = open_lake(settings);
    if (!connection) return connection.error();
    const auto dropped = keeper::dropped_tables(*connection, name.schema, name.table);
    if (!dropped) return dropped.error();
    BoxRows rows;
    for (const keeper::DroppedTable& table : *dropped) {
        const auto count = engine::undrop_table(lake, {table.schema, table.table}, table.last_snapshot);
        if (!count) return count.error();
        rows.push_back({fmt::format("{}.{} is there again, from snapshot {}: {} rows", table.schema, table.table,
                                    table.last_snapshot, *count)});
    }
    return rows;
}

Result<BoxRows> differences(engine::Lake& lake, const Arguments& given) {
    const auto from = snapshot_of(given[1]);
    if (!from) return from.error();
    const auto to = snapshot_of(given[2]);
    if (!to) return to.error();
    const auto found = engine::difference(lake, name_of(given[0]), *from, *to, key_of(given[3]));
    if (!found) return found.error();
    BoxRows rows;
    for (const engine::RowDifference& difference : *found) {
        rows.push_back({difference.change, difference.before.empty() ? std::optional<std::string>() : difference.before,
                        difference.after.empty() ? std::optional<std::string>() : difference.after});
    }
    return rows;
}

}  // namespace

std::vector<BoxFunction> undo_functions(engine::Lake& lake, const config::Settings& settings) {
    return {
        {.name = "table_history",
         .columns = {{"snapshot_id", "BIGINT"},
                     {"snapshot_time", "TIMESTAMP"},
                     {"author", "VARCHAR"},
                     {"message", "VARCHAR"},
                     {"changes", "VARCHAR"}},
         .parameters = {"table_name"},
         .optional_from = 1,
         .rows = [settings](const Arguments& given) { return history(settings, name_of(given[0])); }},
        {.name = "table_diff",
         .columns = {{"change", "VARCHAR"}, {"before", "JSON"}, {"after", "JSON"}},
         .parameters = {"table_name", "from_snapshot", "to_snapshot", "key"},
         .optional_from = 3,
         .rows = [&lake](const Arguments& given) { return differences(lake, given); }},
        {.name = "restore_table",
         .columns = {{"result", "VARCHAR"}},
         .parameters = {"table_name", "snapshot_id"},
         .optional_from = 2,
         .changes = true,
         .rows = [&lake](const Arguments& given) { return restore(lake, given); }},
        {.name = "undrop_table",
         .columns = {{"result", "VARCHAR"}},
         .parameters = {"table_name"},
         .optional_from = 1,
         .changes = true,
         .rows = [&lake, settings](const Arguments& given) { return undrop(lake, settings, name_of(given[0])); }},
        {.name = "undrop_schema",
         .columns = {{"result", "VARCHAR"}},
         .parameters = {"schema_name"},
         .optional_from = 1,
         .changes = true,
         .rows =
             [&lake, settings](const Arguments& given) {
                 return undrop(lake, settings, {given[0], ""});
             }},
    };
}

}  // namespace boathouse::service
