// COPY's text and csv formats (https://www.postgresql.org/docs/15/sql-copy.html#id-1.9.3.55.9): how a row is written,
// and how rows are read back from a stream of bytes.
//
// A CopyReader belongs to one COPY and one thread; it holds at most one row, of kCopyRowBytesMax. Errors name the line.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "pgwire/buffer.hpp"

namespace boathouse::pgwire {

inline constexpr std::size_t kCopyRowBytesMax = 256u << 20;

struct CopyFormat {
    bool csv = false;
    char delimiter = '\t';
    std::string null_text = "\\N";
    bool header = false;
    char quote = '"';
    char escape = '"';
};

// One value, or NULL, without delimiter. `alone`: the row's only value.
void put_copy_value(Buffer& out, std::optional<std::string_view> value, const CopyFormat& format, bool alone);

class CopyReader {
  public:
    using Row = std::vector<std::optional<std::string>>;
    // Takes a row; its error ends the COPY.
    using TakeRow = std::function<Status(const Row&)>;

    CopyReader(CopyFormat format, TakeRow take_row) : format_(std::move(format)), take_row_(std::move(take_row)) {}

    // The next bytes, cut anywhere.
    Status feed(std::string_view bytes);
    // No more bytes come: a last line without its end counts.
    Status finish();

    // Of the line that is being read, from 1.
    std::uint64_t line() const { return line_; }

  private:
    Status take(char byte);
    void end_field();
    Status end_line();
    Error failure(const std::string& what) const;

    const CopyFormat format_;
    const TakeRow take_row_;
    Row row_;
    std::string field_;  // as it came, text's escapes included
    std::size_t row_bytes_ = 0;
    std::uint64_t line_ = 1;
    bool escaped_ = false;      // text: after a backslash
    bool in_quotes_ = false;    // csv
    bool was_quoted_ = false;   // csv: the field had quotes, so it is not NULL
    bool after_mark_ = false;   // csv: after a quote or escape inside quotes
    bool bare_return_ = false;  // the last byte was a carriage return, neither quoted nor escaped
    bool ended_ = false;        // "\." was seen: what follows is ignored
};

}  // namespace boathouse::pgwire
