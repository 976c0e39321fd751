// From DuckDB's columns to PostgreSQL's rows: each column's encoder is chosen once, then each row costs one indirect
// call a value, from DuckDB's vector straight into the wire buffer.
//
// Private to src/engine/. One thread at a time. Throws duckdb::Exception for values that PostgreSQL cannot carry
// (nested lists of different lengths).
#pragma once

#include <duckdb.hpp>
#include <functional>
#include <vector>

#include "pgwire/buffer.hpp"
#include "pgwire/copy_format.hpp"
#include "pgwire/zone.hpp"

namespace boathouse::engine {

class ColumnEncoder;

// A vector and its children, ready to be read by index.
using Cells = duckdb::RecursiveUnifiedVectorFormat;

// Appends the value at `index` of `cells`, which is not NULL, without its length.
using PutValue = void (*)(pgwire::Buffer& out, const ColumnEncoder& column, const Cells& cells, duckdb::idx_t index);

// Writes the same for a frequent type to memory with room for pgwire::fixed::kFixedBytesMax, and returns its end;
// nullptr: this value goes by PutValue. `data` is the vector's.
using WriteFixed = char* (*)(char* at, const ColumnEncoder& column, const void* data, duckdb::idx_t index);

class ColumnEncoder {
  public:
    enum class Format { text, binary };
    ColumnEncoder(const duckdb::LogicalType& type, Format format, const pgwire::Zone& zone);

    // Appends length and value, or the length -1 of a NULL; `row` counts in the vector, not in its data.
    void put(pgwire::Buffer& out, const Cells& cells, duckdb::idx_t row) const;

    const duckdb::LogicalType type;
    const Format format;
    const pgwire::Zone& zone;
    int scale = 0;          // of a DECIMAL
    std::uint32_t oid = 0;  // on the wire
    PutValue put_value = nullptr;
    WriteFixed write_fixed = nullptr;     // null: none for the type
    bool is_string = false;               // goes as its bytes
    std::vector<ColumnEncoder> children;  // of a list its values, of a struct its fields
};

class RowEncoder {
  public:
    // `formats` by Bind's rule; `zone` must outlive the encoder.
    RowEncoder(const duckdb::vector<duckdb::LogicalType>& types, const std::vector<std::int16_t>& formats,
               const pgwire::Zone& zone, duckdb::ClientContext& context);

    // From the next row on.
    void set_formats(const duckdb::vector<duckdb::LogicalType>& types, const std::vector<std::int16_t>& formats,
                     const pgwire::Zone& zone);

    // The chunk whose rows come next; kept until the next load().
    void load(duckdb::unique_ptr<duckdb::DataChunk> chunk);

    duckdb::idx_t rows_left() const { return chunk_ ? chunk_->size() - row_ : 0; }

    // One DataRow.
    void put_row(pgwire::Buffer& out);
    // One CopyData with a tuple of the binary format. `first`: the format's header goes before it, in the same message,
    // as drivers expect it.
    void put_copy_tuple(pgwire::Buffer& out, bool first);
    // One CopyData with a line of text or csv. `plain_fixed`: whether what write_fixed() gives needs no escapes and no
    // quotes (copy_takes_plain()).
    void put_copy_line(pgwire::Buffer& out, const pgwire::CopyFormat& format, bool plain_fixed);

  private:
    void put_copy_field(pgwire::Buffer& out, const pgwire::CopyFormat& format, bool plain_fixed, std::size_t column);

    duckdb::ClientContext& context_;
    std::vector<ColumnEncoder> columns_;
    duckdb::vector<duckdb::LogicalType> readable_;  // what each column is cast to before it is read; mostly its own
    duckdb::unique_ptr<duckdb::DataChunk> chunk_;
    std::vector<duckdb::Vector> casts_;  // of the columns whose readable_ is another type
    std::vector<Cells> cells_;
    pgwire::Buffer scratch_;
    duckdb::idx_t row_ = 0;
};

// Whether numbers, dates and times never collide with the format's delimiter, quotes and NULL.
bool copy_takes_plain(const pgwire::CopyFormat& format);

// The CopyData that ends the binary format. `first`: there was no row.
void put_copy_trailer(pgwire::Buffer& out, bool first);

}  // namespace boathouse::engine
