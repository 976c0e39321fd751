// The fields of a COPY FROM, column by column, into DuckDB's vectors: PostgreSQL's input functions for text and csv,
// its receive functions for binary.
//
// What PostgreSQL refuses is refused ("1.5" for an integer), also where DuckDB's casts would round. Frequent types have
// their own loops; the rest goes through DuckDB's casts or through the decoders of Bind's parameters. Private to
// src/engine/; any thread, one vector at a time. Throws what DuckDB throws for lack of memory; bad values are returned.
#pragma once

#include <duckdb.hpp>
#include <span>
#include <string>

#include "engine/query_error.hpp"
#include "pgwire/copy_rows.hpp"

namespace boathouse::engine {

struct CopyColumn {
    std::string name;
    duckdb::LogicalType type;
    bool not_null = false;
};

class CopyDecoder {
  public:
    CopyDecoder(const CopyColumn& column, bool binary);

    // Writes fields into rows `first`, `first` + 1 … of `vector`. The number of fields that could be read; if not all,
    // the next one is wrong.
    std::size_t decode(duckdb::ClientContext& context, std::span<const pgwire::CopyField> fields,
                       duckdb::Vector& vector, duckdb::idx_t first) const;

    // Why decode() stopped at this field.
    QueryError failure(const pgwire::CopyField& field) const;

    struct Run {
        duckdb::ClientContext& context;
        const CopyDecoder& decoder;
        std::span<const pgwire::CopyField> fields;
        duckdb::Vector& vector;
        duckdb::idx_t first;
    };
    using Decode = std::size_t (*)(const Run& run);

    const duckdb::LogicalType type;
    const bool binary;
    const std::uint32_t oid;

  private:
    Decode decode_;
};

}  // namespace boathouse::engine
