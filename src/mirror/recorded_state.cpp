#include "mirror/recorded_state.hpp"

namespace boathouse::mirror {

using catalog::Connection;
using catalog::Row;

namespace {

long long number(const std::optional<std::string>& text) {
    return text ? std::stoll(*text) : 0;
}

Status read_relations(Connection& mirror, RecordedState& state, const std::optional<std::string>& wanted) {
    auto relations = mirror.query(
        "SELECT id, schema, name, comment, view FROM pg_boathouse.relation "
        "WHERE $1::bigint[] IS NULL OR view IS NOT NULL OR id = ANY ($1::bigint[])",
        {wanted});
    if (!relations) return relations.error();
    for (const Row& row : *relations) {
        state.relations[number(row[0])] = {number(row[1]), row[2].value_or(""), row[3].value_or(""), row[4], {}};
    }
    auto columns = mirror.query(
        "SELECT relation, id, lake_name, type, modifier, not_null, default_literal, default_expression, comment "
        "FROM pg_boathouse.attribute WHERE $1::bigint[] IS NULL OR relation = ANY ($1::bigint[]) "
        "ORDER BY relation, position",
        {wanted});
    if (!columns) return columns.error();
    for (const Row& row : *columns) {
        const auto relation = state.relations.find(number(row[0]));
        if (relation == state.relations.end()) continue;
        relation->second.columns.push_back({number(row[1]), row[2].value_or(""),
                                            static_cast<std::uint32_t>(number(row[3])),
                                            static_cast<std::int32_t>(number(row[4])), row[5] == "t",
                                            row[6].value_or(""), row[7].value_or(""), row[8].value_or("")});
    }
    return {};
}

Status read_macros(Connection& mirror, RecordedState& state, const std::optional<std::string>& wanted) {
    auto rows = mirror.query(
        "SELECT id, schema, name, arguments FROM pg_boathouse.macro "
        "WHERE $1::bigint[] IS NULL OR id = ANY ($1::bigint[])",
        {wanted});
    if (!rows) return rows.error();
    for (const Row& row : *rows) {
        RecordedMacro& macro = state.macros[number(row[0])];
        macro.schema = number(row[1]);
        macro.name = row[2].value_or("");
        macro.arguments.push_back(row[3].value_or(""));
    }
    return {};
}

}  // namespace

std::string array_of(const std::vector<long long>& numbers) {
    std::string text = "{";
    for (const long long value : numbers) text += (text.size() > 1 ? "," : "") + std::to_string(value);
    return text + "}";
}

Result<std::optional<Snapshot>> recorded_snapshot(Connection& mirror) {
    auto rows = mirror.query("SELECT snapshot, snapshot_time, schema_version FROM pg_boathouse.state");
    if (!rows) return rows.error();
    if (rows->empty() || !rows->front()[0]) return std::optional<Snapshot>();
    const Row& row = rows->front();
    return std::optional(Snapshot{number(row[0]), row[1].value_or(""), number(row[2])});
}

Result<RecordedState> read_recorded_state(Connection& mirror, const std::vector<long long>* wanted) {
    RecordedState state;
    auto snapshot = recorded_snapshot(mirror);
    if (!snapshot) return snapshot.error();
    state.snapshot = std::move(*snapshot);
    auto schemas = mirror.query("SELECT id, name FROM pg_boathouse.schema");
    if (!schemas) return schemas.error();
    for (const Row& row : *schemas) state.schemas[number(row[0])] = row[1].value_or("");
    const auto array = wanted != nullptr ? std::optional(array_of(*wanted)) : std::nullopt;
    if (auto read = read_relations(mirror, state, array); !read) return read.error();
    if (auto read = read_macros(mirror, state, array); !read) return read.error();
    return state;
}

}  // namespace boathouse::mirror
