// The least and the greatest value of a column's new rows, and whether one of them is NULL: what DuckLake keeps of each
// column of a table, as the official extension reckons it for inlined rows.
//
// Numbers, dates and times are compared as values, everything else by its text. Private to src/engine/. Owned by one
// append; one thread.
#pragma once

#include <duckdb.hpp>
#include <optional>
#include <string>

#include "catalog/snapshot_append.hpp"

namespace boathouse::engine {

class ColumnBounds {
  public:
    explicit ColumnBounds(duckdb::LogicalType type) : type_(std::move(type)) {}
    void add(duckdb::Vector& values, std::size_t count);

    // What the table's statistics say once the rows are there; `before` says it of the rows that are there already.
    catalog::ColumnStatistics after(const catalog::ColumnStatistics& before) const;
    // The same where there were no rows.
    catalog::ColumnStatistics alone(long long column_id) const;

  private:
    bool by_value() const;
    // Whether `left` comes before `right`, both as the statistics have them.
    bool is_less(const std::string& left, const std::string& right) const;
    void take(const std::string& least, const std::string& greatest);

    duckdb::LogicalType type_;
    bool has_null_ = false;
    std::optional<std::string> min_;  // both or neither
    std::optional<std::string> max_;
};

}  // namespace boathouse::engine
