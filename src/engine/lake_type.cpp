#include "engine/lake_type.hpp"

#include <charconv>
#include <duckdb.hpp>
#include <optional>
#include <string_view>

#include "engine/wire_types.hpp"

namespace boathouse::engine {

using duckdb::LogicalType;

namespace {

// "decimal(18,3)", or nothing.
std::optional<LogicalType> decimal_type(std::string_view name) {
    constexpr std::string_view kPrefix = "decimal(";
    if (!name.starts_with(kPrefix)) return std::nullopt;
    const char* const end = name.data() + name.size();
    std::uint8_t width = 0;
    std::uint8_t scale = 0;
    const auto comma = std::from_chars(name.data() + kPrefix.size(), end, width);
    if (comma.ec != std::errc() || comma.ptr == end || *comma.ptr != ',') return std::nullopt;
    const auto close = std::from_chars(comma.ptr + 1, end, scale);
    if (close.ec != std::errc() || width < 1 || width > 38 || scale > width) return std::nullopt;
    return LogicalType::DECIMAL(width, scale);
}

// DuckLake's names that DuckDB's own parser of types reads otherwise, or not at all.
// https://ducklake.select/docs/stable/specification/data_types
LogicalType simple_type(const std::string& name) {
    if (name == "int8") return LogicalType::TINYINT;
    if (name == "int16") return LogicalType::SMALLINT;
    if (name == "int32") return LogicalType::INTEGER;
    if (name == "int64") return LogicalType::BIGINT;
    if (name == "int128") return LogicalType::HUGEINT;
    if (name == "uint8") return LogicalType::UTINYINT;
    if (name == "uint16") return LogicalType::USMALLINT;
    if (name == "uint32") return LogicalType::UINTEGER;
    if (name == "uint64") return LogicalType::UBIGINT;
    if (name == "uint128") return LogicalType::UHUGEINT;
    if (name == "float32") return LogicalType::FLOAT;
    if (name == "float64") return LogicalType::DOUBLE;
    if (name == "timestamptz") return LogicalType::TIMESTAMP_TZ;
    if (name == "timestamp_us") return LogicalType::TIMESTAMP;
    if (name == "timetz") return LogicalType::TIME_TZ;
    if (name == "json") return LogicalType::JSON();
    if (name == "struct") return LogicalType::STRUCT({{"element", LogicalType::VARCHAR}});
    if (name == "map") return LogicalType::MAP(LogicalType::VARCHAR, LogicalType::VARCHAR);
    if (name == "variant") return LogicalType(duckdb::LogicalTypeId::VARIANT);
    if (const auto decimal = decimal_type(name)) return *decimal;
    return LogicalType(duckdb::TransformStringToLogicalTypeId(name));
}

}  // namespace

pgwire::ColumnDescription describe_lake_column(const std::string& name, const std::string& type, bool is_list) {
    const LogicalType element = simple_type(type);
    return describe_column(name, is_list ? LogicalType::LIST(element) : element);
}

}  // namespace boathouse::engine
