#include "pgwire/copy_format.hpp"

#include <utility>

namespace boathouse::pgwire {

namespace {

constexpr std::string_view kEndOfData = "\\.";

char escape_letter(char byte) {
    switch (byte) {
        case '\b':
            return 'b';
        case '\f':
            return 'f';
        case '\n':
            return 'n';
        case '\r':
            return 'r';
        case '\t':
            return 't';
        case '\v':
            return 'v';
        default:
            return '\0';
    }
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

void put_text(Buffer& out, std::string_view value, char delimiter) {
    for (const char byte : value) {
        const char letter = escape_letter(byte);
        if (letter != '\0' || byte == '\\' || byte == delimiter) out.put_byte('\\');
        out.put_byte(letter != '\0' ? letter : byte);
    }
}

bool needs_quotes(std::string_view value, const CopyFormat& format, bool alone) {
    if (value == format.null_text || (alone && value == kEndOfData)) return true;
    for (const char byte : value) {
        if (byte == format.delimiter || byte == format.quote || byte == '\n' || byte == '\r') return true;
    }
    return false;
}

void put_csv(Buffer& out, std::string_view value, const CopyFormat& format, bool alone) {
    if (!needs_quotes(value, format, alone)) return out.put(value);
    out.put_byte(format.quote);
    for (const char byte : value) {
        if (byte == format.quote || byte == format.escape) out.put_byte(format.escape);
        out.put_byte(byte);
    }
    out.put_byte(format.quote);
}

int digit_of(char byte, int base) {
    int digit = -1;
    if (byte >= '0' && byte <= '9') digit = byte - '0';
    if (byte >= 'a' && byte <= 'f') digit = byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') digit = byte - 'A' + 10;
    return digit < base ? digit : -1;
}

// Backslash and letter, "\101", "\x41": what CopyReadAttributesText undoes.
std::string unescaped(std::string_view field) {
    std::string value;
    value.reserve(field.size());
    for (std::size_t at = 0; at < field.size(); ++at) {
        if (field[at] != '\\' || at + 1 == field.size()) {
            value += field[at];
            continue;
        }
        ++at;
        const bool hexadecimal = field[at] == 'x' && at + 1 < field.size() && digit_of(field[at + 1], 16) >= 0;
        const int base = hexadecimal ? 16 : 8;
        if (!hexadecimal && digit_of(field[at], 8) < 0) {
            value += escaped_byte(field[at]);
            continue;
        }
        if (hexadecimal) ++at;
        const std::size_t end = at + (hexadecimal ? 2 : 3);
        int code = 0;
        for (; at < end && at < field.size() && digit_of(field[at], base) >= 0; ++at)
            code = code * base + digit_of(field[at], base);
        --at;
        value += static_cast<char>(code);
    }
    return value;
}

}  // namespace

void put_copy_value(Buffer& out, std::optional<std::string_view> value, const CopyFormat& format, bool alone) {
    if (!value) return out.put(format.null_text);
    format.csv ? put_csv(out, *value, format, alone) : put_text(out, *value, format.delimiter);
}

Error CopyReader::failure(const std::string& what) const {
    return {ErrorKind::corrupt, what + " in line " + std::to_string(line_) + " of the COPY", {}, {}};
}

Status CopyReader::feed(std::string_view bytes) {
    for (const char byte : bytes) {
        if (ended_) return {};
        if (auto taken = take(byte); !taken) return taken;
    }
    return {};
}

Status CopyReader::finish() {
    if (ended_) return {};
    if (in_quotes_ && !after_mark_) return failure("unterminated CSV quoted field");
    if (escaped_) return failure("a backslash without what it escapes");
    if (field_.empty() && row_.empty() && !was_quoted_) return {};
    return end_line();
}

Status CopyReader::take(char byte) {
    const bool after_return = std::exchange(bare_return_, false);
    if (++row_bytes_ > kCopyRowBytesMax)
        return failure("a row is larger than " + std::to_string(kCopyRowBytesMax) + " bytes");
    if (format_.csv && in_quotes_) {
        if (after_mark_) {
            after_mark_ = false;
            if (byte == format_.quote || byte == format_.escape) {
                field_ += byte;
                return {};
            }
            if (format_.quote != format_.escape) {
                field_ += format_.escape;  // an escape that escapes nothing is itself
                return take(byte);
            }
            in_quotes_ = false;  // it was the closing quote; the byte comes after it
        } else if (byte == format_.escape) {
            after_mark_ = true;
            return {};
        } else if (byte == format_.quote) {
            in_quotes_ = false;
            return {};
        } else {
            field_ += byte;
            return {};
        }
    } else if (format_.csv && byte == format_.quote) {
        in_quotes_ = was_quoted_ = true;
        return {};
    }
    if (!format_.csv && escaped_) {
        escaped_ = false;
        field_ += byte;
        return {};
    }
    if (byte == format_.delimiter) {
        end_field();
        return {};
    }
    if (byte == '\n') {
        if (after_return) field_.pop_back();  // the line ends with CR LF
        return end_line();
    }
    bare_return_ = byte == '\r';
    escaped_ = !format_.csv && byte == '\\';
    field_ += byte;
    return {};
}

void CopyReader::end_field() {
    if (!was_quoted_ && field_ == format_.null_text) {
        row_.emplace_back();
    } else {
        row_.emplace_back(format_.csv ? std::move(field_) : unescaped(field_));
    }
    field_.clear();
    was_quoted_ = false;
}

Status CopyReader::end_line() {
    if (row_.empty() && !was_quoted_ && field_ == kEndOfData) {
        ended_ = true;
        return {};
    }
    end_field();
    Status taken;
    if (!(format_.header && line_ == 1)) taken = take_row_(row_);
    row_.clear();
    row_bytes_ = 0;
    in_quotes_ = after_mark_ = false;
    ++line_;
    return taken;
}

}  // namespace boathouse::pgwire
