#include "pgwire/copy_rows.hpp"

#include <algorithm>
#include <utility>

#include "pgwire/frontend.hpp"
#include "pgwire/utf8.hpp"

namespace boathouse::pgwire {

namespace {

constexpr const char* kBadFormat = "22P04";
constexpr std::size_t npos = std::string_view::npos;

int digit_of(char byte, int base) {
    int digit = -1;
    if (byte >= '0' && byte <= '9') digit = byte - '0';
    if (byte >= 'a' && byte <= 'f') digit = byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') digit = byte - 'A' + 10;
    return digit < base ? digit : -1;
}

char escaped_byte(char letter) {
    switch (letter) {
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        case 'v':
            return '\v';
        default:
            return letter;
    }
}

// Up to `digits_max` digits from `at` on, which is moved past them.
char coded_byte(std::string_view text, std::size_t& at, int base, int digits_max) {
    int code = 0;
    for (int digits = 0; digits < digits_max && at < text.size() && digit_of(text[at], base) >= 0; ++digits, ++at)
        code = code * base + digit_of(text[at], base);
    return static_cast<char>(code);
}

}  // namespace

CopyRows::CopyRows(const CopyFormat& format, const std::vector<std::string>& columns, CopyBlock block)
    : format_(format),
      columns_(columns),
      block_(std::move(block)),
      bytes_(block_.bytes),
      invalid_at_(format.is_lines() ? find_invalid_utf8(bytes_) : npos),
      first_line_(block_.first) {
    for (const char byte : {'\n', '\r', format.delimiter, format.is_csv() ? format.quote : '\\'})
        special_[static_cast<unsigned char>(byte)] = true;
}

bool CopyRows::fail(const char* sqlstate, std::string message, std::string hint, bool shows_row) {
    failure_ = CopyFailure{sqlstate, std::move(message), std::move(hint), row(), shows_row, {}};
    return false;
}

CopyFailure CopyRows::missing_data(std::size_t column) const {
    return {kBadFormat, "missing data for column \"" + columns_[column] + "\"", {}, row(), true};
}

bool CopyRows::next(std::vector<CopyField>& fields) {
    fields.clear();
    if (failure_) return false;
    if (format_.kind == CopyKind::binary) return read_tuple(fields);
    if (block_.first && line_ == 0 && format_.header != CopyHeader::none && !read_header()) return false;
    if (!read_line(fields)) return false;
    if (fields.size() > columns_.size()) return fail(kBadFormat, "extra data after last expected column", {}, true);
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (!format_.is_csv()) break;
        CopyField& field = fields[i];
        if (field.is_null && copy_flag(format_.force_not_null, i)) {
            field.is_null = false;
        } else if (!field.is_null && copy_flag(format_.force_null, i) && field.view() == format_.null_text) {
            field.is_null = true;
        }
    }
    return true;
}

bool CopyRows::read_header() {
    std::vector<CopyField> fields;
    if (!read_line(fields)) return false;
    if (format_.header != CopyHeader::match) return true;
    if (fields.size() != columns_.size()) {
        return fail(kBadFormat,
                    "wrong number of fields in header line: got " + std::to_string(fields.size()) + ", expected " +
                        std::to_string(columns_.size()),
                    {}, true);
    }
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const std::string where = "column name mismatch in header line field " + std::to_string(i + 1) + ": got ";
        const std::string wanted = ", expected \"" + columns_[i] + "\"";
        if (fields[i].is_null)
            return fail(kBadFormat, where + "null value (\"" + format_.null_text + "\")" + wanted, {}, true);
        if (fields[i].view() != columns_[i])
            return fail(kBadFormat, where + "\"" + std::string(fields[i].view()) + "\"" + wanted, {}, true);
    }
    return true;
}

bool CopyRows::read_line(std::vector<CopyField>& fields) {
    if (at_ >= bytes_.size()) return false;
    begin_ = at_;
    ++line_;
    text_ = {};
    line_ended_ = false;
    if (format_.is_csv() && !check_end_mark()) return false;
    while (!line_ended_) {
        CopyField& field = fields.emplace_back();
        if (!(format_.is_csv() ? read_csv_field(field) : read_text_field(field))) return false;
    }
    first_line_ = false;
    if (!check_encoding()) return false;
    return invalid_value_.empty() || fail("22021", invalid_value_, {}, true);
}

// At a byte that may end the line: does, and moves on; or is wrong where it stands.
bool CopyRows::skip_line_end() {
    const bool is_return = bytes_[at_] == '\r';
    const bool pair = is_return && at_ + 1 < bytes_.size() && bytes_[at_ + 1] == '\n';
    const LineEnd here = pair && block_.line_end != LineEnd::cr ? LineEnd::crlf : is_return ? LineEnd::cr : LineEnd::lf;
    if (here != block_.line_end) {
        const bool as_return = is_return;
        const std::string word = as_return ? "carriage return" : "newline";
        if (!check_encoding()) return false;
        if (format_.is_csv())
            return fail(kBadFormat, "unquoted " + word + " found in data",
                        "Use quoted CSV field to represent " + word + ".");
        return fail(kBadFormat, "literal " + word + " found in data",
                    std::string("Use \"") + (as_return ? "\\r" : "\\n") + "\" to represent " + word + ".");
    }
    text_ = bytes_.substr(begin_, at_ - begin_);
    at_ += here == LineEnd::crlf ? 2 : 1;
    line_ended_ = true;
    return true;
}

bool CopyRows::check_encoding() {
    if (invalid_at_ >= at_) return true;
    text_ = {};
    return fail("22021", invalid_utf8_message(bytes_, invalid_at_));
}

// "\." that the cutter did not take for the end: with another line's end than the lines before.
bool CopyRows::check_end_mark() {
    if (!bytes_.substr(at_).starts_with(kCopyEnd)) return true;
    const std::size_t after = at_ + kCopyEnd.size();
    if (after >= bytes_.size() || (bytes_[after] != '\n' && bytes_[after] != '\r')) return true;
    if (block_.line_end == LineEnd::crlf) return true;
    return fail(kBadFormat, "end-of-copy marker does not match previous newline style");
}

bool CopyRows::read_text_field(CopyField& field) {
    const std::size_t start = at_;
    bool escaped = false;
    std::size_t end = npos;
    while (end == npos) {
        while (at_ < bytes_.size() && !special_[static_cast<unsigned char>(bytes_[at_])]) ++at_;
        if (at_ >= bytes_.size()) {
            end = at_ = bytes_.size();
            text_ = bytes_.substr(begin_);
            line_ended_ = true;
        } else if (bytes_[at_] == format_.delimiter) {
            end = at_++;
        } else if (bytes_[at_] == '\\') {
            escaped = true;
            if (at_ + 1 < bytes_.size() && bytes_[at_ + 1] == '.') {
                const bool at_line_end =
                    at_ + 2 < bytes_.size() && (bytes_[at_ + 2] == '\n' || bytes_[at_ + 2] == '\r');
                return fail(kBadFormat, at_line_end && block_.line_end != LineEnd::crlf
                                            ? "end-of-copy marker does not match previous newline style"
                                            : "end-of-copy marker corrupt");
            }
            at_ += 2;
        } else {
            end = at_;
            if (!skip_line_end()) return false;
        }
    }
    field.data = bytes_.data() + start;
    field.size = end - start;
    if (field.view() == format_.null_text) {
        field.is_null = true;
    } else if (escaped) {
        unescape(field);
    }
    return true;
}

// Backslash and letter, "\101", "\x41". What codes make must be UTF-8 in the end.
void CopyRows::unescape(CopyField& field) {
    if (arena_.capacity() < bytes_.size()) arena_.reserve(bytes_.size());
    const std::string_view raw = field.view();
    const std::size_t start = arena_.size();
    bool coded = false;
    for (std::size_t at = 0; at < raw.size();) {
        if (raw[at] != '\\') {
            arena_ += raw[at++];
            continue;
        }
        if (++at == raw.size()) break;
        if (raw[at] == 'x' && at + 1 < raw.size() && digit_of(raw[at + 1], 16) >= 0) {
            arena_ += coded_byte(raw, ++at, 16, 2);
            coded = true;
        } else if (digit_of(raw[at], 8) >= 0) {
            arena_ += coded_byte(raw, at, 8, 3);
            coded = true;
        } else {
            arena_ += escaped_byte(raw[at++]);
        }
    }
    field.data = arena_.data() + start;
    field.size = arena_.size() - start;
    const std::size_t invalid = coded ? find_invalid_utf8(field.view()) : npos;
    if (invalid != npos && invalid_value_.empty()) invalid_value_ = invalid_utf8_message(field.view(), invalid);
}

bool CopyRows::read_csv_field(CopyField& field) {
    const std::size_t start = at_;
    while (at_ < bytes_.size() && !special_[static_cast<unsigned char>(bytes_[at_])]) ++at_;
    field.data = bytes_.data() + start;
    field.size = at_ - start;
    if (at_ >= bytes_.size()) {
        text_ = bytes_.substr(begin_);
        line_ended_ = true;
    } else if (bytes_[at_] == format_.delimiter) {
        ++at_;
    } else if (bytes_[at_] == format_.quote) {
        return read_quoted(field, start);
    } else if (!skip_line_end()) {
        return false;
    }
    field.is_null = field.view() == format_.null_text;
    return true;
}

// From the first quote on: quoted and unquoted stretches in turn, as PostgreSQL allows them, up to the field's end.
bool CopyRows::read_quoted(CopyField& field, std::size_t start) {
    if (arena_.capacity() < bytes_.size()) arena_.reserve(bytes_.size());
    const std::size_t arena_start = arena_.size();
    arena_.append(bytes_.substr(start, at_ - start));
    // While PostgreSQL reads the first line it does not know yet how lines end, and counts carriage returns.
    const char inner_line_end = block_.line_end == LineEnd::lf && !first_line_ ? '\n' : '\r';
    bool quoted = false;
    bool ended = false;
    while (!ended) {
        if (at_ >= bytes_.size()) {
            text_ = bytes_.substr(begin_);
            if (quoted) {
                if (!check_encoding()) return false;
                return fail(kBadFormat, "unterminated CSV quoted field", {}, true);
            }
            line_ended_ = ended = true;
            continue;
        }
        const char byte = bytes_[at_];
        if (quoted) {
            ++at_;
            const bool marks = byte == format_.escape && at_ < bytes_.size() &&
                               (bytes_[at_] == format_.escape || bytes_[at_] == format_.quote);
            if (marks) {
                arena_ += bytes_[at_++];
            } else if (byte == format_.quote) {
                quoted = false;
            } else {
                if (byte == inner_line_end) ++line_;
                arena_ += byte;
            }
        } else if (byte == format_.quote) {
            quoted = true;
            ++at_;
        } else if (byte == format_.delimiter) {
            ++at_;
            ended = true;
        } else if (byte == '\n' || byte == '\r') {
            if (!skip_line_end()) return false;
            ended = true;
        } else {
            arena_ += byte;
            ++at_;
        }
    }
    field.data = arena_.data() + arena_start;
    field.size = arena_.size() - arena_start;
    return true;
}

bool CopyRows::fail_in_field(std::string message, std::size_t column) {
    fail(kBadFormat, std::move(message));
    failure_->column = column;
    return false;
}

bool CopyRows::read_tuple(std::vector<CopyField>& fields) {
    if (at_ >= bytes_.size()) return false;
    ++line_;
    Reader reader(bytes_.substr(at_));
    const std::int16_t count = reader.i16();
    if (!reader.ok()) return fail(kBadFormat, "unexpected EOF in COPY data");
    if (count == -1) {
        at_ = bytes_.size();
        return reader.at_end() ? false : fail(kBadFormat, "received copy data after EOF marker");
    }
    if (count < 0 || static_cast<std::size_t>(count) != columns_.size()) {
        return fail(kBadFormat,
                    "row field count is " + std::to_string(count) + ", expected " + std::to_string(columns_.size()));
    }
    for (std::int16_t i = 0; i < count; ++i) {
        CopyField& field = fields.emplace_back();
        const std::int32_t length = reader.i32();
        const auto column = static_cast<std::size_t>(i);
        if (reader.ok() && length < -1) return fail_in_field("invalid field size", column);
        field.is_null = length == -1;
        const std::string_view value =
            length > 0 ? reader.bytes(static_cast<std::size_t>(length)) : std::string_view(bytes_.data(), 0);
        field.data = value.data();
        field.size = value.size();
        if (!reader.ok()) return fail_in_field("unexpected EOF in COPY data", column);
    }
    at_ = bytes_.size() - reader.rest().size();
    return true;
}

}  // namespace boathouse::pgwire
