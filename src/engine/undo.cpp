#include "engine/undo.hpp"

#include "base/log.hpp"
#include "engine/lake_transaction.hpp"

namespace boathouse::engine {
namespace {

constexpr int kDifferencesMax = 10'000;

std::string qualified(const TableName& name) {
    return "lake." + identifier(name.schema) + "." + identifier(name.table);
}

std::string at(const TableName& name, long long snapshot) {
    return fmt::format("{} AT (VERSION => {})", qualified(name), snapshot);
}

Result<std::vector<std::string>> columns_of(LakeTransaction& transaction, const std::string& relation) {
    auto rows = transaction.run("DESCRIBE SELECT * FROM " + relation);
    if (!rows) return rows.error();
    std::vector<std::string> columns;
    for (const auto& row : *rows) columns.push_back(row.at(0) + " " + row.at(1));
    return columns;
}

Status check_same_columns(LakeTransaction& transaction, const TableName& name, long long snapshot) {
    const auto now = columns_of(transaction, qualified(name));
    if (!now) return now.error();
    const auto then = columns_of(transaction, at(name, snapshot));
    if (!then) return then.error();
    if (*now == *then) return {};
    return Error{ErrorKind::conflict,
                 fmt::format("{}.{} has other columns than in snapshot {}", name.schema, name.table, snapshot),
                 fmt::format("Now: {}. Then: {}. Make a table of what was then: CREATE TABLE … AS FROM {}.",
                             fmt::join(*now, ", "), fmt::join(*then, ", "), at(name, snapshot)),
                 ""};
}

Result<long long> count_and_commit(LakeTransaction& transaction, const TableName& name) {
    auto counted = transaction.run("SELECT count(*) FROM " + qualified(name));
    if (!counted) return counted.error();
    if (auto committed = transaction.run("COMMIT"); !committed) return committed.error();
    return std::stoll(counted->at(0).at(0));
}

// All rows that are in one and not in the other, as often as they are.
std::string plain_difference(const TableName& name, long long from, long long to) {
    const auto only = [&](long long in, long long not_in) {
        return fmt::format("(FROM {} EXCEPT ALL FROM {})", at(name, in), at(name, not_in));
    };
    return fmt::format(
        "SELECT 'removed', to_json(r)::VARCHAR, NULL::VARCHAR FROM {} AS r UNION ALL "
        "SELECT 'added', NULL, to_json(r)::VARCHAR FROM {} AS r LIMIT {}",
        only(from, to), only(to, from), kDifferencesMax);
}

std::string keyed_difference(const TableName& name, long long from, long long to, const std::vector<std::string>& key) {
    std::string columns;
    std::string condition;
    for (std::size_t i = 0; i < key.size(); ++i) {
        columns += fmt::format(", {} AS k{}", identifier(key[i]), i);
        condition += fmt::format("{}o.k{} IS NOT DISTINCT FROM n.k{}", i == 0 ? "" : " AND ", i, i);
    }
    const auto rows = [&](long long snapshot) {
        return fmt::format("(SELECT r AS row, true AS there{} FROM (FROM {}) AS r)", columns, at(name, snapshot));
    };
    return fmt::format(
        "SELECT CASE WHEN o.there IS NULL THEN 'added' WHEN n.there IS NULL THEN 'removed' ELSE 'changed' END, "
        "CASE WHEN o.there THEN to_json(o.row)::VARCHAR END, CASE WHEN n.there THEN to_json(n.row)::VARCHAR END "
        "FROM {} AS o FULL JOIN {} AS n ON {} WHERE o.row IS DISTINCT FROM n.row LIMIT {}",
        rows(from), rows(to), condition, kDifferencesMax);
}

}  // namespace

Result<long long> restore_table(Lake& lake, const TableName& name, long long snapshot) {
    return in_transaction<long long>(lake, [&](LakeTransaction& transaction) -> Result<long long> {
        if (auto begun = transaction.run("BEGIN"); !begun) return begun.error();
        if (auto same = check_same_columns(transaction, name, snapshot); !same) return same.error();
        const auto what = fmt::format("{}.{} as of snapshot {}", name.schema, name.table, snapshot);
        // Aside first: DuckLake takes what the transaction has deleted out of older snapshots too, within it.
        auto done = transaction.run(
            {undo_message(what), "CREATE TEMP TABLE boathouse_restored AS FROM " + at(name, snapshot),
             "DELETE FROM " + qualified(name), "INSERT INTO " + qualified(name) + " FROM boathouse_restored"});
        if (!done) return done.error();
        return count_and_commit(transaction, name);
    });
}

Result<std::vector<RowDifference>> difference(Lake& lake, const TableName& name, long long from, long long to,
                                              const std::vector<std::string>& key) {
    using Differences = std::vector<RowDifference>;
    return in_transaction<Differences>(lake, [&](LakeTransaction& transaction) -> Result<Differences> {
        auto rows =
            transaction.run(key.empty() ? plain_difference(name, from, to) : keyed_difference(name, from, to, key));
        if (!rows) return rows.error();
        Differences differences;
        for (auto& row : *rows) differences.push_back({row.at(0), row.at(1), row.at(2)});
        return differences;
    });
}

}  // namespace boathouse::engine
