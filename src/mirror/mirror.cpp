#include "mirror/mirror.hpp"

#include "base/log.hpp"
#include "catalog/box_database.hpp"
#include "engine/session.hpp"
#include "mirror/database.hpp"
#include "mirror/names.hpp"

namespace boathouse::mirror {
namespace {

std::string quoted(const std::string& name) {
    std::string text = "\"";
    for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
    return text + "\"";
}

// Bounds what is remembered of tables that statements have named.
constexpr std::size_t kNumberedTablesMax = 1000;

constexpr const char* kNumbers = R"sql(
SELECT r.oid, a.lake_name, p.attnum
  FROM pg_boathouse.schema s
  JOIN pg_boathouse.relation r ON r.schema = s.id
  JOIN pg_boathouse.attribute a ON a.relation = r.id
  JOIN pg_catalog.pg_attribute p ON p.attrelid = r.oid AND p.attname = a.name
 WHERE s.lake_name = $1 AND r.lake_name = $2)sql";

// A view's columns as a client would get them: bound under a client's restrictions, described by the same code.
class ViewBinder {
  public:
    explicit ViewBinder(engine::Lake& lake) : lake_(lake) {}

    Result<std::vector<LakeColumn>> bind(const std::string& schema, const std::string& view) {
        if (!session_) {
            auto opened = engine::Session::open(lake_, {});
            if (!opened) return cannot_tell(opened.error());
            session_ = std::move(*opened);
        }
        auto parsed = session_->parse("SELECT * FROM lake." + quoted(schema) + "." + quoted(view));
        if (!parsed) return unbound(parsed.error());
        const auto prepared = session_->prepare(std::move(*parsed), {});
        if (!prepared) return unbound(prepared.error());
        std::vector<LakeColumn> columns;
        for (const pgwire::ColumnDescription& column : (*prepared)->columns()) {
            LakeColumn& added = columns.emplace_back();
            added.id = static_cast<long long>(columns.size());
            added.name = column.name;
            added.type = column.type;
            added.modifier = column.modifier;
        }
        return columns;
    }

  private:
    // What a view names may be gone: then it has no columns that anybody could tell. A DuckDB that cannot bind
    // anything, because its catalog is away or it has broken, says nothing about the view.
    Result<std::vector<LakeColumn>> unbound(const engine::QueryError& error) {
        const std::string sqlstate = error.sqlstate;
        const bool is_environment = sqlstate.starts_with("08") || sqlstate.starts_with("53") ||
                                    sqlstate.starts_with("57") || sqlstate.starts_with("58");
        if (!is_environment && !lake_.failure()) return std::vector<LakeColumn>();
        return cannot_tell(error);
    }
    static Error cannot_tell(const engine::QueryError& error) {
        return {ErrorKind::unavailable, "the lake's views cannot be read: " + error.message, "Try again.", ""};
    }

    engine::Lake& lake_;
    std::unique_ptr<engine::Session> session_;
};

}  // namespace

Mirror::~Mirror() {
    if (first_.joinable()) first_.join();
}

void Mirror::start() {
    first_ = std::thread([this] {
        auto done = catch_up();
        // What was changed since they were last written down: by a process that was killed, or by an administrator.
        if (done) done = keep_privileges();
        if (done) return;
        // A catalog that is away is told of by those who need it now; the mirror looks again when it is asked.
        const LogLevel level = done.error().kind == ErrorKind::unavailable ? LogLevel::info : LogLevel::warning;
        log_line(level, "mirror", "not made yet: " + done.error().text());
    });
}

catalog::Endpoint Mirror::endpoint_for(const std::string& role) const {
    catalog::Endpoint endpoint = catalog::mirror_endpoint(settings_);
    endpoint.user = role;
    return endpoint;
}

access::CheckerOptions Mirror::checker_options() {
    access::CheckerOptions options;
    options.mirror = catalog::mirror_endpoint(settings_);
    // A catalog that cannot be reached is told of by the first connection.
    if (auto lake = catalog::lake_endpoint(settings_)) options.lake = *lake;
    options.catch_up = [this] { return catch_up(); };
    options.remake = [this] { return look_again(); };
    return options;
}

std::string Mirror::shown_schema(const std::string& schema) const {
    return schema_name(schema, 0, {.lake_has_public = lake_has_public_});
}

void Mirror::distrust() {
    const std::lock_guard lock(mutex_);
    shown_.reset();
    mirror_connection_.reset();
    const std::lock_guard numbers_lock(numbers_mutex_);
    numbered_version_ = -1;
    numbers_connection_.reset();
}

Status Mirror::look_again() {
    distrust();
    return catch_up();
}

Status Mirror::catch_up() {
    const Clock::time_point came = Clock::now();
    const std::lock_guard lock(mutex_);
    if (shown_ && last_began_ > came) return {};
    const Clock::time_point began = Clock::now();
    auto done = check();
    if (!done) {
        // Connections may have gone with a PostgreSQL that was started again: once more, on new ones.
        lake_connection_.reset();
        mirror_connection_.reset();
        shown_.reset();
        done = check();
    }
    if (done) last_began_ = began;
    return done;
}

Status Mirror::connect() {
    if (!lake_connection_) {
        auto endpoint = catalog::lake_endpoint(settings_);
        if (!endpoint) return endpoint.error();
        auto opened = catalog::Connection::open(*endpoint);
        if (!opened) return opened.error();
        lake_connection_.emplace(std::move(*opened));
    }
    return {};
}

Status Mirror::check() {
    if (auto connected = connect(); !connected) return connected;
    auto newest = newest_snapshot(*lake_connection_);
    if (!newest) return newest.error();
    if (shown_ == *newest) return {};
    const bool only_data = shown_ && shown_->schema_version == newest->schema_version && shown_->id <= newest->id;
    if (only_data && Clock::now() - statistics_at_ < kStatisticsAge) return {};
    return synchronize_now();
}

Status Mirror::synchronize_now() {
    if (!mirror_connection_) {
        if (auto prepared = prepare_database(settings_); !prepared) return prepared;
        auto opened = catalog::Connection::open(catalog::mirror_endpoint(settings_));
        if (!opened) return opened.error();
        mirror_connection_.emplace(std::move(*opened));
    }
    ViewBinder binder(lake_);
    SyncOptions options;
    options.owner = settings_.postgres_user;
    const bool all_statistics = !shown_ || Clock::now() - statistics_at_ >= kStatisticsAge;
    options.statistics = all_statistics ? StatisticsOf::all : StatisticsOf::changed;
    options.shown_statistics = &shown_statistics_;
    options.bind_view = [&binder](const std::string& schema, const std::string& view) {
        return binder.bind(schema, view);
    };
    const Clock::time_point began = Clock::now();
    if (!shown_) shown_statistics_.clear();  // by whatever process the mirror was left
    auto report = synchronize(*mirror_connection_, *lake_connection_, options);
    if (!report) {
        shown_statistics_.clear();
        return report.error();
    }
    if (auto restored = restore_once(); !restored) return restored;
    shown_ = report->snapshot;
    lake_has_public_ = report->lake_has_public;
    {
        const std::lock_guard lock(numbers_mutex_);
        if (report->changed > 0 || numbered_version_ != shown_->schema_version) numbers_.clear();
        numbered_version_ = shown_->schema_version;
    }
    const Clock::time_point ended = Clock::now();
    if (all_statistics) statistics_at_ = ended;
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(ended - began);
    log_debug("mirror", "snapshot {} shown after {} ms: {} changes{}", report->snapshot.id, took.count(),
              report->changed, report->complete ? ", everything compared" : "");
    return {};
}

// A mirror that was made anew has nobody's privileges yet, and shows nothing to clients before it has.
Status Mirror::restore_once() {
    auto restored = mirror_connection_->query("SELECT restored FROM pg_boathouse.state");
    if (!restored) return restored.error();
    if (!restored->empty() && restored->front().front() == "t") return {};
    auto superuser = connect_to_arrange(settings_);
    if (!superuser) return superuser.error();
    auto endpoint = catalog::box_database_endpoint(settings_);
    if (!endpoint) return endpoint.error();
    auto box = catalog::Connection::open(*endpoint);
    if (!box) return box.error();
    return restore_privileges(*superuser, *lake_connection_, *box);
}

Status Mirror::keep() {
    auto endpoint = catalog::box_database_endpoint(settings_);
    if (!endpoint) return endpoint.error();
    auto box = catalog::Connection::open(*endpoint);
    if (!box) return box.error();
    if (!mirror_connection_) {
        auto opened = catalog::Connection::open(catalog::mirror_endpoint(settings_));
        if (!opened) return opened.error();
        mirror_connection_.emplace(std::move(*opened));
    }
    auto strange = strange_owners(*mirror_connection_);
    if (!strange) return strange.error();
    if (!strange->empty()) {
        auto superuser = connect_to_arrange(settings_);
        if (!superuser) return superuser.error();
        if (auto done = act_for(*superuser, *strange); !done) return done;
    }
    return boathouse::mirror::keep_privileges(*mirror_connection_, *lake_connection_, *box);
}

Status Mirror::keep_privileges() {
    if (auto current = catch_up(); !current) return current;
    const std::lock_guard lock(mutex_);
    return keep();
}

Status Mirror::hand_over(const Making& making) {
    if (making.role == settings_.postgres_user) return {};  // the lake's owner has it already
    if (auto current = catch_up(); !current) return current;
    const std::lock_guard lock(mutex_);
    auto superuser = connect_to_arrange(settings_);
    if (!superuser) return superuser.error();
    if (auto done = boathouse::mirror::hand_over(*superuser, *lake_connection_, making); !done) return done;
    return keep();
}

Result<Mirror::Numbers> Mirror::read_numbers(const TableName& name) {
    if (!numbers_connection_) {
        auto opened = catalog::Connection::open(catalog::mirror_endpoint(settings_));
        if (!opened) return opened.error();
        numbers_connection_.emplace(std::move(*opened));
    }
    auto rows = numbers_connection_->query(kNumbers, {name.first, name.second});
    if (!rows) return rows.error();
    Numbers numbers;
    for (const catalog::Row& row : *rows) {
        numbers.table = static_cast<std::uint32_t>(std::stoul(row[0].value_or("0")));
        numbers.columns[row[1].value_or("")] = static_cast<std::int16_t>(std::stoi(row[2].value_or("0")));
    }
    return numbers;
}

// REQUIRES: numbers_mutex_.
const Mirror::Numbers* Mirror::numbers_of(const TableName& name) {
    if (const auto known = numbers_.find(name); known != numbers_.end()) return &known->second;
    auto read = read_numbers(name);
    if (!read) {
        log_debug("mirror", "a table's numbers are not known: {}", read.error().message);
        numbers_connection_.reset();
        return nullptr;
    }
    if (numbers_.size() >= kNumberedTablesMax) numbers_.clear();
    return &numbers_.emplace(name, std::move(*read)).first->second;
}

void Mirror::fill(const engine::ColumnOrigins& origins, std::vector<pgwire::ColumnDescription>& columns) {
    if (!origins.schema_version || numbered_version_ < 0) return;
    if (numbered_version_ < *origins.schema_version && !catch_up()) return;
    if (numbered_version_ < *origins.schema_version) return;  // a change that is not committed
    const std::lock_guard lock(numbers_mutex_);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const engine::ColumnOrigin& origin = origins.columns[i];
        if (origin.table.empty()) continue;
        const Numbers* const numbers = numbers_of({origin.schema, origin.table});
        if (!numbers) continue;
        const auto column = numbers->columns.find(origin.column);
        if (column == numbers->columns.end()) continue;
        columns[i].table = numbers->table;
        columns[i].number = column->second;
    }
}

}  // namespace boathouse::mirror
