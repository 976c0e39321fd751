#include "service/undo_functions.hpp"

#include <algorithm>
#include <charconv>

#include "base/log.hpp"
#include "catalog/dropped.hpp"
#include "engine/undo.hpp"
#include "engine/undrop.hpp"
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

// As clients of PostgreSQL call it: public is main, unless the lake has a schema of that name.
Result<TableName> table_of(const config::Settings& settings, const std::string& text) {
    TableName name = name_of(text);
    if (name.schema != "public") return name;
    auto lake = open_lake(settings);
    if (!lake) return lake.error();
    const auto own =
        lake->query("SELECT FROM public.ducklake_schema WHERE schema_name = 'public' AND end_snapshot IS NULL");
    if (!own) return own.error();
    if (own->empty()) name.schema = "main";
    return name;
}

Result<BoxRows> history(const config::Settings& settings, const Arguments& given) {
    const auto name = table_of(settings, given[0]);
    if (!name) return name.error();
    auto lake = open_lake(settings);
    if (!lake) return lake.error();
    const auto read = keeper::table_history(*lake, name->schema, name->table);
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

Result<BoxRows> restore(engine::Lake& lake, const config::Settings& settings, const Arguments& given) {
    const auto name = table_of(settings, given[0]);
    if (!name) return name.error();
    const auto snapshot = snapshot_of(given[1]);
    if (!snapshot) return snapshot.error();
    const auto count = engine::restore_table(lake, *name, *snapshot);
    if (!count) return count.error();
    return BoxRows{{fmt::format("{} is as it was in snapshot {}: {} rows", given[0], *snapshot, *count)}};
}

std::string told(const catalog::Dropped& dropped, const catalog::DroppedObject& object, long long count) {
    const std::string name = dropped.schema + "." + object.name;
    if (object.kind == catalog::DroppedKind::table)
        return fmt::format("{} is there again, from snapshot {}: {} rows", name, object.last_snapshot, count);
    const char* kind = object.kind == catalog::DroppedKind::view ? "view" : "macro";
    return fmt::format("{} {} is there again, from snapshot {}", kind, name, object.last_snapshot);
}

using Find = std::function<Result<catalog::Dropped>(catalog::Connection&)>;

Result<BoxRows> undrop(engine::Lake& lake, const config::Settings& settings, const Find& find) {
    auto connection = open_lake(settings);
    if (!connection) return connection.error();
    const auto dropped = find(*connection);
    if (!dropped) return dropped.error();
    const auto counts = engine::undrop(lake, *dropped);
    if (!counts) return counts.error();
    BoxRows rows;
    if (dropped->schema_is_gone) rows.push_back({fmt::format("schema {} is there again", dropped->schema)});
    for (std::size_t i = 0; i < counts->size(); ++i)
        rows.push_back({told(*dropped, dropped->objects[i], (*counts)[i])});
    return rows;
}

Result<BoxRows> differences(engine::Lake& lake, const config::Settings& settings, const Arguments& given) {
    const auto name = table_of(settings, given[0]);
    if (!name) return name.error();
    const auto from = snapshot_of(given[1]);
    if (!from) return from.error();
    const auto to = snapshot_of(given[2]);
    if (!to) return to.error();
    const auto found = engine::difference(lake, *name, *from, *to, key_of(given[3]));
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
         .rows = [settings](const Arguments& given) { return history(settings, given); }},
        {.name = "table_diff",
         .columns = {{"change", "VARCHAR"}, {"before", "JSON"}, {"after", "JSON"}},
         .parameters = {"table_name", "from_snapshot", "to_snapshot", "key"},
         .optional_from = 3,
         .rows = [&lake, settings](const Arguments& given) { return differences(lake, settings, given); }},
        {.name = "restore_table",
         .columns = {{"result", "VARCHAR"}},
         .parameters = {"table_name", "snapshot_id"},
         .optional_from = 2,
         .changes = true,
         .rows = [&lake, settings](const Arguments& given) { return restore(lake, settings, given); }},
        {.name = "undrop_table",
         .columns = {{"result", "VARCHAR"}},
         .parameters = {"table_name"},
         .optional_from = 1,
         .changes = true,
         .rows =
             [&lake, settings](const Arguments& given) {
                 return undrop(lake, settings, [&](catalog::Connection& connection) -> Result<catalog::Dropped> {
                     const auto name = table_of(settings, given[0]);
                     if (!name) return name.error();
                     return catalog::find_dropped_table(connection, name->schema, name->table);
                 });
             }},
        {.name = "undrop_schema",
         .columns = {{"result", "VARCHAR"}},
         .parameters = {"schema_name"},
         .optional_from = 1,
         .changes = true,
         .rows =
             [&lake, settings](const Arguments& given) {
                 return undrop(lake, settings, [schema = unquoted(given[0])](catalog::Connection& connection) {
                     return catalog::find_dropped_schema(connection, schema);
                 });
             }},
    };
}

}  // namespace boathouse::service
