// A column of rows as it goes into a table's inlined data: one array of PostgreSQL's, in binary form.
//
// DuckLake keeps inlined rows in tables of PostgreSQL's whose columns have types of PostgreSQL's: integers as integers,
// strings as bytea (they may hold a zero byte), and what PostgreSQL has no like type for as DuckDB's own text. Values
// of nested and of rarer types have no place here; their tables are written by the official extension.
//
// Private to src/engine/. Owned by one append; one thread.
#pragma once

#include <duckdb.hpp>
#include <optional>
#include <string>

namespace boathouse::engine {

// How a type is sent and kept.
struct InlinedType {
    enum class Form { boolean, integer, real, bytes, text, interval, time };
    Form form = Form::text;
    int width = 0;             // of an integer or real as it is sent, in bytes
    unsigned element_oid = 0;  // of the array's elements
    const char* element = "";  // the same, as SQL has it
    std::string column;        // of the inlined table's column, as format_type() has it
};

// Nothing: rows of such a column are not inlined by the box.
std::optional<InlinedType> inlined_type(const duckdb::LogicalType& type);

class InlinedColumn {
  public:
    // `rows`: how many values will be added.
    InlinedColumn(const InlinedType& type, std::size_t rows);
    void add(duckdb::Vector& values, std::size_t count);
    // Once all values are added.
    std::string take() { return std::move(bytes_); }

  private:
    void add_numbers(const duckdb::UnifiedVectorFormat& values, const duckdb::LogicalType& type, std::size_t count);
    void add_strings(const duckdb::UnifiedVectorFormat& values, std::size_t count);

    InlinedType type_;
    std::string bytes_;
};

}  // namespace boathouse::engine
