#include "engine/fixed_encoders.hpp"

#include <bit>

#include "pgwire/fixed_values.hpp"
#include "pgwire/values.hpp"

namespace boathouse::engine {

namespace fixed = pgwire::fixed;
using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::PhysicalType;

namespace {

constexpr std::int32_t kEpochDays = 10957;  // 2000-01-01
constexpr std::int64_t kEpochMicros = std::int64_t{kEpochDays} * 86'400'000'000;

template <class T>
T cell(const void* data, idx_t index) {
    return static_cast<const T*>(data)[index];
}

template <class T>
char* write_integer(char* at, const ColumnEncoder&, const void* data, idx_t index) {
    return fixed::integer(at, cell<T>(data, index));
}

template <class T, class Wire>
char* write_network(char* at, const ColumnEncoder&, const void* data, idx_t index) {
    return fixed::network(at, static_cast<Wire>(cell<T>(data, index)));
}

template <class T, class Bits>
char* write_float(char* at, const ColumnEncoder&, const void* data, idx_t index) {
    return fixed::network(at, std::bit_cast<Bits>(cell<T>(data, index)));
}

char* write_bool_text(char* at, const ColumnEncoder&, const void* data, idx_t index) {
    *at = cell<bool>(data, index) ? 't' : 'f';
    return at + 1;
}
char* write_bool_binary(char* at, const ColumnEncoder&, const void* data, idx_t index) {
    *at = cell<bool>(data, index) ? '\1' : '\0';
    return at + 1;
}

char* write_float8_text(char* at, const ColumnEncoder&, const void* data, idx_t index) {
    return fixed::float8(at, cell<double>(data, index));
}

template <class T>
char* write_decimal(char* at, const ColumnEncoder& column, const void* data, idx_t index) {
    return fixed::decimal(at, cell<T>(data, index), column.scale);
}

bool is_finite(duckdb::date_t date) {
    return date != duckdb::date_t::infinity() && date != duckdb::date_t::ninfinity();
}
bool is_finite(duckdb::timestamp_t instant) {
    return instant != duckdb::timestamp_t::infinity() && instant != duckdb::timestamp_t::ninfinity();
}

char* write_date_text(char* at, const ColumnEncoder&, const void* data, idx_t index) {
    return fixed::date(at, cell<duckdb::date_t>(data, index).days);
}
char* write_date_binary(char* at, const ColumnEncoder&, const void* data, idx_t index) {
    const auto date = cell<duckdb::date_t>(data, index);
    std::int32_t days = 0;
    if (!is_finite(date) || __builtin_sub_overflow(date.days, kEpochDays, &days)) return nullptr;
    return fixed::network(at, days);
}
char* write_timestamp_text(char* at, const ColumnEncoder&, const void* data, idx_t index) {
    return fixed::timestamp(at, cell<duckdb::timestamp_t>(data, index).value);
}
char* write_timestamp_binary(char* at, const ColumnEncoder&, const void* data, idx_t index) {
    const auto instant = cell<duckdb::timestamp_t>(data, index);
    std::int64_t micros = 0;
    if (!is_finite(instant) || __builtin_sub_overflow(instant.value, kEpochMicros, &micros)) return nullptr;
    return fixed::network(at, micros);
}

WriteFixed choose_decimal(PhysicalType storage) {
    switch (storage) {
        case PhysicalType::INT16:
            return write_decimal<std::int16_t>;
        case PhysicalType::INT32:
            return write_decimal<std::int32_t>;
        case PhysicalType::INT64:
            return write_decimal<std::int64_t>;
        default:
            return nullptr;
    }
}

WriteFixed choose_text(const LogicalType& type) {
    switch (type.id()) {
        case LogicalTypeId::BOOLEAN:
            return write_bool_text;
        case LogicalTypeId::SMALLINT:
            return write_integer<std::int16_t>;
        case LogicalTypeId::INTEGER:
            return write_integer<std::int32_t>;
        case LogicalTypeId::BIGINT:
            return write_integer<std::int64_t>;
        case LogicalTypeId::UINTEGER:
            return write_integer<std::uint32_t>;
        case LogicalTypeId::UBIGINT:
            return write_integer<std::uint64_t>;
        case LogicalTypeId::DOUBLE:
            return write_float8_text;
        case LogicalTypeId::DECIMAL:
            return choose_decimal(type.InternalType());
        case LogicalTypeId::DATE:
            return write_date_text;
        case LogicalTypeId::TIMESTAMP:
            return write_timestamp_text;
        default:
            return nullptr;
    }
}

WriteFixed choose_binary(const LogicalType& type) {
    switch (type.id()) {
        case LogicalTypeId::BOOLEAN:
            return write_bool_binary;
        case LogicalTypeId::SMALLINT:
            return write_network<std::int16_t, std::int16_t>;
        case LogicalTypeId::INTEGER:
            return write_network<std::int32_t, std::int32_t>;
        case LogicalTypeId::BIGINT:
            return write_network<std::int64_t, std::int64_t>;
        case LogicalTypeId::UINTEGER:
            return write_network<std::uint32_t, std::int64_t>;
        case LogicalTypeId::FLOAT:
            return write_float<float, std::int32_t>;
        case LogicalTypeId::DOUBLE:
            return write_float<double, std::int64_t>;
        case LogicalTypeId::DATE:
            return write_date_binary;
        case LogicalTypeId::TIMESTAMP:
        case LogicalTypeId::TIMESTAMP_TZ:
            return write_timestamp_binary;
        default:
            return nullptr;
    }
}

}  // namespace

WriteFixed choose_fixed_encoder(const LogicalType& type, bool binary) {
    return binary ? choose_binary(type) : choose_text(type);
}

}  // namespace boathouse::engine
