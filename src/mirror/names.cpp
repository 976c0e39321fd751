#include "mirror/names.hpp"

#include <algorithm>
#include <array>

namespace boathouse::mirror {
namespace {

// Cuts between characters of UTF-8, never inside one.
std::string_view cut(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end);
}

std::string marked(std::string_view name, long long id) {
    const std::string mark = "~" + std::to_string(id);
    return std::string(cut(name, kIdentifierBytesMax - mark.size())) + mark;
}

// https://www.postgresql.org/docs/15/ddl-system-columns.html
bool is_system_column(std::string_view name) {
    static constexpr std::array<std::string_view, 6> kNames{"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"};
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool fits(std::string_view name) {
    return !name.empty() && name.size() <= kIdentifierBytesMax;
}

}  // namespace

std::string relation_name(std::string_view lake_name, long long id) {
    return fits(lake_name) ? std::string(lake_name) : marked(lake_name, id);
}

std::string column_name(std::string_view lake_name, long long id) {
    return fits(lake_name) && !is_system_column(lake_name) ? std::string(lake_name) : marked(lake_name, id);
}

std::string schema_name(std::string_view lake_name, long long id, SchemaNaming naming) {
    if (lake_name == "main" && !naming.lake_has_public) return "public";
    // PostgreSQL refuses whatever begins with pg_.
    if (lake_name.starts_with("pg_")) return marked("_" + std::string(lake_name), id);
    const bool reserved = lake_name == "information_schema";
    return fits(lake_name) && !reserved ? std::string(lake_name) : marked(lake_name, id);
}

}  // namespace boathouse::mirror
