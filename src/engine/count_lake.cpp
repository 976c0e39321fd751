#include "engine/count_lake.hpp"

#include <boost/json.hpp>

#include "catalog/bootstrap.hpp"
#include "engine/attach.hpp"
#include "engine/data_path.hpp"
#include "engine/database.hpp"
#include "engine/store.hpp"

namespace boathouse::engine {
namespace {

constexpr const char* kTables =
    "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'lake' ORDER BY ALL";

std::string identifier(const std::string& name) {
    std::string quoted = "\"";
    for (const char c : name) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + "\"";
}

Status open_lake(Database& database, const config::Settings& settings, const catalog::Endpoint& endpoint) {
    auto connection = catalog::Connection::open(endpoint);
    if (!connection) return connection.error();
    const auto record = catalog::read_lake_record(*connection);
    if (!record) return record.error();
    if (is_object_store(record->data_path)) {
        if (auto made = create_store_secret(database, settings, record->data_path); !made) return made;
    }
    return attach(database, endpoint, AttachMode::read_only);
}

// The hash of a row takes all of its values; that it is used keeps DuckDB from leaving it out.
Result<long long> rows_of(Database& database, const std::string& table, ReadDepth depth) {
    const std::string count = depth == ReadDepth::values ? "count(hash(t))" : "count(*)";
    const auto counted = database.query("SELECT " + count + " FROM " + table + " AS t");
    if (!counted) {
        return Error{ErrorKind::corrupt, "the table " + table + " cannot be read: " + counted.error().message, "", ""};
    }
    return std::stoll(counted->at(0).at(0));
}

}  // namespace

Result<std::string> count_lake(const config::Settings& settings, const catalog::Endpoint& endpoint, ReadDepth depth) {
    auto database = Database::open(settings, Scrubber(settings, endpoint));
    if (!database) return database.error();
    if (auto opened = open_lake(**database, settings, endpoint); !opened) return opened.error();
    const auto tables = (*database)->query(kTables);
    if (!tables) return tables.error();
    boost::json::array report;
    for (const auto& row : *tables) {
        const auto rows = rows_of(**database, "lake." + identifier(row.at(0)) + "." + identifier(row.at(1)), depth);
        if (!rows) return rows.error();
        report.push_back(boost::json::object{{"schema", row.at(0)}, {"table", row.at(1)}, {"rows", *rows}});
    }
    return boost::json::serialize(report);
}

}  // namespace boathouse::engine
