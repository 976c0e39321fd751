#include "engine/format_string.hpp"

#include <duckdb.hpp>

namespace boathouse::engine {

std::vector<FormatPiece> split_format(std::string_view format) {
    std::vector<FormatPiece> pieces;
    std::string text;
    std::size_t next = 1;
    const auto flush = [&] {
        if (!text.empty()) pieces.push_back({text});
        text.clear();
    };
    for (std::size_t at = 0; at < format.size(); ++at) {
        if (format[at] != '%') {
            text += format[at];
            continue;
        }
        ++at;
        if (at < format.size() && format[at] == '%') {
            text += '%';
            continue;
        }
        std::size_t number = 0;
        const std::size_t digits = at;
        while (at < format.size() && format[at] >= '0' && format[at] <= '9' && number < 1000)
            number = number * 10 + static_cast<std::size_t>(format[at++] - '0');
        if (at > digits) {
            if (at == format.size() || format[at] != '$')
                throw duckdb::NotImplementedException("widths in format() are not supported");
            ++at;
            next = number;
        }
        if (at == format.size() || std::string_view("sIL").find(format[at]) == std::string_view::npos) {
            throw duckdb::InvalidInputException("unrecognized format() type specifier \"%s\"",
                                                std::string(format.substr(std::min(at, format.size()), 1)));
        }
        flush();
        pieces.push_back({"", next++, format[at]});
    }
    flush();
    return pieces;
}

}  // namespace boathouse::engine
