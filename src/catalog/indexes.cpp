#include "catalog/indexes.hpp"

#include <array>

namespace boathouse::catalog {
namespace {

struct Index {
    const char* name;
    const char* table;
    const char* columns;
};

constexpr std::array<Index, 3> kIndexes{{
    {"boathouse_file_column_stats", "ducklake_file_column_stats", "(table_id, column_id)"},
    {"boathouse_data_file", "ducklake_data_file", "(table_id)"},
    {"boathouse_delete_file", "ducklake_delete_file", "(table_id)"},
}};

// CREATE INDEX IF NOT EXISTS would lock the table before it looks.
Result<bool> relation_exists(Connection& connection, const std::string& name) {
    auto rows = connection.query("SELECT pg_catalog.to_regclass($1) IS NOT NULL", {"public." + name});
    if (!rows) return rows.error();
    return rows->front().front() == "t";
}

}  // namespace

Status create_indexes(Connection& connection) {
    for (const Index& index : kIndexes) {
        auto there = relation_exists(connection, index.name);
        if (!there) return there.error();
        if (*there) continue;
        auto created = connection.execute(std::string("CREATE INDEX ") + index.name + " ON public." + index.table +
                                          " " + index.columns);
        if (!created) return created;
    }
    return {};
}

}  // namespace boathouse::catalog
