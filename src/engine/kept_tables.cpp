#include "engine/kept_tables.hpp"

#include <algorithm>
#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/schema_catalog_entry.hpp>
#include <duckdb/catalog/catalog_entry/table_catalog_entry.hpp>
#include <duckdb/catalog/catalog_search_path.hpp>
#include <duckdb/main/appender.hpp>
#include <duckdb/main/attached_database.hpp>
#include <duckdb/main/client_context_state.hpp>
#include <duckdb/main/client_data.hpp>
#include <duckdb/main/database_manager.hpp>
#include <duckdb/parser/parsed_data/attach_info.hpp>
#include <duckdb/parser/parsed_data/create_schema_info.hpp>
#include <duckdb/parser/parsed_data/create_table_info.hpp>
#include <duckdb/planner/operator/logical_get.hpp>
#include <duckdb/transaction/meta_transaction.hpp>
#include <limits>

#include "base/log.hpp"
#include "catalog/give_way.hpp"

namespace boathouse::engine {

using duckdb::ClientContext;
using duckdb::StringUtil;

namespace {

constexpr const char* kLake = "lake";
constexpr const char* kState = "boathouse_kept_tables";

// What a table may have, and what all may: beyond, a query's time is not that of its planning.
constexpr long long kRowsMax = 100'000;
constexpr std::size_t kTableShare = 8;
// Names that were asked for; beyond, all is learnt anew.
constexpr std::size_t kNamesMax = 10'000;
// Snapshots that are looked through for their changes at once.
constexpr long long kSnapshotsMax = 1'000;

// Questions before a table is read: one that is asked once is not read twice. Where what was read was changed before
// anybody asked for it, twice as many, up to a limit.
constexpr unsigned kAskedMin = 2;
constexpr unsigned kAskedMost = 64;
constexpr unsigned kAskedOfLarge = 1024;
constexpr unsigned kNever = std::numeric_limits<unsigned>::max();

// Table functions that make their rows of their arguments.
constexpr std::string_view kRowMakers[] = {"range", "generate_series", "unnest"};

constexpr const char* kChanges =
    "SELECT s.schema_version, c.changes_made, c.author FROM public.ducklake_snapshot s "
    "LEFT JOIN public.ducklake_snapshot_changes c ON c.snapshot_id = s.snapshot_id "
    "WHERE s.snapshot_id > $1::bigint AND s.snapshot_id <= $2::bigint";

// Of a connection that reads kept tables at times.
struct KeptState final : duckdb::ClientContextState {
    void TransactionBegin(duckdb::MetaTransaction& transaction, ClientContext&) override {
        if (kept) transaction.UseDatabase(kept);
    }
    duckdb::shared_ptr<duckdb::AttachedDatabase> kept;  // null: not now
    long long schema = -1;
    std::vector<std::pair<std::string, std::string>> tables;  // that may be read: others' rows may be old
    // The schema that was searched when kept tables were first read. A statement that was prepared then keeps its plan
    // when another is searched, and would read tables that nobody has looked at.
    std::optional<std::string> searched;
};

std::string searched_schema(ClientContext& context) {
    const std::string& schema = duckdb::ClientData::Get(context).catalog_search_path->GetSetPaths().front().schema;
    return schema.empty() ? DEFAULT_SCHEMA : schema;
}

// Questions before a table that was not read is tried again.
unsigned asked_after(TableReader::Outcome outcome) {
    if (outcome == TableReader::Outcome::unfit) return kNever;
    return outcome == TableReader::Outcome::too_large ? kAskedOfLarge : kAskedMost;
}

duckdb::shared_ptr<duckdb::AttachedDatabase> make_database(duckdb::DatabaseInstance& instance) {
    duckdb::Connection connection(instance);
    duckdb::shared_ptr<duckdb::AttachedDatabase> made;
    connection.context->RunFunctionInTransaction([&] {
        duckdb::AttachInfo info;
        info.name = kLake;
        info.path = ":memory:";
        duckdb::AttachOptions options({}, duckdb::AccessMode::READ_WRITE);
        options.visibility = duckdb::AttachVisibility::HIDDEN;
        made = instance.CreateAttachedDatabase(*connection.context, info, options);
        made->oid = duckdb::DatabaseManager::Get(instance).NextOid();
        made->Initialize(connection.context.get());
        made->FinalizeLoad(connection.context.get());
    });
    return made;
}

}  // namespace

std::optional<long long> schema_version_of(ClientContext& context, duckdb::Catalog& lake) {
    const auto state = context.registered_state->Get<KeptState>(kState);
    if (state && state->kept && &lake == &state->kept->GetCatalog()) return state->schema;
    const auto version = lake.GetCatalogVersion(context);
    if (!version.IsValid()) return std::nullopt;
    return static_cast<long long>(version.GetIndex());
}

void check_reads_rows_alone(ClientContext& context, duckdb::LogicalOperator& op) {
    if (op.type != duckdb::LogicalOperatorType::LOGICAL_GET) return;
    const auto state = context.registered_state->Get<KeptState>(kState);
    if (!state || !state->kept) return;
    auto& get = op.Cast<duckdb::LogicalGet>();
    const auto table = get.GetTable();
    if (!table) {
        const std::string& name = get.function.name;
        if (name.empty() || std::find(std::begin(kRowMakers), std::end(kRowMakers), name) != std::end(kRowMakers))
            return;
        throw duckdb::BinderException("%s does not read kept rows", name);
    }
    const auto& ids = get.GetColumnIds();
    const bool names_places = std::any_of(ids.begin(), ids.end(), [](const auto& id) { return id.IsVirtualColumn(); });
    const std::pair key(StringUtil::Lower(table->ParentSchema().name), StringUtil::Lower(table->name));
    const bool may_be_read = std::find(state->tables.begin(), state->tables.end(), key) != state->tables.end();
    if (names_places || !may_be_read || &table->ParentCatalog() != &state->kept->GetCatalog())
        throw duckdb::BinderException("%s has more than kept rows", table->name);
}

KeptTables::Reading::Reading(KeptTables& tables, ClientContext& context, std::uint64_t generation, long long schema,
                             std::vector<Key> keys)
    : tables_(tables), context_(context), generation_(generation) {
    const auto state = context.registered_state->GetOrCreate<KeptState>(kState);
    state->kept = tables.kept_;
    state->schema = schema;
    state->tables = std::move(keys);
    if (!state->searched) state->searched = searched_schema(context);
}
KeptTables::Reading::~Reading() {
    context_.registered_state->Get<KeptState>(kState)->kept.reset();
}
bool KeptTables::Reading::holds() const {
    return tables_.generation_ == generation_;
}

KeptTables::KeptTables(duckdb::DatabaseInstance& database, const catalog::Endpoint& catalog, std::size_t bytes_max)
    : database_(database),
      kept_(make_database(database)),
      bytes_max_(bytes_max),
      catalog_(catalog),
      reader_(database, catalog, kRowsMax, bytes_max / kTableShare),
      worker_([this] { work(); }) {}

KeptTables::~KeptTables() {
    {
        const std::lock_guard lock(mutex_);
        stops_ = true;
    }
    reader_.interrupt();
    wanted_.notify_all();
    worker_.join();
}

KeptCounts KeptTables::counts() const {
    KeptCounts counts;
    counts.reads = reads_;
    counts.loads = loads_;
    const std::lock_guard lock(mutex_);
    for (const auto& [key, table] : tables_) {
        counts.tables += table.is_valid ? 1 : 0;
        counts.bytes += table.bytes;
    }
    return counts;
}

// Nothing where a name may mean something else than a table of the lake's: only one schema is searched.
std::optional<std::vector<KeptTables::Key>> KeptTables::keys_of(ClientContext& context, const Mentions& mentions) {
    const auto& path = duckdb::ClientData::Get(context).catalog_search_path->GetSetPaths();
    if (path.size() != 1 || path.front().catalog != kLake) return std::nullopt;
    if (mentions.names_places) return std::nullopt;
    std::vector<Key> keys;
    for (const Mentions::Relation& relation : mentions.relations) {
        if (relation.is_pinned || (!relation.catalog.empty() && !StringUtil::CIEquals(relation.catalog, kLake)))
            return std::nullopt;
        // Where it is a table all the same, outside of its WITH, binding refuses it: it is not among the keys.
        const std::string name = StringUtil::Lower(relation.name);
        if (relation.schema.empty() && mentions.common_tables.contains(name)) continue;
        keys.emplace_back(StringUtil::Lower(relation.schema.empty() ? searched_schema(context) : relation.schema),
                          name);
    }
    if (keys.empty()) return std::nullopt;
    return keys;
}

bool KeptTables::are_valid(const std::vector<Key>& keys) {
    if (tables_.size() >= kNamesMax) forget_all();
    bool valid = true;
    bool is_wanted = false;
    for (const Key& key : keys) {
        Table& table = tables_[key];
        table.used = ++uses_;
        if (table.is_valid) continue;
        valid = false;
        if (table.is_queued || table.asked_min == kNever) continue;
        if (++table.asked < std::max(table.asked_min, kAskedMin)) continue;
        table.asked = 0;
        table.is_queued = true;
        queue_.push_back(key);
        is_wanted = true;
    }
    if (is_wanted) wanted_.notify_one();
    return valid;
}

void KeptTables::let_go(Table& table) {
    table.is_valid = false;
    if (table.bytes == 0) return;
    to_drop_.emplace_back(table.schema, table.name);
    table.bytes = 0;
}

void KeptTables::forget_all() {
    for (auto& [key, table] : tables_) let_go(table);
    tables_.clear();
    queue_.clear();
    macros_.clear();
    schema_ = through_ = -1;
    wanted_.notify_one();
}

void KeptTables::apply(const TableChanges& changes, long long through) {
    if (changes.is_more) return forget_all();
    for (auto& [key, table] : tables_) {
        if (!table.is_valid || !changes.tables.contains(table.number)) continue;
        table.is_valid = false;
        table.asked_min = table.was_read ? kAskedMin : std::min(2 * std::max(table.asked_min, kAskedMin), kAskedMost);
    }
    through_ = through;
}

std::unique_ptr<KeptTables::Reading> KeptTables::read(ClientContext& context, const Mentions& mentions,
                                                      const AskNewest& ask) {
    auto keys = keys_of(context, mentions);
    if (!keys || !ask) return nullptr;
    const auto state = context.registered_state->Get<KeptState>(kState);
    if (state && state->searched && *state->searched != searched_schema(context)) return nullptr;
    long long known_before = -1;
    {
        const std::lock_guard lock(mutex_);
        if (!are_valid(*keys)) return nullptr;
        known_before = through_;
    }
    const auto newest = ask();
    if (!newest) return nullptr;
    {
        const std::lock_guard advancing(advancing_);
        if (!catch_up(*newest, known_before)) return nullptr;
    }
    const std::lock_guard lock(mutex_);
    const std::uint64_t generation = generation_;
    if (generation % 2 != 0 || !are_valid(*keys)) return nullptr;
    const bool calls_macro =
        std::any_of(mentions.functions.begin(), mentions.functions.end(),
                    [this](const std::string& name) { return macros_.contains(StringUtil::Lower(name)); }) ||
        std::any_of(std::begin(kRowMakers), std::end(kRowMakers),
                    [this](std::string_view name) { return macros_.contains(std::string(name)); });
    if (calls_macro) return nullptr;
    for (const Key& key : *keys) tables_[key].was_read = true;
    return std::make_unique<Reading>(*this, context, generation, schema_, std::move(*keys));
}

bool KeptTables::catch_up(const LakeMoment& newest, long long known_before) {
    long long after = 0;
    {
        const std::lock_guard lock(mutex_);
        // The catalog has been brought back to an earlier time, or its schema has moved on.
        const bool is_past = newest.snapshot < known_before;
        if (is_past || (newest.snapshot > through_ && newest.schema != schema_)) {
            forget_all();
            return false;
        }
        if (newest.schema != schema_) return false;
        if (newest.snapshot <= through_) return true;
        after = through_;
    }
    const auto changes = changes_between(after, newest.snapshot, newest.schema);
    if (!changes) return false;
    const std::lock_guard lock(mutex_);
    if (through_ == after) apply(*changes, newest.snapshot);
    return true;
}

std::optional<TableChanges> KeptTables::changes_between(long long after, long long upto, long long schema) {
    TableChanges changes;
    if (upto - after > kSnapshotsMax) {
        changes.is_more = true;
        return changes;
    }
    if (!connection_ || !connection_->is_alive()) {
        connection_.reset();
        auto opened = catalog::Connection::open(catalog_);
        if (!opened) return std::nullopt;
        connection_.emplace(std::move(*opened));
    }
    const auto rows = connection_->query(kChanges, {std::to_string(after), std::to_string(upto)});
    if (!rows) {
        connection_.reset();
        return std::nullopt;
    }
    // Snapshots have consecutive numbers: one that is missing has ended, and what it changed is not known.
    changes.is_more = static_cast<long long>(rows->size()) != upto - after;
    for (const catalog::Row& row : *rows) {
        if (!row[1] || row[0] != std::to_string(schema)) changes.is_more = true;
        add_changes(changes, row[1].value_or(""), row[2] == catalog::kKeeperAuthor);
    }
    return changes;
}

void KeptTables::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        wanted_.wait(lock, [this] { return stops_ || !queue_.empty() || !to_drop_.empty(); });
        if (stops_) return;
        const auto old = std::exchange(to_drop_, {});
        std::optional<Key> key;
        if (!queue_.empty()) {
            key = queue_.front();
            queue_.erase(queue_.begin());
        }
        lock.unlock();
        drop(old);
        if (key) {
            TableCopy copy;
            const TableReader::Outcome outcome = reader_.read(key->first, key->second, copy);
            if (outcome == TableReader::Outcome::read) {
                ++loads_;
                publish(*key, copy);
            }
            const std::lock_guard again(mutex_);
            if (const auto entry = tables_.find(*key); entry != tables_.end()) {
                entry->second.is_queued = false;
                if (outcome != TableReader::Outcome::read) entry->second.asked_min = asked_after(outcome);
            }
        }
        lock.lock();
    }
}

// Throws what DuckDB throws.
void KeptTables::fill(duckdb::Connection& own, const TableCopy& copy) {
    ClientContext& context = *own.context;
    duckdb::Catalog& catalog = kept_->GetCatalog();
    duckdb::MetaTransaction::Get(context).ModifyDatabase(*kept_,
                                                         duckdb::DatabaseModificationType::CREATE_CATALOG_ENTRY);
    duckdb::CreateSchemaInfo schema;
    schema.catalog = kLake;
    schema.schema = copy.schema;
    schema.on_conflict = duckdb::OnCreateConflict::IGNORE_ON_CONFLICT;
    catalog.CreateSchema(context, schema);
    auto info = duckdb::make_uniq<duckdb::CreateTableInfo>(kLake, copy.schema, copy.name);
    for (std::size_t i = 0; i < copy.names.size(); ++i)
        info->columns.AddColumn(duckdb::ColumnDefinition(copy.names[i], copy.types[i]));
    info->on_conflict = duckdb::OnCreateConflict::REPLACE_ON_CONFLICT;
    auto made = catalog.CreateTable(context, std::move(info));
    duckdb::InternalAppender appender(context, made->Cast<duckdb::TableCatalogEntry>());
    for (auto& chunk : copy.rows->Chunks()) appender.AppendDataChunk(chunk);
    appender.Close();
}

void KeptTables::publish(const Key& key, const TableCopy& copy) {
    try {
        duckdb::Connection own(database_);
        const auto state = own.context->registered_state->GetOrCreate<KeptState>(kState);
        state->kept = kept_;
        own.BeginTransaction();
        own.context->RunFunctionInTransaction([&] { fill(own, copy); });

        const std::lock_guard advancing(advancing_);
        std::unique_lock lock(mutex_);
        if (schema_ != copy.schema_version && copy.snapshot > through_) {
            forget_all();
            tables_[key].is_queued = true;
            schema_ = copy.schema_version;
            through_ = copy.snapshot;
            macros_ = copy.macros;
        }
        if (schema_ != copy.schema_version) return;
        // Others have moved on since it was read, or it is ahead of them.
        if (copy.snapshot != through_) {
            const long long after = std::min(copy.snapshot, through_);
            const long long upto = std::max(copy.snapshot, through_);
            lock.unlock();
            const auto changes = changes_between(after, upto, copy.schema_version);
            lock.lock();
            if (!changes) return;
            if (copy.snapshot == upto) apply(*changes, upto);
            if (changes->is_more || (copy.snapshot == after && changes->tables.contains(copy.number))) return;
        }
        ++generation_;
        try {
            own.Commit();
        } catch (const std::exception&) {
            ++generation_;
            throw;
        }
        std::erase(to_drop_, std::pair(copy.schema, copy.name));  // what was there has been replaced
        Table& table = tables_[key];
        table.schema = copy.schema;
        table.name = copy.name;
        table.number = copy.number;
        table.bytes = copy.bytes;
        table.used = ++uses_;
        table.was_read = false;
        table.is_valid = true;
        make_room(key);
        ++generation_;
    } catch (const std::exception& exception) {
        log_warning("engine", "a table of the lake cannot be kept in memory: {}", exception.what());
    }
}

// Those that were used longest ago go.
void KeptTables::make_room(const Key& newcomer) {
    while (true) {
        std::size_t bytes = 0;
        std::pair<const Key, Table>* oldest = nullptr;
        for (auto& entry : tables_) {
            bytes += entry.second.bytes;
            if (entry.first == newcomer || entry.second.bytes == 0) continue;
            if (oldest == nullptr || entry.second.used < oldest->second.used) oldest = &entry;
        }
        if (bytes <= bytes_max_ || oldest == nullptr) return;
        let_go(oldest->second);
    }
}

void KeptTables::drop(const std::vector<std::pair<std::string, std::string>>& tables) {
    if (tables.empty()) return;
    duckdb::Connection own(database_);
    own.context->registered_state->GetOrCreate<KeptState>(kState)->kept = kept_;
    for (const auto& [schema, name] : tables) {
        own.Query("DROP TABLE IF EXISTS " + std::string(kLake) + "." + duckdb::KeywordHelper::WriteQuoted(schema, '"') +
                  "." + duckdb::KeywordHelper::WriteQuoted(name, '"'));
    }
}

}  // namespace boathouse::engine
