#include "engine/probe.hpp"

#include <boost/json.hpp>

#include "catalog/bootstrap.hpp"
#include "config/version.hpp"
#include "engine/attach.hpp"
#include "engine/data_path.hpp"
#include "engine/database.hpp"
#include "engine/store.hpp"

namespace boathouse::engine {
namespace {

namespace json = boost::json;

Status probe_data_path(Database& database, const config::Settings& settings, ProbeReport& report) {
    const std::string& data_path = report.data_path_text;
    if (!is_object_store(data_path)) return check_local_directory(data_path);
    if (auto status = create_store_secret(database, settings, data_path); !status) return status;
    const auto checked = check_store(database, settings, data_path);
    if (!checked) return checked.error();
    report.store_clock_ahead_seconds = *checked;
    return {};
}

void probe_lake(Database& database, const catalog::Endpoint& endpoint, ProbeReport& report) {
    report.lake = attach(database, endpoint, AttachMode::read_only);
    if (!report.lake) return;
    const auto snapshot = database.query("SELECT id FROM ducklake_current_snapshot('lake')");
    if (!snapshot || snapshot->empty()) {
        report.lake = snapshot ? Error{ErrorKind::corrupt, "the catalog holds no snapshot"} : snapshot.error();
        return;
    }
    report.snapshot = std::stoll(snapshot->front().at(0));
}

json::object outcome(const Status& status) {
    if (status) return {{"ok", true}};
    return {{"ok", false}, {"error", status.error().message}, {"hint", status.error().hint}};
}

}  // namespace

ProbeReport probe(const config::Settings& settings, const catalog::Endpoint& endpoint) {
    ProbeReport report;
    report.data_path_text = normalized_data_path(config::effective_data_path(settings));
    auto connection = catalog::Connection::open(endpoint);
    if (!connection) {
        report.lake = connection.error();
    } else if (const auto record = catalog::read_lake_record(*connection); !record) {
        report.lake = record.error();
    } else {
        report.lake_version = record->version;
        report.data_path_text = record->data_path;
    }

    auto database = Database::open(settings, Scrubber(settings, endpoint));
    if (!database) {
        report.duckdb = database.error();
        report.data_path = Error{ErrorKind::unavailable, "not looked at, because DuckDB does not start"};
        return report;
    }
    const auto extensions =
        (*database)->query("SELECT extension_name, extension_version FROM duckdb_extensions() WHERE loaded ORDER BY 1");
    if (extensions) {
        for (const auto& row : *extensions) report.extensions.push_back({row.at(0), row.at(1)});
    }
    report.data_path = probe_data_path(**database, settings, report);
    if (report.lake) probe_lake(**database, endpoint, report);
    return report;
}

std::string to_json(const ProbeReport& report) {
    json::object duckdb = outcome(report.duckdb);
    duckdb["version"] = config::duckdb_version();
    json::array extensions;
    for (const auto& extension : report.extensions) {
        extensions.push_back(json::object{{"name", extension.name}, {"version", extension.version}});
    }
    json::object lake = outcome(report.lake);
    lake["version"] = report.lake_version;
    lake["snapshot"] = report.snapshot;
    json::object data_path = outcome(report.data_path);
    data_path["path"] = report.data_path_text;
    data_path["clock_ahead_seconds"] = report.store_clock_ahead_seconds;
    return json::serialize(
        json::object{{"duckdb", duckdb}, {"extensions", extensions}, {"lake", lake}, {"data_path", data_path}});
}

}  // namespace boathouse::engine
