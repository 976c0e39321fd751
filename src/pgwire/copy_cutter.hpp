// Cuts the stream of a COPY FROM into blocks of whole rows, so that blocks can be read side by side: by PostgreSQL's
// rules for where a line ends (CopyReadLineText of its copyfromparse.c), or by the lengths in the binary format.
//
// A CopyCutter belongs to one COPY and one thread. It looks at quotes, backslashes and line ends only, with memchr, and
// holds what is not cut off yet: less than a block, or one row of at most kCopyRowBytesMax. What is wrong with a row is
// left for copy_rows.hpp to tell; only a binary stream's header and too large a row fail here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "pgwire/copy_format.hpp"

namespace boathouse::pgwire {

inline constexpr std::size_t kCopyBlockBytes = 1u << 20;

// How lines end: as the first one does.
enum class LineEnd { unknown, lf, cr, crlf };

struct CopyBlock {
    std::string bytes;
    LineEnd line_end = LineEnd::unknown;
    bool first = false;  // the header line, if there is one, is here
};

class CopyCutter {
  public:
    // `block_bytes`: from how many on a block is cut off.
    explicit CopyCutter(const CopyFormat& format, std::size_t block_bytes = kCopyBlockBytes)
        : format_(format), block_bytes_(block_bytes), wanted_(block_bytes) {}

    // The next bytes, cut anywhere. Nothing counts after the end of the data ("\.", the binary trailer).
    void feed(std::string_view bytes);

    // A block, once there is enough for one. Errors: corrupt (no binary COPY), limit (the row is too large).
    Result<std::optional<CopyBlock>> take();
    // No more bytes come: what is left, a last line without its end included.
    Result<std::optional<CopyBlock>> finish();

  private:
    void scan(bool at_end);
    bool find_line_end(bool at_end);
    void scan_text(bool at_end);
    void scan_csv(bool at_end);
    void scan_unquoted(std::size_t end, bool at_end);
    void scan_quoted();
    Status skip_binary_header(bool at_end);
    void scan_binary(bool at_end);
    bool ends_data(std::size_t mark, bool at_end);
    void note_line_ends(std::size_t from, std::size_t to);
    CopyBlock cut();

    const CopyFormat format_;
    const std::size_t block_bytes_;
    std::size_t wanted_;  // bytes before the next look: a row that does not end is not looked at again and again
    std::string buffer_;
    std::size_t scanned_ = 0;  // of buffer_: looked at
    std::size_t cut_ = 0;      // of buffer_: whole rows
    LineEnd line_end_ = LineEnd::unknown;
    bool in_quotes_ = false;
    bool waits_ = false;  // more bytes must come before the scan goes on
    bool first_ = true;
    bool header_skipped_ = false;  // the binary format's
    bool ended_ = false;
};

}  // namespace boathouse::pgwire
