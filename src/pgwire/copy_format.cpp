#include "pgwire/copy_format.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace boathouse::pgwire {

namespace {

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

constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr std::uint64_t kHighBits = 0x8080808080808080U;

// Whether a byte of the word is `byte`, or below 14, where control characters are.
constexpr bool holds(std::uint64_t word, char byte) {
    const std::uint64_t difference = word ^ (kOnes * static_cast<unsigned char>(byte));
    return ((difference - kOnes) & ~difference & kHighBits) != 0;
}
constexpr bool holds_control(std::uint64_t word) {
    return ((word - kOnes * 14) & ~word & kHighBits) != 0;
}

// Whether none of the bytes is one of the two, or a control character: most values, found out eight bytes at a time.
bool is_plain(std::string_view value, char first, char second) {
    const char* at = value.data();
    std::size_t left = value.size();
    for (; left >= sizeof(std::uint64_t); at += sizeof(std::uint64_t), left -= sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        if (holds(word, first) || holds(word, second) || holds_control(word)) return false;
    }
    for (; left > 0; ++at, --left) {
        if (*at == first || *at == second || (*at >= 0 && *at < 14)) return false;
    }
    return true;
}

void put_text(Buffer& out, std::string_view value, char delimiter) {
    if (is_plain(value, '\\', delimiter)) return out.put(value);
    const auto is_special = [delimiter](char byte) {
        return (byte >= '\b' && byte <= '\r') || byte == '\\' || byte == delimiter;
    };
    while (true) {
        const auto special = std::find_if(value.begin(), value.end(), is_special);
        const std::size_t plain = static_cast<std::size_t>(special - value.begin());
        out.put(value.substr(0, plain));
        if (plain == value.size()) return;
        const char letter = escape_letter(value[plain]);
        out.put_byte('\\');
        out.put_byte(letter != '\0' ? letter : value[plain]);
        value.remove_prefix(plain + 1);
    }
}

bool needs_quotes(std::string_view value, const CopyFormat& format, bool alone) {
    if (value == format.null_text || (alone && value == kCopyEnd)) return true;
    if (is_plain(value, format.quote, format.delimiter)) return false;
    return std::any_of(value.begin(), value.end(), [&](char byte) {
        return byte == format.delimiter || byte == format.quote || byte == '\n' || byte == '\r';
    });
}

void put_csv(Buffer& out, std::string_view value, const CopyFormat& format, CopyValueOptions options) {
    if (!options.quoted && !needs_quotes(value, format, options.alone)) return out.put(value);
    out.put_byte(format.quote);
    for (const char byte : value) {
        if (byte == format.quote || byte == format.escape) out.put_byte(format.escape);
        out.put_byte(byte);
    }
    out.put_byte(format.quote);
}

}  // namespace

void put_copy_value(Buffer& out, std::string_view value, const CopyFormat& format, CopyValueOptions options) {
    format.is_csv() ? put_csv(out, value, format, options) : put_text(out, value, format.delimiter);
}

}  // namespace boathouse::pgwire
