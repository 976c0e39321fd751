#include "engine/maintenance.hpp"

#include <algorithm>
#include <atomic>
#include <functional>

#include "base/log.hpp"
#include "catalog/bootstrap.hpp"
#include "catalog/give_way.hpp"
#include "engine/attach.hpp"
#include "engine/data_path.hpp"
#include "engine/database.hpp"
#include "engine/store.hpp"

namespace boathouse::engine {
namespace {

// Waiting longer for a lock of PostgreSQL's would make clients wait behind the keeper.
constexpr const char* kConnectionOptions = "-c lock_timeout=1000 -c search_path=pg_catalog";

// What DuckLake says when another commit came first, and it may not try again.
constexpr const char* kOvertaken = "Exceeded the maximum retry count";
constexpr int kFlushTriesMax = 10;

bool gave_way(const std::string& message) {
    for (const char* words : {catalog::kKeeperGivesWay, kOvertaken, "lock timeout", "Transaction conflict",
                              "could not serialize", "deadlock detected"}) {
        if (message.find(words) != std::string::npos) return true;
    }
    return false;
}

// What stands after PostgreSQL's "ERROR:", without the statement before it.
std::string essence(const std::string& message) {
    const auto at = message.rfind("ERROR:");
    const std::string text = at == std::string::npos ? message : message.substr(at + 8);
    return text.substr(0, text.find('\n'));
}

std::string moment(double unix_seconds) {
    return fmt::format("to_timestamp({:.6f})", unix_seconds);
}

std::string quoted(const std::string& name) {
    return duckdb::KeywordHelper::WriteQuoted(name, '"');
}

std::string named(const MaintainedTable& table, const char* schema_parameter, const char* table_parameter) {
    return fmt::format("{} => {}, {} => {}", schema_parameter, literal(table.schema), table_parameter,
                       literal(table.table));
}

}  // namespace

struct Maintenance::Impl {
    explicit Impl(std::unique_ptr<Database> opened) : database(std::move(opened)), connection(database->instance()) {}

    Error describe(const duckdb::ErrorData& data) const {
        const std::string message = database->scrubber()(data.RawMessage());
        Error error = database->describe(data);
        error.message = essence(message);
        if (gave_way(message)) error.kind = ErrorKind::conflict;
        was_overtaken = message.find(kOvertaken) != std::string::npos;
        return error;
    }

    // The last column of the last row as a number is what most functions count by.
    Result<duckdb::unique_ptr<duckdb::MaterializedQueryResult>> query(const std::string& sql) {
        auto result = connection.Query(sql);
        if (result->HasError()) return describe(result->GetErrorObject());
        return result;
    }

    Result<long long> in_transaction(const std::function<Result<long long>()>& work) {
        try {
            if (interrupted) return Error{ErrorKind::unavailable, "the engine is stopping", "", ""};
            if (auto begun = query("BEGIN"); !begun) return begun.error();
            auto count = work();
            if (count) {
                if (auto committed = query("COMMIT"); !committed) count = committed.error();
            }
            if (!count && !connection.IsAutoCommit()) connection.Query("ROLLBACK");
            return count;
        } catch (const std::exception& exception) {
            return describe(duckdb::ErrorData(exception));
        }
    }

    // A commit that the trigger of give_way.hpp looks at. `more` belongs to it.
    Result<long long> compact(const MaintainedTable& table, const std::string& why, const std::string& call,
                              const std::function<Status()>& more = {}) {
        return in_transaction([&]() -> Result<long long> {
            auto read = query("SELECT id FROM ducklake_current_snapshot('lake')");
            if (!read) return read.error();
            const auto about =
                fmt::format(R"({{"table_id": {}, "snapshot": {}}})", table.id, (*read)->GetValue(0, 0).ToString());
            auto told = query(fmt::format("CALL lake.set_commit_message({}, {}, extra_info => {})",
                                          literal(catalog::kKeeperAuthor), literal(why), literal(about)));
            if (!told) return told.error();
            auto done = query(call);
            if (!done) return done.error();
            long long count = 0;
            for (duckdb::idx_t row = 0; row < (*done)->RowCount(); ++row)
                count += (*done)->GetValue(2, row).GetValue<std::int64_t>();
            if (!more) return count;
            const auto added = more();
            return added ? Result<long long>(count) : added.error();
        });
    }

    // Rows that were inlined before the table's columns changed have a table in the catalog of their own, and a flush
    // drops it. Everybody whose DuckLake has loaded the lake's present schema goes on to look for it, and fails, DuckDB
    // and all (1.0). So the schema moves with the flush, and everybody loads it anew: by the comment that the table
    // has.
    Status tell_of_gone_rows(const MaintainedTable& table) {
        auto inlined =
            query(fmt::format("SELECT count(*) FROM __ducklake_metadata_lake.ducklake_inlined_data_tables "
                              "WHERE table_id = {}",
                              table.id));
        if (!inlined) return inlined.error();
        if ((*inlined)->GetValue(0, 0).GetValue<std::int64_t>() < 2) return {};
        auto comment =
            query(fmt::format("SELECT value FROM __ducklake_metadata_lake.ducklake_tag WHERE object_id = {} "
                              "AND key = 'comment' AND end_snapshot IS NULL",
                              table.id));
        if (!comment) return comment.error();
        const duckdb::Value text = (*comment)->RowCount() == 0 ? duckdb::Value() : (*comment)->GetValue(0, 0);
        auto told = query(fmt::format("COMMENT ON TABLE lake.{}.{} IS {}", quoted(table.schema), quoted(table.table),
                                      text.IsNull() ? "NULL" : literal(text.ToString())));
        return told ? Status() : Status(told.error());
    }

    // DuckLake 1.0 tries a commit that was overtaken again, and leaves away what a flush takes out of the catalog:
    // deletes stay there that are in a file too, rows are counted out twice, and the next rewrite brings some of them
    // back. So a flush is tried again as a whole.
    Result<long long> flush(const MaintainedTable& table, const std::string& why, const std::string& call) {
        if (auto set = query("SET ducklake_max_retry_count = 0"); !set) return set.error();
        Result<long long> count = 0;
        for (int tried = 0; tried < kFlushTriesMax; ++tried) {
            was_overtaken = false;
            count = compact(table, why, call, [&] { return tell_of_gone_rows(table); });
            if (count || !was_overtaken) break;
        }
        if (auto reset = query("RESET ducklake_max_retry_count"); !reset) return reset.error();
        return count;
    }

    // DuckLake's target size is an option of the lake, for everybody, and no argument. Set in a transaction that is
    // rolled back, it holds for this DuckDB alone.
    Status aim_at(const MaintainedTable& table, long long target_bytes) {
        auto begun = query("BEGIN");
        if (!begun) return begun.error();
        auto set = query(fmt::format("CALL lake.set_option('target_file_size', '{}KiB', {})",
                                     std::max(1LL, target_bytes / 1024), named(table, "schema", "table_name")));
        connection.Query("ROLLBACK");
        return set ? Status() : Status(set.error());
    }

    Result<long long> count_of(const std::string& call) {
        auto done = query(call);
        if (!done) return done.error();
        return static_cast<long long>((*done)->RowCount());
    }

    std::unique_ptr<Database> database;
    duckdb::Connection connection;
    std::atomic<bool> interrupted = false;
    mutable bool was_overtaken = false;  // by the last error that was described
};

Maintenance::Maintenance(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Maintenance::~Maintenance() = default;

Result<std::unique_ptr<Maintenance>> Maintenance::open(const config::Settings& settings, catalog::Endpoint lake,
                                                       std::int64_t memory_mb) {
    lake.application_name = catalog::kKeeperAuthor;
    if (settings.catalog.empty()) lake.parameters["options"] = kConnectionOptions;
    auto connection = catalog::Connection::open(lake);
    if (!connection) return connection.error();
    const auto record = catalog::read_lake_record(*connection);
    if (!record) return record.error();

    config::Settings bounded = settings;
    bounded.threads = 1;
    bounded.memory_limit_mb = memory_mb;
    auto database = Database::open(bounded, Scrubber(settings, lake));
    if (!database) return database.error();
    // Two DuckDBs would take each other's spill files for their own.
    auto apart = (*database)->query("SET temp_directory = " + literal(config::spill_dir(settings) + "/keeper"));
    if (!apart) return apart.error();
    if (is_object_store(record->data_path)) {
        if (auto made = create_store_secret(**database, settings, record->data_path); !made) return made.error();
    }
    if (auto attached = attach(**database, lake, AttachMode::open); !attached) return attached.error();
    return std::unique_ptr<Maintenance>(new Maintenance(std::make_unique<Impl>(std::move(*database))));
}

Result<long long> Maintenance::flush(const MaintainedTable& table, const std::string& why) {
    return impl_->flush(table, why,
                        "CALL ducklake_flush_inlined_data('lake', " + named(table, "schema_name", "table_name") + ")");
}

Result<long long> Maintenance::merge(const MaintainedTable& table, const MergeBounds& bounds, const std::string& why) {
    if (auto aimed = impl_->aim_at(table, bounds.target_bytes); !aimed) return aimed.error();
    return impl_->compact(
        table, why,
        fmt::format("CALL ducklake_merge_adjacent_files('lake', {}, schema => {}, "
                    "max_compacted_files => {}, max_file_size => {})",
                    literal(table.table), literal(table.schema), bounds.files_out_max, bounds.file_bytes_max));
}

Result<long long> Maintenance::rewrite(const MaintainedTable& table, double delete_threshold, const std::string& why) {
    // DuckLake 1.0 forgets that deletes which are kept in the catalog are of the files that it replaces: a later flush
    // would write them out so that older snapshots have rows twice. So none are left there.
    if (auto flushed = flush(table, why); !flushed) return flushed;
    return impl_->compact(
        table, why,
        fmt::format("CALL ducklake_rewrite_data_files('lake', {}, schema => {}, delete_threshold => {})",
                    literal(table.table), literal(table.schema), delete_threshold));
}

Result<long long> Maintenance::expire(const std::vector<long long>& snapshots) {
    const auto call =
        fmt::format("CALL ducklake_expire_snapshots('lake', versions => [{}])", fmt::join(snapshots, ", "));
    return impl_->in_transaction([&] { return impl_->count_of(call); });
}

Result<long long> Maintenance::cleanup(double before_unix) {
    const auto call = fmt::format("CALL ducklake_cleanup_old_files('lake', older_than => {})", moment(before_unix));
    return impl_->in_transaction([&] { return impl_->count_of(call); });
}

Result<long long> Maintenance::delete_orphans(double before_unix) {
    const auto call = [&](const char* dry_run) {
        return fmt::format("CALL ducklake_delete_orphaned_files('lake', older_than => {}, dry_run => {})",
                           moment(before_unix), dry_run);
    };
    return impl_->in_transaction([&]() -> Result<long long> {
        auto found = impl_->query(call("true"));
        if (!found) return found.error();
        for (duckdb::idx_t row = 0; row < (*found)->RowCount(); ++row) {
            const std::string path = (*found)->GetValue(0, row).ToString();
            const std::string name = path.substr(path.rfind('/') + 1);
            if (name.starts_with("ducklake-")) continue;
            return Error{ErrorKind::conflict,
                         fmt::format("{} lies in the lake's data path and is not DuckLake's by its name", path),
                         "Nothing was deleted. Move the file elsewhere, or set the policy orphan_age to off.", ""};
        }
        if ((*found)->RowCount() == 0) return 0;
        return impl_->count_of(call("false"));
    });
}

void Maintenance::interrupt() {
    impl_->interrupted = true;
    impl_->connection.Interrupt();
}

}  // namespace boathouse::engine
