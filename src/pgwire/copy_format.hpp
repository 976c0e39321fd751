// COPY's formats (https://www.postgresql.org/docs/15/sql-copy.html#id-1.9.3.55.9): the options, and how a value is
// written as text or csv.
//
// Reading is copy_cutter.hpp's (a stream into blocks of whole rows) and copy_rows.hpp's (a block into fields). Pure
// functions and plain values, any thread; nothing fails.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pgwire/buffer.hpp"

namespace boathouse::pgwire {

inline constexpr std::size_t kCopyRowBytesMax = 256u << 20;
// A line of a text or csv COPY that consists of this ends the data.
inline constexpr std::string_view kCopyEnd = "\\.";
inline constexpr std::string_view kCopyBinarySignature{"PGCOPY\n\377\r\n\0", 11};

enum class CopyKind { text, csv, binary, parquet };
enum class CopyHeader { none, line, match };

struct CopyFormat {
    CopyKind kind = CopyKind::text;
    char delimiter = '\t';
    std::string null_text = "\\N";
    CopyHeader header = CopyHeader::none;
    char quote = '"';
    char escape = '"';
    std::string encoding;  // as iconv names it; empty: UTF-8
    // A flag each column; empty: none of them.
    std::vector<bool> force_quote;
    std::vector<bool> force_not_null;
    std::vector<bool> force_null;

    bool is_csv() const { return kind == CopyKind::csv; }
    bool is_lines() const { return kind == CopyKind::text || kind == CopyKind::csv; }
};

inline bool copy_flag(const std::vector<bool>& flags, std::size_t column) {
    return column < flags.size() && flags[column];
}

struct CopyValueOptions {
    bool alone = false;  // the row's only value
    bool quoted = false;
};

// One value that is not NULL, without delimiter, as text or csv.
void put_copy_value(Buffer& out, std::string_view value, const CopyFormat& format, CopyValueOptions options);

}  // namespace boathouse::pgwire
