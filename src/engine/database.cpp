#include "engine/database.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/machine.hpp"
#include "engine/committed_files.hpp"
#include "engine/inlined_reads.hpp"
#include "engine/postgres_casts.hpp"

namespace boathouse::engine {
namespace {

// In the order in which they need each other: ducklake finds postgres_scanner, aws finds httpfs.
constexpr const char* kExtensions[] = {"json", "icu", "postgres_scanner", "httpfs", "aws", "ducklake"};

// PostgreSQL's shared buffers, the page cache and libraries want the rest.
constexpr double kMemoryShare = 0.6;

std::int64_t memory_limit_mb(const config::Settings& settings) {
    if (settings.memory_limit_mb > 0) return settings.memory_limit_mb;
    const std::int64_t usable_mb = usable_memory_bytes() / (1 << 20);
    return std::max<std::int64_t>(256, static_cast<std::int64_t>(static_cast<double>(usable_mb) * kMemoryShare));
}

// What DuckDB reads ahead of clients is not counted against its memory limit.
std::size_t stream_bytes(const config::Settings& settings) {
    constexpr std::int64_t kShareOfMemory = 32;
    return static_cast<std::size_t>(memory_limit_mb(settings) * (1 << 20) / kShareOfMemory);
}

void configure(duckdb::DBConfig& config, const config::Settings& settings) {
    const std::int64_t threads = settings.threads > 0 ? settings.threads : usable_processors();
    const std::int64_t memory_mb = memory_limit_mb(settings);
    config.SetOptionByName("extension_directory", duckdb::Value(settings.extension_dir));
    config.SetOptionByName("memory_limit", duckdb::Value(std::to_string(memory_mb) + "MiB"));
    config.SetOptionByName("threads", duckdb::Value::BIGINT(threads));
    config.SetOptionByName("temp_directory", duckdb::Value(config::spill_dir(settings)));
    // Nothing is fetched at run time: the extensions are those that lie beside the engine.
    config.SetOptionByName("autoinstall_known_extensions", duckdb::Value::BOOLEAN(false));
    config.SetOptionByName("autoload_known_extensions", duckdb::Value::BOOLEAN(false));
    config.SetOptionByName("allow_community_extensions", duckdb::Value::BOOLEAN(false));
    config.SetOptionByName("allow_persistent_secrets", duckdb::Value::BOOLEAN(false));
    log_info("engine", "DuckDB {}: {} threads, {} MiB memory", duckdb::DuckDB::LibraryVersion(), threads, memory_mb);
}

}  // namespace

Database::Database(duckdb::DBConfig& config, Scrubber scrubber, std::size_t stream_bytes)
    : scrubber_(std::move(scrubber)), stream_budget_(stream_bytes), instance_(nullptr, &config) {}

Result<std::unique_ptr<Database>> Database::open(const config::Settings& settings, Scrubber scrubber) {
    try {
        duckdb::DBConfig config;
        configure(config, settings);
        config.file_system = duckdb::make_uniq<CommittedFiles>(settings);
        std::unique_ptr<Database> database(new Database(config, std::move(scrubber), stream_bytes(settings)));
        for (const char* name : kExtensions) {
            const auto loaded = database->query(std::string("LOAD ") + name);
            if (!loaded) {
                return Error{ErrorKind::configuration,
                             fmt::format("DuckDB's extension \"{}\" cannot be loaded from {}: {}", name,
                                         settings.extension_dir, loaded.error().message),
                             fmt::format("The extensions must be the official ones for DuckDB {}, as "
                                         "{}/{}/<platform>/{}.duckdb_extension; install Boathouse again, or set "
                                         "--extension-dir to a directory that holds them.",
                                         duckdb::DuckDB::LibraryVersion(), settings.extension_dir,
                                         duckdb::DuckDB::LibraryVersion(), name),
                             loaded.error().detail};
            }
        }
        register_postgres_casts(*database->instance_.instance);
        install_inlined_reads(*database->instance_.instance);
        return database;
    } catch (const std::exception& exception) {
        const duckdb::ErrorData data(exception);
        return Error{ErrorKind::configuration, "DuckDB cannot be started: " + scrubber(data.RawMessage()),
                     "Check memory_limit_mb, threads, extension_dir and the data directory's tmp/.", ""};
    }
}

Result<Table> Database::query(const std::string& sql) {
    try {
        duckdb::Connection connection(instance_);
        const auto result = connection.Query(sql);
        if (result->HasError()) return describe(result->GetErrorObject());
        Table table;
        for (const auto& row : result->Collection().GetRows()) {
            std::vector<std::string> values;
            for (duckdb::idx_t column = 0; column < result->ColumnCount(); column++) {
                const auto value = row.GetValue(column);
                values.push_back(value.IsNull() ? "" : value.ToString());
            }
            table.push_back(std::move(values));
        }
        return table;
    } catch (const std::exception& exception) {
        return describe(duckdb::ErrorData(exception));
    }
}

void Database::with_file_system(const std::function<void(duckdb::FileSystem&)>& work) {
    duckdb::Connection connection(instance_);
    // A store that does not answer is told within seconds; the defaults add up to minutes.
    for (const char* setting : {"SET SESSION http_timeout = 10", "SET SESSION http_retries = 1"}) {
        const auto result = connection.Query(setting);
        if (result->HasError()) result->ThrowError();
    }
    connection.context->RunFunctionInTransaction([&] { work(duckdb::FileSystem::GetFileSystem(*connection.context)); });
}

Error Database::describe(const duckdb::ErrorData& data) const {
    std::string message = scrubber_(data.RawMessage());
    const std::string first = message.substr(0, message.find('\n'));
    std::replace(message.begin(), message.end(), '\n', ' ');  // a log line is one line
    ErrorKind kind = ErrorKind::internal;
    if (data.Type() == duckdb::ExceptionType::OUT_OF_MEMORY) kind = ErrorKind::limit;
    if (data.Type() == duckdb::ExceptionType::IO || data.Type() == duckdb::ExceptionType::CONNECTION ||
        data.Type() == duckdb::ExceptionType::HTTP) {
        kind = ErrorKind::unavailable;
    }
    return Error{kind, first, "", first.size() == message.size() ? "" : std::move(message)};
}

std::string literal(const std::string& text) {
    std::string quoted = "'";
    for (const char character : text) quoted += character == '\'' ? std::string("''") : std::string(1, character);
    return quoted + "'";
}

}  // namespace boathouse::engine
