#include "mirror/sync.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <set>

#include "base/log.hpp"
#include "mirror/definition.hpp"
#include "mirror/names.hpp"
#include "mirror/recorded_state.hpp"
#include "pgwire/types.hpp"
#include "syntax/parse_tree.hpp"

namespace boathouse::mirror {

using catalog::Connection;
using catalog::Row;

namespace {

// One synchronization at a time, of whatever process. No advisory lock: every client may take those.
constexpr const char* kLock = "LOCK TABLE pg_boathouse.state IN SHARE ROW EXCLUSIVE MODE";
constexpr const char* kBegin = "BEGIN; SET LOCAL lock_timeout = '30s'; SET LOCAL check_function_bodies = off";
constexpr double kPageBytes = 8192;

// Whether the lake's default is one expression and nothing else that could stand in a statement.
bool is_one_expression(const std::string& sql) {
    const auto parsed = syntax::parse("SELECT (" + sql + "\n)");
    return parsed && parsed->size() == 1 && parsed->front().kind == "SelectStmt" && parsed->front().relations.empty();
}

// A number that needs no quotes: PostgreSQL keeps and shows it as its own.
bool is_number(const LakeColumn& column) {
    static constexpr std::array<pgwire::WireType, 6> kNumbers{pgwire::kInt2,   pgwire::kInt4,   pgwire::kInt8,
                                                              pgwire::kFloat4, pgwire::kFloat8, pgwire::kNumeric};
    const std::string& text = column.default_literal;
    return std::any_of(kNumbers.begin(), kNumbers.end(),
                       [&](const pgwire::WireType& type) { return type.oid == column.type; }) &&
           !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos &&
           std::isdigit(static_cast<unsigned char>(text.front())) != 0 &&
           std::count(text.begin(), text.end(), '.') <= 1;
}

class Synchronizer {
  public:
    Synchronizer(Connection& mirror, const LakeState& lake, RecordedState recorded, const SyncOptions& options,
                 TypeNames types)
        : mirror_(mirror),
          lake_(lake),
          recorded_(std::move(recorded)),
          options_(options),
          types_(std::move(types)),
          define_(mirror, types_) {
        for (const LakeSchema& schema : lake_.schemas) {
            naming_.lake_has_public = naming_.lake_has_public || schema.name == "public";
        }
    }

    Status run();
    SyncReport report() const { return {lake_.snapshot, naming_.lake_has_public, lake_.complete, changed_, refused_}; }

  private:
    // One object's statements. What PostgreSQL refuses is undone and logged; an error is one that ends everything.
    Status attempt(const std::string& what, const std::string& sql, bool* refused = nullptr);
    Status next_transaction();
    Status apply_schemas();
    Status drop_schemas();
    Status drop_gone();
    Status rename(long long id, RecordedRelation& relation, long long schema, const std::string& name);
    Status free_names();
    Status apply_table(const LakeTable& table);
    Status create_table(const LakeTable& table);
    Status alter_table(const LakeTable& table, RecordedRelation& recorded, bool& refused);
    Status set_default(const std::string& table, const LakeColumn& column);
    Status apply_view(const LakeView& view);
    Status apply_macro(const LakeMacro& macro);
    Status apply_statistics();
    Status finish();

    std::string as_owner(const std::string& sql) const {
        return "SET LOCAL ROLE " + mirror_.identifier(options_.owner) + ";\n" + sql + "RESET ROLE;\n";
    }
    std::string record_relation(long long id, long long schema, const std::string& name, const std::string& lake_name,
                                const std::string& comment, const std::string* view) const;
    std::string record_columns(const LakeTable& table) const;
    std::string alterations(const LakeTable& table, const RecordedRelation& recorded, const std::string& name) const;
    std::string full_name(const RecordedRelation& relation) const {
        return define_.qualified(recorded_.schemas.at(relation.schema), relation.name);
    }
    bool is_shown(long long schema) const { return recorded_.schemas.contains(schema); }

    Connection& mirror_;
    const LakeState& lake_;
    RecordedState recorded_;  // kept in step
    const SyncOptions& options_;
    const TypeNames types_;
    const Definitions define_;
    SchemaNaming naming_;
    std::set<long long> doomed_schemas_;
    std::size_t in_transaction_ = 0;
    std::size_t changed_ = 0;
    std::size_t refused_ = 0;
};

Status Synchronizer::attempt(const std::string& what, const std::string& sql, bool* refused) {
    auto done = mirror_.execute("SAVEPOINT object;\n" + sql + "RELEASE object");
    if (done) {
        ++changed_;
        ++in_transaction_;
        return {};
    }
    const std::string sqlstate = mirror_.last_sqlstate();
    // A deadlock, a cancelled statement, a full disk or a lost connection is not this object's fault.
    if (sqlstate.empty() || sqlstate.starts_with("4000") ||
        (sqlstate.starts_with("5") && !sqlstate.starts_with("54")) || sqlstate.starts_with("XX")) {
        return done;
    }
    if (auto undone = mirror_.execute("ROLLBACK TO object; RELEASE object"); !undone) return undone;
    if (refused != nullptr) {
        *refused = true;
        return {};
    }
    ++refused_;
    log_warning("mirror", "{} is not shown to SQL clients' tools: {}", what, done.error().message);
    return {};
}

// PostgreSQL remembers a lock for each object that a transaction makes or drops, in a table of fixed size.
Status Synchronizer::next_transaction() {
    if (in_transaction_ < kObjectsPerTransaction) return {};
    in_transaction_ = 0;
    // From here on the mirror is incomplete until finish().
    if (auto done = mirror_.execute("UPDATE pg_boathouse.state SET snapshot = NULL; COMMIT"); !done) return done;
    if (auto begun = mirror_.execute(kBegin); !begun) return begun;
    return mirror_.execute(kLock);
}

// Doomed and renamed schemas leave their names before anything takes one.
Status Synchronizer::apply_schemas() {
    std::set<long long> live;
    for (const LakeSchema& schema : lake_.schemas) live.insert(schema.id);
    const auto move = [this](long long id, const std::string& name) {
        std::string& present = recorded_.schemas.at(id);
        const std::string sql = "ALTER SCHEMA " + mirror_.identifier(present) + " RENAME TO " +
                                mirror_.identifier(name) +
                                ";\nUPDATE pg_boathouse.schema SET name = " + mirror_.literal(name) +
                                " WHERE id = " + std::to_string(id) + ";\n";
        present = name;
        return attempt("schema " + name, sql);
    };
    std::vector<std::pair<long long, std::string>> renamed;
    for (const LakeSchema& schema : lake_.schemas) {
        const std::string name = schema_name(schema.name, schema.id, naming_);
        const auto present = recorded_.schemas.find(schema.id);
        if (present != recorded_.schemas.end() && present->second != name) renamed.emplace_back(schema.id, name);
    }
    for (const auto& [id, name] : recorded_.schemas) {
        if (!live.contains(id)) doomed_schemas_.insert(id);
    }
    for (const long long id : doomed_schemas_) {
        if (auto moved = move(id, "~" + std::to_string(id)); !moved) return moved;
    }
    for (const auto& [id, name] : renamed) {
        if (auto moved = move(id, "~" + std::to_string(id)); !moved) return moved;
    }
    for (const auto& [id, name] : renamed) {
        if (auto moved = move(id, name); !moved) return moved;
    }
    for (const LakeSchema& schema : lake_.schemas) {
        if (recorded_.schemas.contains(schema.id)) continue;
        const std::string name = schema_name(schema.name, schema.id, naming_);
        const std::string create = "CREATE SCHEMA IF NOT EXISTS " + mirror_.identifier(name) + ";\n";
        bool refused = false;
        auto made = attempt("schema " + name,
                            as_owner(create) + "INSERT INTO pg_boathouse.schema VALUES (" + std::to_string(schema.id) +
                                ", " + mirror_.literal(name) + ", " + mirror_.literal(schema.name) + ");\n",
                            &refused);
        if (!made) return made;
        if (!refused) recorded_.schemas[schema.id] = name;
    }
    return {};
}

Status Synchronizer::drop_schemas() {
    for (const long long id : doomed_schemas_) {
        auto dropped =
            attempt("schema " + recorded_.schemas.at(id),
                    "DROP SCHEMA " + mirror_.identifier(recorded_.schemas.at(id)) +
                        " CASCADE;\nDELETE FROM pg_boathouse.schema WHERE id = " + std::to_string(id) + ";\n");
        if (!dropped) return dropped;
    }
    return {};
}

Status Synchronizer::drop_gone() {
    std::set<long long> live;
    for (const LakeTable& table : lake_.tables) live.insert(table.id);
    for (const LakeView& view : lake_.views) live.insert(view.id);
    for (const LakeMacro& macro : lake_.macros) live.insert(macro.id);
    for (auto macro = recorded_.macros.begin(); macro != recorded_.macros.end();) {
        if (live.contains(macro->first)) {
            ++macro;
            continue;
        }
        std::string sql;
        for (const std::string& arguments : macro->second.arguments) {
            sql += "DROP FUNCTION " +
                   define_.qualified(recorded_.schemas.at(macro->second.schema), macro->second.name) + "(" + arguments +
                   ");\n";
        }
        sql += "DELETE FROM pg_boathouse.macro WHERE id = " + std::to_string(macro->first) + ";\n";
        if (auto dropped = attempt("macro " + macro->second.name, sql); !dropped) return dropped;
        macro = recorded_.macros.erase(macro);
    }
    for (auto relation = recorded_.relations.begin(); relation != recorded_.relations.end();) {
        if (live.contains(relation->first)) {
            ++relation;
            continue;
        }
        const std::string id = std::to_string(relation->first);
        auto dropped = attempt("table " + relation->second.name,
                               (relation->second.view ? "DROP VIEW " : "DROP TABLE ") + full_name(relation->second) +
                                   ";\nDELETE FROM pg_boathouse.relation WHERE id = " + id +
                                   ";\nDELETE FROM pg_boathouse.attribute WHERE relation = " + id + ";\n");
        if (!dropped) return dropped;
        relation = recorded_.relations.erase(relation);
        if (auto next = next_transaction(); !next) return next;
    }
    return {};
}

Status Synchronizer::rename(long long id, RecordedRelation& relation, long long schema, const std::string& name) {
    std::string sql;
    if (relation.schema != schema) {
        sql += "ALTER TABLE " + full_name(relation) + " SET SCHEMA " +
               mirror_.identifier(recorded_.schemas.at(schema)) + ";\n";
        relation.schema = schema;
    }
    if (relation.name != name) {
        sql += "ALTER TABLE " + full_name(relation) + " RENAME TO " + mirror_.identifier(name) + ";\n";
        relation.name = name;
    }
    sql += "UPDATE pg_boathouse.relation SET schema = " + std::to_string(schema) + ", name = " + mirror_.literal(name) +
           " WHERE id = " + std::to_string(id) + ";\n";
    return attempt("table " + name, sql);
}

// Tables may have exchanged their names: each that moves goes out of the way first.
Status Synchronizer::free_names() {
    const auto leave = [this](long long id, long long schema, const std::string& lake_name) -> Status {
        const auto recorded = recorded_.relations.find(id);
        if (recorded == recorded_.relations.end()) return {};
        RecordedRelation& relation = recorded->second;
        if (relation.schema == schema && relation.name == relation_name(lake_name, id)) return {};
        return rename(id, relation, relation.schema, "~" + std::to_string(id));
    };
    for (const LakeTable& table : lake_.tables) {
        if (auto left = leave(table.id, table.schema, table.name); !left) return left;
    }
    for (const LakeView& view : lake_.views) {
        if (auto left = leave(view.id, view.schema, view.name); !left) return left;
    }
    return {};
}

std::string Synchronizer::record_relation(long long id, long long schema, const std::string& name,
                                          const std::string& lake_name, const std::string& comment,
                                          const std::string* view) const {
    return fmt::format(
        "DELETE FROM pg_boathouse.relation WHERE id = {0};\n"
        "INSERT INTO pg_boathouse.relation VALUES ({0}, {1}, {2}, {3}, {4}::pg_catalog.regclass, {5}, {6});\n",
        id, schema, mirror_.literal(name), mirror_.literal(lake_name),
        mirror_.literal(define_.qualified(recorded_.schemas.at(schema), name)), mirror_.literal(comment),
        view == nullptr ? "NULL" : mirror_.literal(*view));
}

std::string Synchronizer::record_columns(const LakeTable& table) const {
    std::string sql = fmt::format("DELETE FROM pg_boathouse.attribute WHERE relation = {};\n", table.id);
    int position = 0;
    for (const LakeColumn& column : table.columns) {
        sql += position == 0 ? "INSERT INTO pg_boathouse.attribute VALUES " : ", ";
        sql += fmt::format("({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {})", table.id, column.id, ++position,
                           mirror_.literal(column.name), mirror_.literal(column_name(column.name, column.id)),
                           column.type, column.modifier, column.not_null, mirror_.literal(column.default_literal),
                           mirror_.literal(column.default_expression), mirror_.literal(column.comment));
    }
    return sql + (position == 0 ? "" : ";\n");
}

Status Synchronizer::set_default(const std::string& table, const LakeColumn& column) {
    const std::string of = "ALTER TABLE " + table + " ALTER COLUMN " +
                           mirror_.identifier(column_name(column.name, column.id)) + " SET DEFAULT ";
    if (!column.default_expression.empty() && !is_one_expression(column.default_expression)) return {};
    const std::string value = is_number(column)                   ? column.default_literal
                              : column.default_expression.empty() ? mirror_.literal(column.default_literal)
                                                                  : "(" + column.default_expression + "\n)";
    // DuckDB's defaults need not mean anything to PostgreSQL; then the column is shown without.
    bool refused = false;
    auto done = attempt("a default", of + value + ";\n", &refused);
    if (done && !refused) --changed_;
    return done;
}

Status Synchronizer::create_table(const LakeTable& table) {
    const std::string name = relation_name(table.name, table.id);
    const std::string full = define_.qualified(recorded_.schemas.at(table.schema), name);
    std::string sql = define_.create_table(full, table);
    if (!table.comment.empty()) sql += define_.comment_on("TABLE " + full, table.comment);
    for (const LakeColumn& column : table.columns) {
        if (column.comment.empty()) continue;
        sql += define_.comment_on("COLUMN " + full + "." + mirror_.identifier(column_name(column.name, column.id)),
                                  column.comment);
    }
    const std::size_t before = refused_;
    auto made =
        attempt("table \"" + table.name + "\"",
                as_owner(sql) + record_relation(table.id, table.schema, name, table.name, table.comment, nullptr) +
                    record_columns(table));
    if (!made || refused_ > before) return made;
    for (const LakeColumn& column : table.columns) {
        if (column.default_literal.empty() && column.default_expression.empty()) continue;
        if (auto set = set_default(full, column); !set) return set;
    }
    return next_transaction();
}

// From the recorded columns to the lake's, by their numbers.
std::string Synchronizer::alterations(const LakeTable& table, const RecordedRelation& recorded,
                                      const std::string& name) const {
    const std::string alter = "ALTER TABLE " + name + " ";
    std::map<long long, const LakeColumn*> before;
    for (const LakeColumn& column : recorded.columns) before[column.id] = &column;
    std::map<long long, const LakeColumn*> after;
    for (const LakeColumn& column : table.columns) after[column.id] = &column;
    const auto quoted = [this](const LakeColumn& column) {
        return mirror_.identifier(column_name(column.name, column.id));
    };
    std::string sql;
    std::string final_names;
    for (const auto& [id, column] : before) {
        const auto kept = after.find(id);
        if (kept == after.end()) {
            sql += alter + "DROP COLUMN " + quoted(*column) + ";\n";
        } else if (kept->second->name != column->name) {
            const std::string out_of_the_way = mirror_.identifier("~" + std::to_string(id));
            sql += alter + "RENAME COLUMN " + quoted(*column) + " TO " + out_of_the_way + ";\n";
            final_names += alter + "RENAME COLUMN " + out_of_the_way + " TO " + quoted(*kept->second) + ";\n";
        }
    }
    sql += final_names;
    for (const LakeColumn& column : table.columns) {
        const auto known = before.find(column.id);
        const std::string of = alter + "ALTER COLUMN " + quoted(column) + " ";
        const std::string object = "COLUMN " + name + "." + quoted(column);
        if (known == before.end()) {
            sql += alter + "ADD COLUMN " + define_.column(column) + ";\n";
            if (!column.comment.empty()) sql += define_.comment_on(object, column.comment);
            continue;
        }
        const LakeColumn& old = *known->second;
        if (old.default_literal != column.default_literal || old.default_expression != column.default_expression ||
            old.type != column.type) {
            sql += of + "DROP DEFAULT;\n";
        }
        if (old.type != column.type || old.modifier != column.modifier) {
            sql += of + "TYPE " + define_.type(column) + " USING NULL;\n";
        }
        if (old.not_null != column.not_null) sql += of + (column.not_null ? "SET NOT NULL;\n" : "DROP NOT NULL;\n");
        if (old.comment != column.comment) sql += define_.comment_on(object, column.comment);
    }
    return sql;
}

Status Synchronizer::alter_table(const LakeTable& table, RecordedRelation& recorded, bool& refused) {
    const std::string name = relation_name(table.name, table.id);
    if (recorded.schema != table.schema || recorded.name != name) {
        if (auto renamed = rename(table.id, recorded, table.schema, name); !renamed) return renamed;
    }
    const std::string full = full_name(recorded);
    std::string sql = alterations(table, recorded, full);
    if (recorded.comment != table.comment) sql += define_.comment_on("TABLE " + full, table.comment);
    if (auto altered = attempt("table \"" + table.name + "\"",
                               sql + record_relation(table.id, table.schema, name, table.name, table.comment, nullptr) +
                                   record_columns(table),
                               &refused);
        !altered || refused) {
        return altered;
    }
    for (const LakeColumn& column : table.columns) {
        const bool same = std::any_of(recorded.columns.begin(), recorded.columns.end(), [&](const LakeColumn& old) {
            return old.id == column.id && old.default_literal == column.default_literal &&
                   old.default_expression == column.default_expression && old.type == column.type;
        });
        if (same || (column.default_literal.empty() && column.default_expression.empty())) continue;
        if (auto set = set_default(full, column); !set) return set;
    }
    return next_transaction();
}

Status Synchronizer::apply_table(const LakeTable& table) {
    if (!is_shown(table.schema)) return {};
    const auto recorded = recorded_.relations.find(table.id);
    if (recorded == recorded_.relations.end()) return create_table(table);
    const RecordedRelation& present = recorded->second;
    if (present.schema == table.schema && present.name == relation_name(table.name, table.id) &&
        present.comment == table.comment && present.columns == table.columns) {
        return {};
    }
    bool refused = false;
    if (auto altered = alter_table(table, recorded->second, refused); !altered || !refused) return altered;
    log_debug("mirror", "table \"{}\" is made anew", table.name);
    if (auto dropped = attempt("table \"" + table.name + "\"", "DROP TABLE " + full_name(recorded->second) + ";\n");
        !dropped) {
        return dropped;
    }
    return create_table(table);
}

Status Synchronizer::apply_view(const LakeView& view) {
    if (!is_shown(view.schema)) return {};
    const std::string name = relation_name(view.name, view.id);
    const std::string full = define_.qualified(recorded_.schemas.at(view.schema), name);
    const std::string definition = define_.create_view(full, view);
    const auto recorded = recorded_.relations.find(view.id);
    const std::string comment = define_.comment_on("VIEW " + full, view.comment);
    const std::string record = record_relation(view.id, view.schema, name, view.name, view.comment, &definition);
    if (recorded == recorded_.relations.end()) {
        return attempt("view \"" + view.name + "\"", as_owner(definition + comment) + record);
    }
    RecordedRelation& present = recorded->second;
    if (present.schema == view.schema && present.name == name && present.view == definition &&
        present.comment == view.comment) {
        return {};
    }
    if (auto renamed = rename(view.id, present, view.schema, name); !renamed) return renamed;
    bool refused = false;
    if (auto replaced = attempt("view", definition + comment + record, &refused); !replaced || !refused)
        return replaced;
    // Other columns than before.
    return attempt("view \"" + view.name + "\"", "DROP VIEW " + full + ";\n" + as_owner(definition + comment) + record);
}

Status Synchronizer::apply_macro(const LakeMacro& macro) {
    if (!is_shown(macro.schema) || recorded_.macros.contains(macro.id)) return {};
    const std::string name = relation_name(macro.name, macro.id);
    const std::string full = define_.qualified(recorded_.schemas.at(macro.schema), name);
    return attempt("macro \"" + macro.name + "\"",
                   as_owner(define_.create_macro(full, macro)) +
                       fmt::format("INSERT INTO pg_boathouse.macro VALUES ({}, {}, {}, {});\n", macro.id, macro.schema,
                                   mirror_.literal(name), mirror_.literal(define_.macro_arguments(macro))));
}

// A table that was altered may have been written anew, and with it what PostgreSQL says of its size.
Status Synchronizer::apply_statistics() {
    ShownStatistics& shown = *options_.shown_statistics;
    if (lake_.complete) shown.clear();
    for (const long long changed : lake_.changed) shown.erase(changed);
    std::string tables;
    std::string rows;
    std::string pages;
    for (const LakeStatistics& of : lake_.statistics) {
        const auto known = shown.find(of.table);
        if (known != shown.end() && known->second == of) continue;
        shown[of.table] = of;
        const char* const comma = tables.empty() ? "" : ",";
        tables += comma + std::to_string(of.table);
        rows += comma + std::to_string(std::max(0LL, of.rows));
        const double page_count = std::ceil(static_cast<double>(std::max(0LL, of.bytes)) / kPageBytes);
        pages += comma + std::to_string(static_cast<std::int64_t>(std::min(page_count, 2147483647.0)));
    }
    if (tables.empty()) return {};
    auto set = mirror_.query("SELECT pg_boathouse.set_statistics($1::bigint[], $2::real[], $3::int[])",
                             {"{" + tables + "}", "{" + rows + "}", "{" + pages + "}"});
    return set ? Status() : Status(set.error());
}

Status Synchronizer::finish() {
    auto recorded = mirror_.query(
        "UPDATE pg_boathouse.state SET snapshot = $1, snapshot_time = $2, schema_version = $3",
        {std::to_string(lake_.snapshot.id), lake_.snapshot.time, std::to_string(lake_.snapshot.schema_version)});
    if (!recorded) return recorded.error();
    return mirror_.execute("COMMIT");
}

Status Synchronizer::run() {
    if (lake_.complete || !lake_.changed.empty()) {
        if (auto done = apply_schemas(); !done) return done;
        if (auto done = drop_gone(); !done) return done;
        if (auto done = free_names(); !done) return done;
        for (const LakeTable& table : lake_.tables) {
            if (auto done = apply_table(table); !done) return done;
        }
        for (const LakeView& view : lake_.views) {
            if (auto done = apply_view(view); !done) return done;
        }
        for (const LakeMacro& macro : lake_.macros) {
            if (auto done = apply_macro(macro); !done) return done;
        }
        if (auto done = drop_schemas(); !done) return done;
    }
    if (auto done = apply_statistics(); !done) return done;
    return finish();
}

// PostgreSQL's names of all types that the state holds.
Result<TypeNames> name_types(Connection& mirror, const LakeState& state) {
    std::set<std::pair<std::uint32_t, std::int32_t>> types;
    for (const LakeTable& table : state.tables) {
        for (const LakeColumn& column : table.columns) types.emplace(column.type, column.modifier);
    }
    for (const LakeView& view : state.views) {
        for (const LakeColumn& column : view.columns) types.emplace(column.type, column.modifier);
    }
    for (const LakeMacro& macro : state.macros) {
        for (const MacroParameter& parameter : macro.parameters) types.emplace(parameter.type, -1);
    }
    std::string numbers;
    std::string modifiers;
    for (const auto& [type, modifier] : types) {
        numbers += (numbers.empty() ? "" : ",") + std::to_string(type);
        modifiers += (modifiers.empty() ? "" : ",") + std::to_string(modifier);
    }
    auto rows = mirror.query(
        "SELECT t.type, t.modifier, pg_catalog.format_type(t.type, t.modifier) "
        "FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::int[])) AS t(type, modifier)",
        {"{" + numbers + "}", "{" + modifiers + "}"});
    if (!rows) return rows.error();
    TypeNames names;
    for (const Row& row : *rows) {
        names[{static_cast<std::uint32_t>(std::stoul(*row[0])), std::stoi(*row[1])}] = row[2].value_or("text");
    }
    return names;
}

Status bind_views(LakeState& state, const SyncOptions& options) {
    std::map<long long, const std::string*> schemas;
    for (const LakeSchema& schema : state.schemas) schemas[schema.id] = &schema.name;
    for (LakeView& view : state.views) {
        const auto schema = schemas.find(view.schema);
        if (schema == schemas.end()) continue;
        auto columns = options.bind_view(*schema->second, view.name);
        if (!columns) return columns.error();
        view.columns = std::move(*columns);
    }
    return {};
}

Result<SyncReport> synchronize_locked(Connection& mirror, Connection& lake, const SyncOptions& options) {
    if (auto locked = mirror.execute(kLock); !locked) return locked.error();
    auto since = recorded_snapshot(mirror);
    if (!since) return since.error();
    auto state = read_lake_state(lake, *since, options.statistics);
    if (!state) return state.error();
    if (auto bound = bind_views(*state, options); !bound) return bound.error();
    auto types = name_types(mirror, *state);
    if (!types) return types.error();
    auto recorded = read_recorded_state(mirror, state->complete ? nullptr : &state->changed);
    if (!recorded) return recorded.error();
    // Views are read whole only where something changed; else none of them is meant to be gone.
    Synchronizer synchronizer(mirror, *state, std::move(*recorded), options, std::move(*types));
    if (auto done = synchronizer.run(); !done) return done.error();
    return synchronizer.report();
}

}  // namespace

Result<SyncReport> synchronize(Connection& mirror, Connection& lake, const SyncOptions& options) {
    if (auto begun = mirror.execute(kBegin); !begun) return begun.error();
    auto report = synchronize_locked(mirror, lake, options);
    if (!report) static_cast<void>(mirror.execute("ROLLBACK"));
    return report;
}

}  // namespace boathouse::mirror
