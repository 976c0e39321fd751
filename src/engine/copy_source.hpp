// What the INSERT of a COPY FROM reads: blocks of the client's bytes, decoded on DuckDB's threads side by side.
//
// A CopySource belongs to one CopyIn, which fills it while no statement runs; during the INSERT DuckDB's threads take
// blocks from it through the table function kCopyFunction. The function finds its source in the connection
// (read_from()), so that called from any other statement it has nothing to read and fails. Blocks are taken in order,
// and an error counts only once all blocks before it are read: the first error in the data is the one that is told.
//
// Private to src/engine/.
#pragma once

#include <duckdb.hpp>
#include <mutex>
#include <optional>

#include "engine/copy_decoders.hpp"
#include "engine/query_error.hpp"
#include "pgwire/copy_rows.hpp"

namespace boathouse::engine {

inline constexpr const char* kCopyFunction = "boathouse_copy_rows";

// Once a database.
void register_copy_function(duckdb::DatabaseInstance& database);

class CopySource {
  public:
    CopySource(pgwire::CopyFormat format, std::string relation, std::vector<CopyColumn> columns);

    const pgwire::CopyFormat& format() const { return format_; }
    const std::vector<CopyColumn>& columns() const { return columns_; }
    const std::vector<std::string>& names() const { return names_; }
    const std::vector<CopyDecoder>& decoders() const { return decoders_; }

    // While no statement runs.
    void add(pgwire::CopyBlock block);
    void clear();
    bool empty() const { return blocks_.empty(); }
    // What a statement may be run over again: the blocks, before it takes them, and after it.
    std::vector<pgwire::CopyBlock> blocks() const { return blocks_; }
    void restart(std::vector<pgwire::CopyBlock> blocks);
    const std::optional<QueryError>& error() const { return error_; }

    // By DuckDB's threads. Throw once the error is settled.
    struct Taken {
        std::size_t number;
        pgwire::CopyBlock block;
    };
    std::optional<Taken> take();
    void complete(std::size_t number, std::uint64_t lines);
    // `line` counts in the block; the error's context is what follows the line's number.
    void fail(std::size_t number, std::uint64_t line, QueryError error);

    // How a message names the field or the row.
    std::string column_context(const CopyColumn& column, const pgwire::CopyField& field) const;
    std::string row_context(const pgwire::CopyRowMark& row) const;

  private:
    void settle_error();

    const pgwire::CopyFormat format_;
    const std::string relation_;
    const std::vector<CopyColumn> columns_;
    std::vector<std::string> names_;
    std::vector<CopyDecoder> decoders_;

    std::mutex mutex_;
    std::vector<pgwire::CopyBlock> blocks_;            // under mutex_
    std::vector<std::optional<std::uint64_t>> lines_;  // under mutex_: of each block, once it is read
    std::size_t next_ = 0;                             // under mutex_: block to be taken
    std::uint64_t lines_before_ = 0;                   // under mutex_: of the batches before
    std::optional<std::size_t> failed_block_;          // under mutex_
    std::uint64_t failed_line_ = 0;                    // under mutex_
    std::optional<QueryError> error_;                  // under mutex_: of failed_block_; final once it is thrown
    bool names_line_ = false;                          // under mutex_: error_ does, and is final
};

// While it lives, the connection's statements read the source.
class ReadFromSource {
  public:
    ReadFromSource(duckdb::ClientContext& context, CopySource& source);
    ~ReadFromSource();
    ReadFromSource(const ReadFromSource&) = delete;
    ReadFromSource& operator=(const ReadFromSource&) = delete;

  private:
    duckdb::ClientContext& context_;
};

}  // namespace boathouse::engine
