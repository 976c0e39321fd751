#include "engine/copy_options.hpp"

#include <algorithm>

namespace boathouse::engine {

namespace {

Outcome<std::vector<bool>> flags_of(const ForcedColumns& forced, const char* option,
                                    const std::vector<std::string>& columns) {
    if (forced.all) return std::vector<bool>(columns.size(), true);
    if (forced.names.empty()) return std::vector<bool>();
    std::vector<bool> flags(columns.size());
    for (const std::string& name : forced.names) {
        const auto found = std::find(columns.begin(), columns.end(), name);
        if (found == columns.end())
            return QueryError{"42P10", std::string(option) + " column \"" + name + "\" not referenced by COPY"};
        flags[static_cast<std::size_t>(found - columns.begin())] = true;
    }
    return flags;
}

}  // namespace

std::vector<std::string> columns_of(const std::vector<CopyColumn>& columns) {
    std::vector<std::string> names;
    names.reserve(columns.size());
    for (const CopyColumn& column : columns) names.push_back(column.name);
    return names;
}

Outcome<pgwire::CopyFormat> resolve_copy_options(const CopyOptions& options, const std::vector<std::string>& columns) {
    auto quote = flags_of(options.force_quote, "FORCE_QUOTE", columns);
    if (!quote) return quote.error();
    auto not_null = flags_of(options.force_not_null, "FORCE_NOT_NULL", columns);
    if (!not_null) return not_null.error();
    auto null = flags_of(options.force_null, "FORCE_NULL", columns);
    if (!null) return null.error();
    pgwire::CopyFormat format = options.format;
    format.force_quote = std::move(*quote);
    format.force_not_null = std::move(*not_null);
    format.force_null = std::move(*null);
    return format;
}

}  // namespace boathouse::engine
