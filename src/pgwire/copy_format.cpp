#include "pgwire/copy_format.hpp"

#include <algorithm>

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

// Most values have nothing to escape: those are found out first and copied whole.
void put_text(Buffer& out, std::string_view value, char delimiter) {
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
