// Where a result's columns come from, so that RowDescription can name table and column to editors.
//
// PostgreSQL tells it for columns that are a table's as they stand, through subqueries and joins; expressions come from
// nowhere. A column that comes through a view is told of no table: the plan knows only what is below the view. The
// numbers are the mirror's, which implements TableNumbers; the session's own thread calls it. Nothing here fails: what
// cannot be told is left at 0.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pgwire/backend.hpp"

namespace boathouse::engine {

// The lake's names; empty: no table.
struct ColumnOrigin {
    std::string schema;
    std::string table;
    std::string column;
};

struct ColumnOrigins {
    std::vector<ColumnOrigin> columns;        // in the result's order
    std::optional<long long> schema_version;  // of the lake, as the statement saw it
};

class TableNumbers {
  public:
    virtual ~TableNumbers() = default;
    // Fills in `table` and `number` of the columns whose origin is known. May block on the catalog, once for a table
    // and a version of the lake's schema.
    virtual void fill(const ColumnOrigins& origins, std::vector<pgwire::ColumnDescription>& columns) = 0;
};

}  // namespace boathouse::engine
