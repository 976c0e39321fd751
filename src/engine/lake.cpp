#include "engine/lake.hpp"

#include <mutex>
#include <optional>

#include "base/log.hpp"
#include "catalog/bootstrap.hpp"
#include "config/version.hpp"
#include "engine/attach.hpp"
#include "engine/commit_turns.hpp"
#include "engine/data_path.hpp"
#include "engine/database.hpp"
#include "engine/kept_tables.hpp"
#include "engine/store.hpp"
#include "engine/table_shapes.hpp"

namespace boathouse::engine {
namespace {

Status check_version(const catalog::LakeRecord& record) {
    if (record.version == config::ducklake_catalog_version()) return {};
    return Error{
        ErrorKind::corrupt,
        fmt::format("the catalog is at DuckLake version {}, this Boathouse (DuckDB {}) opens version {}",
                    record.version, config::duckdb_version(), config::ducklake_catalog_version()),
        "A newer version was written by a newer DuckDB that attached with AUTOMATIC_MIGRATION: use a Boathouse "
        "that is built on it, or restore the dump that `boathouse migrate --allow` made before. An older version: "
        "attach it once with DuckDB 1.5 and AUTOMATIC_MIGRATION.",
        ""};
}

// The record of the lake that is there, or nothing when the catalog is empty. Whether its path and version are ours is
// settled here, before any DuckDB touches it.
Result<std::optional<catalog::LakeRecord>> existing_lake(const catalog::Endpoint& endpoint) {
    auto connection = catalog::Connection::open(endpoint);
    if (!connection) return connection.error();
    auto record = catalog::read_lake_record(*connection);
    if (record) {
        if (auto status = check_version(*record); !status) return status.error();
        return std::optional(std::move(*record));
    }
    if (record.error().kind == ErrorKind::not_found) return std::optional<catalog::LakeRecord>();
    return record.error();
}

// Nobody named a path and the catalog is not the box's own: what it says is what there is.
bool takes_stored_path(const config::Settings& settings) {
    return settings.data_path.empty() && settings.s3_bucket_url.empty() && !settings.catalog.empty();
}

Status check_data_path(Database& database, const config::Settings& settings, const std::string& data_path) {
    if (!is_object_store(data_path)) {
        if (auto status = create_local_directory(data_path); !status) return status;
        return check_local_directory(data_path);
    }
    if (auto status = create_store_secret(database, settings, data_path); !status) return status;
    const auto checked = check_store(database, settings, data_path);
    return checked ? Status() : checked.error();
}

// DuckDB's words hold the whole connection string; whoever asks for readiness needs only PostgreSQL's.
Error no_answer(const Error& error) {
    const std::string marker = "failed: ";
    const auto at = error.message.rfind(marker);
    const std::string why = at == std::string::npos ? "" : ": " + error.message.substr(at + marker.size());
    return Error{ErrorKind::unavailable, "the catalog's PostgreSQL does not answer" + why,
                 "It may be starting again after a crash; if this lasts, look at its log.",
                 error.message + " " + error.detail};
}

// What a served lake wants and DuckLake does not do by itself. Written only while the lake is still empty (also when
// an earlier start was killed halfway): from the first commit on, the lake's options are its owner's.
Status set_missing_options(Database& database, const config::Settings& settings) {
    const std::pair<const char*, std::string> wanted[] = {
        {"parquet_compression", settings.lake_compression},
        {"parquet_row_group_size", std::to_string(settings.lake_row_group_rows)},
        {"target_file_size", std::to_string(settings.lake_target_file_size_mb) + "MB"},
        {"data_inlining_row_limit", std::to_string(settings.lake_inlining_rows)},
    };
    const auto present = database.query("SELECT option_name FROM ducklake_options('lake')");
    if (!present) return present.error();
    for (const auto& [name, value] : wanted) {
        bool is_present = false;
        for (const auto& row : *present) is_present = is_present || row.at(0) == name;
        if (is_present) continue;
        const auto set = database.query(fmt::format("CALL lake.set_option({}, {})", literal(name), literal(value)));
        if (!set) {
            return Error{ErrorKind::configuration,
                         fmt::format("the lake does not take {} = {}: {}", name, value, set.error().message),
                         "Correct the setting and start again.", set.error().detail};
        }
    }
    return {};
}

}  // namespace

struct Lake::Impl {
    std::unique_ptr<Database> database;
    catalog::Endpoint endpoint;
    CommitTurns commit_turns;
    std::unique_ptr<TableShapes> shapes;
    std::unique_ptr<KeptTables> kept_tables;
    LakeInfo info;
};

Lake::Lake(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Lake::~Lake() = default;

const LakeInfo& Lake::info() const {
    return impl_->info;
}

Result<std::unique_ptr<Lake>> Lake::open(const config::Settings& settings, const catalog::Endpoint& endpoint) {
    auto existing = existing_lake(endpoint);
    if (!existing) return existing.error();
    std::string data_path = normalized_data_path(config::effective_data_path(settings));
    if (*existing) {
        if (takes_stored_path(settings)) data_path = normalized_data_path((*existing)->data_path);
        if (auto status = check_same_data_path((*existing)->data_path, data_path); !status) return status.error();
        data_path = (*existing)->data_path;
    }

    auto database = Database::open(settings, Scrubber(settings, endpoint));
    if (!database) return database.error();
    if (auto status = check_data_path(**database, settings, data_path); !status) return status.error();

    const bool create = !existing->has_value();
    const AttachMode creation = settings.lake_encrypted ? AttachMode::create_encrypted : AttachMode::create;
    if (auto status = attach(**database, endpoint, create ? creation : AttachMode::open, data_path); !status)
        return status.error();

    // Between two tries of a commit that another client of the catalog was ahead of; DuckLake's own 100 ms are long.
    const auto hurried = (*database)->query("SET GLOBAL ducklake_retry_wait_ms = 10");
    if (!hurried) return hurried.error();

    auto impl = std::make_unique<Impl>();
    impl->database = std::move(*database);
    impl->endpoint = bounded(endpoint);
    if (settings.small_tables_mb > 0)
        impl->kept_tables = std::make_unique<KeptTables>(impl->database->instance(), impl->endpoint,
                                                         static_cast<std::size_t>(settings.small_tables_mb) << 20);
    impl->info.version = config::ducklake_catalog_version();
    impl->info.data_path = data_path;
    impl->info.created = create;
    std::unique_ptr<Lake> lake(new Lake(std::move(impl)));
    const auto snapshot = lake->newest_snapshot();
    if (!snapshot) return snapshot.error();
    lake->impl_->info.snapshot = *snapshot;
    if (*snapshot == 0) {
        if (auto status = set_missing_options(*lake->impl_->database, settings); !status) return status.error();
    }
    log_info("engine", "DuckLake catalog {}: version {}, data path {}, snapshot {}", create ? "initialized" : "opened",
             lake->info().version, lake->info().data_path, *snapshot);
    return lake;
}

Database& Lake::database() {
    return *impl_->database;
}

CommitTurns& Lake::commit_turns() {
    return impl_->commit_turns;
}

TableShapes& Lake::shapes() {
    return *impl_->shapes;
}

void Lake::make_shapes() {
    impl_->shapes = std::make_unique<TableShapes>(impl_->database->instance(), impl_->endpoint);
}

KeptTables* Lake::kept_tables() {
    return impl_->kept_tables.get();
}

KeptCounts Lake::kept_counts() const {
    return impl_->kept_tables ? impl_->kept_tables->counts() : KeptCounts();
}

Result<long long> Lake::newest_snapshot() {
    const auto table = impl_->database->query("SELECT id FROM ducklake_current_snapshot('lake')");
    if (!table) return no_answer(table.error());
    if (table->size() != 1) return Error{ErrorKind::corrupt, "the catalog holds no snapshot", "", ""};
    return std::stoll(table->front().at(0));
}

Result<long long> Lake::newest_loaded_snapshot() {
    auto snapshot = newest_snapshot();
    if (!snapshot) return snapshot;
    try {
        duckdb::Connection connection(impl_->database->instance());
        connection.context->RunFunctionInTransaction([&] {
            duckdb::Catalog::GetSchema(*connection.context, "lake", DEFAULT_SCHEMA,
                                       duckdb::OnEntryNotFound::RETURN_NULL);
        });
        return snapshot;
    } catch (const std::exception& exception) {
        const std::string message = impl_->database->scrubber()(duckdb::ErrorData(exception).RawMessage());
        if (message.starts_with("Failed to load DuckLake")) {
            return Error{ErrorKind::corrupt, message,
                         "boathouse doctor names the entry, and the statement that ends it.", ""};
        }
        return no_answer(Error{ErrorKind::unavailable, message, "", ""});
    }
}

std::optional<std::string> Lake::failure() {
    Database& database = *impl_->database;
    if (!duckdb::ValidChecker::IsInvalidated(database.instance())) return std::nullopt;
    const std::string message = duckdb::ValidChecker::InvalidatedMessage(database.instance());
    return database.scrubber()(message.substr(0, message.find('\n')));
}

}  // namespace boathouse::engine
