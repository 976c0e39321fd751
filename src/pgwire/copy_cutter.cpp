#include "pgwire/copy_cutter.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "pgwire/frontend.hpp"

namespace boathouse::pgwire {

namespace {

constexpr std::size_t npos = std::string::npos;
constexpr std::size_t kBinaryHeaderBytes = 19;  // signature, flags, length of the extension
constexpr std::uint32_t kCriticalFlags = 0xFFFF0000U;

Error corrupt(const std::string& message) {
    return {ErrorKind::corrupt, message, {}, {}};
}

}  // namespace

void CopyCutter::feed(std::string_view bytes) {
    if (!ended_) buffer_.append(bytes);
}

Result<std::optional<CopyBlock>> CopyCutter::take() {
    if (ended_ || buffer_.size() < wanted_) return std::optional<CopyBlock>();
    if (format_.kind == CopyKind::binary && !header_skipped_) {
        if (auto skipped = skip_binary_header(false); !skipped) return skipped.error();
    }
    scan(false);
    if (cut_ > 0) return std::optional(cut());
    wanted_ = buffer_.size() + buffer_.size() / 2;
    if (buffer_.size() > kCopyRowBytesMax) {
        return Error{ErrorKind::limit, "a row is larger than " + std::to_string(kCopyRowBytesMax) + " bytes", {}, {}};
    }
    return std::optional<CopyBlock>();
}

Result<std::optional<CopyBlock>> CopyCutter::finish() {
    if (format_.kind == CopyKind::binary && !header_skipped_) {
        if (auto skipped = skip_binary_header(true); !skipped) return skipped.error();
    }
    if (!ended_) {
        scan(true);
        if (!ended_) cut_ = buffer_.size();
    }
    ended_ = true;
    if (cut_ == 0) return std::optional<CopyBlock>();
    return std::optional(cut());
}

CopyBlock CopyCutter::cut() {
    CopyBlock block;
    block.line_end = line_end_;
    block.first = first_;
    first_ = false;
    wanted_ = block_bytes_;
    std::string rest = buffer_.substr(cut_);
    rest.reserve(ended_ ? 0 : block_bytes_ + block_bytes_ / 4);
    buffer_.resize(cut_);
    block.bytes = std::exchange(buffer_, std::move(rest));
    scanned_ -= std::min(scanned_, cut_);
    cut_ = 0;
    return block;
}

void CopyCutter::scan(bool at_end) {
    if (ended_) return;
    if (format_.kind == CopyKind::binary) return scan_binary(at_end);
    if (line_end_ == LineEnd::unknown && !find_line_end(at_end)) return;
    format_.is_csv() ? scan_csv(at_end) : scan_text(at_end);
}

// False if the first line's end is not here yet.
bool CopyCutter::find_line_end(bool at_end) {
    bool quoted = false;
    bool escaped = false;
    for (std::size_t at = 0; at < buffer_.size(); ++at) {
        const char byte = buffer_[at];
        if (format_.is_csv()) {
            const bool marks = format_.escape != format_.quote && quoted && byte == format_.escape;
            if (byte == format_.quote && !escaped) quoted = !quoted;
            escaped = marks && !escaped;
            if (quoted) continue;
        } else if (byte == '\\') {
            ++at;
            continue;
        }
        if (byte == '\n') {
            line_end_ = LineEnd::lf;
            return true;
        }
        if (byte == '\r') {
            if (at + 1 == buffer_.size() && !at_end) return false;
            line_end_ = at + 1 < buffer_.size() && buffer_[at + 1] == '\n' ? LineEnd::crlf : LineEnd::cr;
            return true;
        }
    }
    return false;
}

// The last line end between the two counts as one that may be cut at.
void CopyCutter::note_line_ends(std::size_t from, std::size_t to) {
    if (to <= from) return;
    const char last = line_end_ == LineEnd::cr ? '\r' : '\n';
    const void* found = memrchr(buffer_.data() + from, last, to - from);
    if (found) cut_ = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data()) + 1;
}

// Whether "\." at `mark` ends the data: its line's end must follow. Text may have a row's rest before it. What is no
// end is left in the data, where it is wrong (text) or a value (csv).
bool CopyCutter::ends_data(std::size_t mark, bool at_end) {
    const std::string_view end = line_end_ == LineEnd::lf ? "\n" : line_end_ == LineEnd::cr ? "\r" : "\r\n";
    const std::string_view after = std::string_view(buffer_).substr(mark + kCopyEnd.size());
    if (!at_end && after.size() < end.size()) {
        waits_ = true;
        return false;
    }
    if (!after.starts_with(end)) return false;
    buffer_.resize(mark);
    cut_ = scanned_ = mark;
    ended_ = true;
    return true;
}

void CopyCutter::scan_text(bool at_end) {
    waits_ = false;
    while (scanned_ < buffer_.size()) {
        const void* found = std::memchr(buffer_.data() + scanned_, '\\', buffer_.size() - scanned_);
        const std::size_t mark =
            found ? static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data()) : buffer_.size();
        note_line_ends(scanned_, mark);
        scanned_ = mark;
        if (mark == buffer_.size() || mark + 1 == buffer_.size()) return;  // what it escapes is not here yet
        if (buffer_[mark + 1] == '.') {
            if (ends_data(mark, at_end) || waits_) return;
        }
        scanned_ = mark + 2;
    }
}

void CopyCutter::scan_csv(bool at_end) {
    waits_ = false;
    while (scanned_ < buffer_.size() && !ended_ && !waits_) {
        if (in_quotes_) {
            scan_quoted();
            continue;
        }
        const void* found = std::memchr(buffer_.data() + scanned_, format_.quote, buffer_.size() - scanned_);
        const std::size_t quote =
            found ? static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data()) : buffer_.size();
        scan_unquoted(quote, at_end);
        if (ended_ || waits_ || quote == buffer_.size()) continue;
        in_quotes_ = true;
        scanned_ = quote + 1;
    }
}

void CopyCutter::scan_unquoted(std::size_t end, bool at_end) {
    std::size_t at = scanned_;
    while (true) {
        const std::size_t mark = std::string_view(buffer_).substr(0, end).find(kCopyEnd, at);
        // A backslash at the very end may be the half of it.
        const bool half = mark == npos && end == buffer_.size() && end > at && buffer_[end - 1] == '\\' && !at_end;
        const std::size_t stop = half ? end - 1 : std::min(mark, end);
        note_line_ends(at, stop);
        scanned_ = stop;
        if (half) {
            waits_ = true;
            return;
        }
        if (stop == end) return;
        const bool at_line_start = stop == 0 ? cut_ == 0 : cut_ == stop;
        if (at_line_start && (ends_data(stop, at_end) || waits_)) return;
        at = stop + 1;
        scanned_ = at;
    }
}

// Up to and with the closing quote. A doubled quote closes and opens again, which comes to the same.
void CopyCutter::scan_quoted() {
    if (format_.escape == format_.quote) {
        const std::size_t quote = buffer_.find(format_.quote, scanned_);
        in_quotes_ = quote == npos;
        scanned_ = quote == npos ? buffer_.size() : quote + 1;
        return;
    }
    while (scanned_ < buffer_.size()) {
        const char byte = buffer_[scanned_];
        if (byte == format_.escape) {
            if (scanned_ + 1 == buffer_.size()) {
                waits_ = true;  // what it escapes is not here yet
                return;
            }
            const char next = buffer_[scanned_ + 1];
            scanned_ += next == format_.quote || next == format_.escape ? 2 : 1;
            continue;
        }
        ++scanned_;
        if (byte == format_.quote) {
            in_quotes_ = false;
            return;
        }
    }
}

Status CopyCutter::skip_binary_header(bool at_end) {
    if (!at_end && buffer_.size() < kBinaryHeaderBytes) return {};
    if (!buffer_.starts_with(kCopyBinarySignature)) return corrupt("COPY file signature not recognized");
    Reader reader(std::string_view(buffer_).substr(kCopyBinarySignature.size()));
    const auto flags = static_cast<std::uint32_t>(reader.i32());
    if (!reader.ok()) return corrupt("invalid COPY file header (missing flags)");
    if ((flags & (1U << 16)) != 0) return corrupt("invalid COPY file header (WITH OIDS)");
    if ((flags & kCriticalFlags) != 0) return corrupt("unrecognized critical flags in COPY file header");
    const std::int32_t extension = reader.i32();
    if (!reader.ok() || extension < 0) return corrupt("invalid COPY file header (missing length)");
    if (buffer_.size() - kBinaryHeaderBytes < static_cast<std::size_t>(extension)) {
        return at_end || static_cast<std::size_t>(extension) > kCopyRowBytesMax
                   ? Status(corrupt("invalid COPY file header (wrong length)"))
                   : Status();
    }
    buffer_.erase(0, kBinaryHeaderBytes + static_cast<std::size_t>(extension));
    header_skipped_ = true;
    return {};
}

// Row by row, by the lengths in it; each begins with the number of its fields, -1 in the trailer.
void CopyCutter::scan_binary(bool at_end) {
    if (!header_skipped_) return;
    while (true) {
        Reader reader(std::string_view(buffer_).substr(scanned_));
        const std::int16_t fields = reader.i16();
        std::size_t size = sizeof fields;
        bool malformed = false;
        for (std::int16_t field = 0; field < fields && reader.ok() && !malformed; ++field) {
            const std::int32_t length = reader.i32();
            size += sizeof length;
            malformed = reader.ok() && length < -1;
            if (length <= 0 || malformed) continue;
            reader.bytes(static_cast<std::size_t>(length));
            size += static_cast<std::size_t>(length);
        }
        if (!reader.ok()) return;  // not whole yet; at the end it never will be
        if (fields < 0 || malformed) {
            // The trailer, with whatever follows, or what is wrong: the block's reader sees it last.
            if (fields == -1 && !at_end && scanned_ + size == buffer_.size()) return;
            cut_ = buffer_.size();
            ended_ = true;
            return;
        }
        scanned_ += size;
        cut_ = scanned_;
    }
}

}  // namespace boathouse::pgwire
