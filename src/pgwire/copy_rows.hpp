// Reads the rows of one block of a COPY FROM as PostgreSQL does (CopyReadAttributesText, CopyReadAttributesCSV and
// NextCopyFrom of its copyfromparse.c): fields with quotes and escapes undone, NULLs told apart, what is wrong in
// PostgreSQL's words.
//
// A CopyRows owns its block; its fields point into it and live as long. One thread at a time, any number of blocks side
// by side. Lines count from the block's first, 1: only who has read the blocks before knows the line of the COPY.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pgwire/copy_cutter.hpp"
#include "pgwire/copy_format.hpp"

namespace boathouse::pgwire {

struct CopyField {
    const char* data = nullptr;
    std::size_t size = 0;
    bool is_null = false;

    std::string_view view() const { return {data, size}; }
};

// Where a row stands, for messages about it.
struct CopyRowMark {
    std::uint64_t line = 0;  // of the block, its last if it has several
    std::string_view text;   // as it came, without its end; empty in the binary format
};

struct CopyFailure {
    std::string sqlstate;
    std::string message;
    std::string hint{};
    CopyRowMark row{};
    bool shows_row = false;               // PostgreSQL adds the row's text
    std::optional<std::size_t> column{};  // PostgreSQL adds its name
};

class CopyRows {
  public:
    // `columns`: the names of what is copied. `format` and `columns` must outlive the rows.
    CopyRows(const CopyFormat& format, const std::vector<std::string>& columns, CopyBlock block);
    CopyRows(const CopyRows&) = delete;
    CopyRows& operator=(const CopyRows&) = delete;

    // The next row's fields; never more than columns, but fewer are possible. False: no more rows, or failure().
    bool next(std::vector<CopyField>& fields);

    const std::optional<CopyFailure>& failure() const { return failure_; }
    CopyRowMark row() const { return {line_, text_}; }
    std::uint64_t lines() const { return line_; }

    // The failure of a row with too few fields.
    CopyFailure missing_data(std::size_t column) const;

  private:
    bool read_line(std::vector<CopyField>& fields);
    bool read_text_field(CopyField& field);
    bool read_csv_field(CopyField& field);
    bool read_quoted(CopyField& field, std::size_t start);
    bool skip_line_end();
    bool read_tuple(std::vector<CopyField>& fields);
    bool fail_in_field(std::string message, std::size_t column);
    bool read_header();
    void unescape(CopyField& field);
    bool check_end_mark();
    bool check_encoding();
    bool fail(const char* sqlstate, std::string message, std::string hint = {}, bool shows_row = false);

    const CopyFormat& format_;
    const std::vector<std::string>& columns_;
    const CopyBlock block_;
    const std::string_view bytes_;
    std::array<bool, 256> special_{};  // bytes at which a field may not simply go on
    std::string arena_;                // fields whose escapes are undone; as large as the block, so that it never moves
    std::size_t invalid_at_;           // of bytes_: not UTF-8; npos: all is
    std::size_t at_ = 0;
    std::size_t begin_ = 0;  // of the row
    std::uint64_t line_ = 0;
    std::string_view text_;
    bool line_ended_ = false;
    bool first_line_;            // of the COPY
    std::string invalid_value_;  // what unescape() has to say once the row's text is known
    std::optional<CopyFailure> failure_;
};

}  // namespace boathouse::pgwire
