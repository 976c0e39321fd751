#include "engine/snapshot_appender.hpp"

#include <algorithm>
#include <set>

#include "base/log.hpp"
#include "engine/column_bounds.hpp"
#include "engine/new_rows_impl.hpp"

namespace boathouse::engine {

using catalog::TableAppend;
using catalog::TableStatistics;

namespace {

// Beyond these, everything is learnt anew: a lake of very many tables must not fill the memory.
constexpr std::size_t kKnownMax = 10'000;
// A row of PostgreSQL's is as wide as a page at most, of which each value takes a part.
constexpr std::size_t kColumnsMax = 200;

std::size_t count_of(const TableRows& table) {
    std::size_t count = 0;
    for (const NewRows* rows : table.rows) count += rows->count();
    return count;
}

// The rows of many statements, of which each has few, in chunks as large as can be: what is done for each chunk is done
// for many rows.
void each_full_chunk(const TableRows& table, const std::function<void(duckdb::DataChunk&)>& take) {
    if (table.rows.size() == 1) return table.rows.front()->impl().each_chunk(take);
    duckdb::DataChunk full;
    const auto capacity = std::min<std::size_t>(count_of(table), STANDARD_VECTOR_SIZE);
    full.Initialize(duckdb::Allocator::DefaultAllocator(), table.shape->types, capacity);
    for (const NewRows* rows : table.rows) {
        rows->impl().each_chunk([&](duckdb::DataChunk& chunk) {
            if (full.size() + chunk.size() > capacity) {
                take(full);
                full.Reset();
            }
            full.Append(chunk);
        });
    }
    take(full);
}

// DuckLake's data_inlining_row_limit for the table, from SnapshotAppend's text of all options.
std::string inlining_limit(const std::string& options, const catalog::TableFacts& facts) {
    constexpr char kFields = '\x1f';
    constexpr char kRows = '\x1e';
    std::string limit = "10";
    int closest = -1;
    for (const std::string& option : duckdb::StringUtil::Split(options, kRows)) {
        const auto fields = duckdb::StringUtil::Split(option, kFields);
        if (fields.size() < 2 || fields[0] != "data_inlining_row_limit") continue;
        int distance = 0;  // the larger, the closer to the table
        if (fields.size() == 4) {
            const bool is_table = fields[2] == "table";
            if (fields[3] != std::to_string(is_table ? facts.id : facts.schema_id)) continue;
            distance = is_table ? 2 : 1;
        }
        if (distance <= closest) continue;
        closest = distance;
        limit = fields[1];
    }
    return limit;
}

bool says(const std::string& options, const std::string& key, const std::string& value) {
    return options.find(key + '\x1f' + value) != std::string::npos;
}

TableStatistics statistics_after(const TableStatistics& before, const std::vector<catalog::TableFacts::Column>& columns,
                                 const std::vector<ColumnBounds>& bounds, std::size_t count) {
    TableStatistics after = before;
    after.is_there = true;
    after.record_count += static_cast<long long>(count);
    after.next_row_id += static_cast<long long>(count);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (!before.is_there) {
            after.columns.push_back(bounds[i].alone(columns[i].id));
            continue;
        }
        for (catalog::ColumnStatistics& column : after.columns) {
            if (column.column_id == columns[i].id) column = bounds[i].after(column);
        }
    }
    return after;
}

}  // namespace

SnapshotAppender::SnapshotAppender(catalog::Endpoint endpoint, ReadShape read_shape)
    : endpoint_(std::move(endpoint)), read_shape_(std::move(read_shape)) {}
SnapshotAppender::~SnapshotAppender() = default;

// Without asking anybody.
bool SnapshotAppender::cannot_cover(const std::vector<TableRows>& tables) {
    std::set<Key> keys;
    for (const TableRows& table : tables) {
        if (count_of(table) > kRowsMax || !keys.insert(key_of(*table.shape)).second) return true;
        const auto found = known_.find(key_of(*table.shape));
        if (found == known_.end()) continue;
        const Known& known = found->second;
        if (!known.is_covered && known.schema_version == newest_version_ && known.shape->same_as(*table.shape))
            return true;
    }
    return false;
}

bool SnapshotAppender::allows_inlining(const Known& known) const {
    return inlining_limit(state_.options, known.facts) != "0" && !says(state_.options, "encrypted", "true") &&
           !says(state_.options, "require_commit_message", "true");
}

bool SnapshotAppender::has_connection() {
    if (catalog_ && catalog_->is_alive()) return true;
    catalog_.reset();
    state_ = {};
    auto opened = catalog::SnapshotAppend::open(endpoint_);
    if (!opened) {
        log_debug("engine", "rows are committed by the extension: {}", opened.error().message);
        return false;
    }
    catalog_.emplace(std::move(*opened));
    return true;
}

bool SnapshotAppender::is_ready(const std::vector<TableRows>& tables) {
    if (state_.snapshot < 0) return false;
    return std::all_of(tables.begin(), tables.end(), [&](const TableRows& table) {
        const auto found = known_.find(key_of(*table.shape));
        if (found == known_.end()) return false;
        const Known& known = found->second;
        return known.is_covered && known.schema_version == state_.schema_version && known.epoch == epoch_ &&
               known.shape->same_as(*table.shape) && allows_inlining(known);
    });
}

SnapshotAppender::Answer SnapshotAppender::failure(const Error& error) {
    Answer answer;
    answer.error = error.message;
    state_.snapshot = -1;
    if (catalog_->is_behind()) {
        answer.fate = Fate::conflict;
        return answer;
    }
    if (catalog_->is_lost()) catalog_.reset();
    return answer;  // the extension tells what is wrong, or does better
}

SnapshotAppender::Answer SnapshotAppender::append(const std::vector<TableRows>& tables, const std::string& note,
                                                  const std::string& since) {
    if (cannot_cover(tables) || !has_connection()) return {};
    if (!is_ready(tables)) {
        if (!since.empty()) return {Fate::moved};
        Answer answer = append_again(tables, note, false);
        return answer.fate == Fate::conflict ? append_again(tables, note, true) : answer;
    }
    const auto writes = encode(tables);
    const auto done = catalog_->append(state_, writes, note, since);
    if (!done) {
        if (catalog_->is_behind() && !since.empty()) return {Fate::moved};
        if (catalog_->is_behind()) return append_again(tables, note, true);
        const bool is_lost = catalog_->is_lost();
        Answer answer = failure(done.error());
        if (is_lost) answer.fate = Fate::unknown;
        return answer;
    }
    settle(tables, writes);
    return {Fate::committed, {}, {}, state_.snapshot, *done};
}

SnapshotAppender::Answer SnapshotAppender::append_again(const std::vector<TableRows>& tables, const std::string& note,
                                                        bool alone) {
    try {
        return append_at_newest(tables, note, alone);
    } catch (const std::exception&) {
        if (catalog_) catalog_->roll_back();
        throw;
    }
}

SnapshotAppender::Answer SnapshotAppender::append_at_newest(const std::vector<TableRows>& tables,
                                                            const std::string& note, bool alone) {
    const auto state = catalog_->begin(alone);
    if (!state) return failure(state.error());
    if (state->snapshot != state_.snapshot) ++epoch_;
    state_ = *state;
    newest_version_ = state->schema_version;
    if (auto answer = prepare(tables)) {
        if (catalog_) catalog_->roll_back();
        return *answer;
    }
    const auto writes = encode(tables);
    const auto done = catalog_->finish(state_, writes, note);
    if (!done) {
        const bool is_lost = catalog_->is_lost();
        Answer answer = failure(done.error());
        if (is_lost) answer.fate = Fate::unknown;
        return answer;
    }
    settle(tables, writes);
    return {Fate::committed, {}, {}, state_.snapshot, *done};
}

std::optional<SnapshotAppender::Answer> SnapshotAppender::prepare(const std::vector<TableRows>& tables) {
    Answer stale{Fate::stale};
    for (const TableRows& table : tables) {
        auto answer = look_at(table);
        if (!answer) continue;
        if (answer->fate != Fate::stale) return answer;
        stale.stale.push_back(&table);
    }
    if (stale.stale.empty()) return std::nullopt;
    return stale;
}

std::optional<SnapshotAppender::Answer> SnapshotAppender::look_at(const TableRows& rows) {
    if (known_.size() >= kKnownMax) known_.clear();
    Known& known = known_[key_of(*rows.shape)];
    if (known.schema_version != state_.schema_version) {
        auto now = read_shape_(*rows.shape);
        if (!now) return Answer{Fate::stale};
        // The extension may have looked at a later snapshot than this transaction does.
        if (now->lake_version != state_.schema_version) return Answer{Fate::conflict, {}, "the schema is changing"};
        known = Known{std::move(now), state_.schema_version};
        if (!learn(known)) return failure(Error{ErrorKind::unavailable, "the catalog cannot be read", "", ""});
    }
    if (!known.shape->same_as(*rows.shape)) return Answer{Fate::stale};
    if (!known.is_covered || !allows_inlining(known)) return Answer{};
    if (known.epoch == epoch_) return std::nullopt;
    auto statistics = catalog_->statistics(known.facts.id);
    if (!statistics) return failure(statistics.error());
    known.statistics = std::move(*statistics);
    known.epoch = epoch_;
    return std::nullopt;
}

// False: the catalog cannot be asked.
bool SnapshotAppender::learn(Known& known) {
    auto facts = catalog_->table(known.shape->schema, known.shape->table);
    if (!facts) return false;
    if (!*facts || !(*facts)->is_plain || (*facts)->inlined_table.empty()) return true;
    known.facts = std::move(**facts);
    const std::size_t count = known.shape->names.size();
    if (count > kColumnsMax || known.facts.columns.size() != count || known.facts.inlined_columns.size() != count)
        return true;
    for (std::size_t i = 0; i < count; ++i) {
        auto type = inlined_type(known.shape->types[i]);
        if (!type || type->column != known.facts.inlined_columns[i].type ||
            known.shape->names[i] != known.facts.inlined_columns[i].name ||
            known.shape->names[i] != known.facts.columns[i].name)
            return true;
        known.types.push_back(std::move(*type));
    }
    known.is_covered = true;
    return true;
}

TableAppend SnapshotAppender::encode(const Known& known, const TableRows& rows) {
    const std::size_t count = count_of(rows);
    std::vector<InlinedColumn> columns;
    std::vector<ColumnBounds> bounds;
    for (std::size_t i = 0; i < known.types.size(); ++i) {
        columns.emplace_back(known.types[i], count);
        bounds.emplace_back(known.shape->types[i]);
    }
    each_full_chunk(rows, [&](duckdb::DataChunk& chunk) {
        for (std::size_t i = 0; i < columns.size(); ++i) {
            columns[i].add(chunk.data[i], chunk.size());
            bounds[i].add(chunk.data[i], chunk.size());
        }
    });
    TableAppend append;
    append.table_id = known.facts.id;
    append.inlined_table = known.facts.inlined_table;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        append.array_types.emplace_back(known.types[i].element);
        append.column_types.push_back(known.types[i].column);
        append.values.push_back(catalog::Parameter::binary(columns[i].take()));
    }
    append.row_count = static_cast<long long>(count);
    append.before = known.statistics;
    append.after = statistics_after(known.statistics, known.facts.columns, bounds, count);
    return append;
}

std::vector<TableAppend> SnapshotAppender::encode(const std::vector<TableRows>& tables) {
    std::vector<TableAppend> appends;
    appends.reserve(tables.size());
    for (const TableRows& table : tables) appends.push_back(encode(known_.at(key_of(*table.shape)), table));
    return appends;
}

// What the lake is like after the commit, so that the next one need not ask.
void SnapshotAppender::settle(const std::vector<TableRows>& tables, const std::vector<TableAppend>& written) {
    ++state_.snapshot;
    state_.next_file_id += static_cast<long long>(tables.size());
    for (std::size_t i = 0; i < tables.size(); ++i) known_.at(key_of(*tables[i].shape)).statistics = written[i].after;
}

}  // namespace boathouse::engine
