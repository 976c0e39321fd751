#include "engine/value_encoders.hpp"

#include <duckdb/common/exception/conversion_exception.hpp>
#include <duckdb/common/types/bit.hpp>

#include "pgwire/values.hpp"

namespace boathouse::engine {

namespace text = pgwire::text;
namespace binary = pgwire::binary;
using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::PhysicalType;
using pgwire::Buffer;

namespace {

template <class T>
const T& cell(const Cells& cells, idx_t index) {
    return reinterpret_cast<const T*>(cells.unified.data)[index];
}

// Integers. `Wire` is the width on the wire.
template <class T>
void put_integer_text(Buffer& out, const ColumnEncoder&, const Cells& cells, idx_t index) {
    text::put_integer(out, cell<T>(cells, index));
}

template <class T, class Wire>
void put_integer_binary(Buffer& out, const ColumnEncoder&, const Cells& cells, idx_t index) {
    // NOLINTNEXTLINE(bugprone-signed-char-misuse): a TINYINT is a number
    const Wire value = static_cast<Wire>(cell<T>(cells, index));
    if constexpr (sizeof(Wire) == 2) out.put_i16(value);
    if constexpr (sizeof(Wire) == 4) out.put_i32(value);
    if constexpr (sizeof(Wire) == 8) out.put_i64(value);
}

// A one-argument encoder of pgwire, as it is.
template <class T, auto Put>
void put_plain(Buffer& out, const ColumnEncoder&, const Cells& cells, idx_t index) {
    Put(out, cell<T>(cells, index));
}

pgwire::Int128 wide(duckdb::hugeint_t value) {
    return static_cast<pgwire::Int128>((static_cast<pgwire::UInt128>(static_cast<std::uint64_t>(value.upper)) << 64) |
                                       value.lower);
}

template <class T>
pgwire::Int128 wide_decimal(const T& value) {
    if constexpr (std::is_same_v<T, duckdb::hugeint_t>) {
        return wide(value);
    } else {
        return value;
    }
}

// DECIMAL(width, scale) is stored as an integer of 2 to 16 bytes; HUGEINT and UBIGINT as decimals of scale 0.
template <class T, auto Put>
void put_decimal(Buffer& out, const ColumnEncoder& column, const Cells& cells, idx_t index) {
    Put(out, wide_decimal(cell<T>(cells, index)), column.scale);
}

template <auto Put>
void put_uhugeint(Buffer& out, const ColumnEncoder&, const Cells& cells, idx_t index) {
    const duckdb::uhugeint_t& value = cell<duckdb::uhugeint_t>(cells, index);
    Put(out, (static_cast<pgwire::UInt128>(value.upper) << 64) | value.lower);
}

// DuckDB stores a UUID with its first bit flipped, so that it sorts as a number.
template <auto Put>
void put_uuid(Buffer& out, const ColumnEncoder&, const Cells& cells, idx_t index) {
    constexpr pgwire::UInt128 kSign = static_cast<pgwire::UInt128>(1) << 127;
    Put(out, static_cast<pgwire::UInt128>(wide(cell<duckdb::hugeint_t>(cells, index))) ^ kSign);
}

void put_string(Buffer& out, const ColumnEncoder&, const Cells& cells, idx_t index) {
    const duckdb::string_t& value = cell<duckdb::string_t>(cells, index);
    out.put_bytes(value.GetData(), value.GetSize());
}

void put_bytea_text(Buffer& out, const ColumnEncoder&, const Cells& cells, idx_t index) {
    const duckdb::string_t& value = cell<duckdb::string_t>(cells, index);
    text::put_bytea(out, {value.GetData(), value.GetSize()});
}

template <class T>
void put_enum(Buffer& out, const ColumnEncoder& column, const Cells& cells, idx_t index) {
    const duckdb::string_t value = duckdb::EnumType::GetString(column.type, cell<T>(cells, index));
    out.put_bytes(value.GetData(), value.GetSize());
}

std::int32_t pg_days(duckdb::date_t date) {
    if (date == duckdb::date_t::infinity()) return pgwire::kInfinityDays;
    if (date == duckdb::date_t::ninfinity()) return pgwire::kMinusInfinityDays;
    return date.days;
}

template <auto Put>
void put_date(Buffer& out, const ColumnEncoder&, const Cells& cells, idx_t index) {
    Put(out, pg_days(cell<duckdb::date_t>(cells, index)));
}

// Numerator and Denominator turn the column's unit into microseconds.
template <std::int64_t Numerator, std::int64_t Denominator>
std::int64_t pg_micros(const Cells& cells, idx_t index) {
    const duckdb::timestamp_t value = cell<duckdb::timestamp_t>(cells, index);
    if (value == duckdb::timestamp_t::infinity()) return pgwire::kInfinityMicros;
    if (value == duckdb::timestamp_t::ninfinity()) return pgwire::kMinusInfinityMicros;
    std::int64_t micros = 0;
    if (__builtin_mul_overflow(value.value, Numerator, &micros)) {
        throw duckdb::ConversionException("timestamp out of range");
    }
    const std::int64_t quotient = micros / Denominator;
    return micros % Denominator < 0 ? quotient - 1 : quotient;
}

template <auto Put, std::int64_t Numerator, std::int64_t Denominator>
void put_timestamp(Buffer& out, const ColumnEncoder&, const Cells& cells, idx_t index) {
    Put(out, pg_micros<Numerator, Denominator>(cells, index));
}

void put_timestamptz_text(Buffer& out, const ColumnEncoder& column, const Cells& cells, idx_t index) {
    text::put_timestamptz(out, pg_micros<1, 1>(cells, index), column.zone);
}

template <std::int64_t Denominator>
void put_time_text(Buffer& out, const ColumnEncoder&, const Cells& cells, idx_t index) {
    text::put_time(out, cell<std::int64_t>(cells, index) / Denominator);
}

template <std::int64_t Denominator>
void put_time_binary(Buffer& out, const ColumnEncoder&, const Cells& cells, idx_t index) {
    out.put_i64(cell<std::int64_t>(cells, index) / Denominator);
}

template <auto Put>
void put_timetz(Buffer& out, const ColumnEncoder&, const Cells& cells, idx_t index) {
    const duckdb::dtime_tz_t& value = cell<duckdb::dtime_tz_t>(cells, index);
    Put(out, value.time().micros, value.offset());
}

template <auto Put>
void put_interval(Buffer& out, const ColumnEncoder&, const Cells& cells, idx_t index) {
    const duckdb::interval_t& value = cell<duckdb::interval_t>(cells, index);
    Put(out, pgwire::Interval{value.months, value.days, value.micros});
}

void put_bits_text(Buffer& out, const ColumnEncoder&, const Cells& cells, idx_t index) {
    out.put(duckdb::Bit::ToString(duckdb::bitstring_t(cell<duckdb::string_t>(cells, index))));
}

// varbit_send: the number of bits, then the bits from the left. DuckDB pads on the left instead.
void put_bits_binary(Buffer& out, const ColumnEncoder&, const Cells& cells, idx_t index) {
    const std::string bits = duckdb::Bit::ToString(duckdb::bitstring_t(cell<duckdb::string_t>(cells, index)));
    out.put_i32(static_cast<std::int32_t>(bits.size()));
    for (std::size_t at = 0; at < bits.size(); at += 8) {
        unsigned byte = 0;
        for (std::size_t bit = at; bit < at + 8; ++bit)
            byte = byte << 1 | (bit < bits.size() && bits[bit] == '1' ? 1 : 0);
        out.put_byte(static_cast<char>(byte));
    }
}

PutValue choose_decimal(PhysicalType storage, bool binary) {
    switch (storage) {
        case PhysicalType::INT16:
            return binary ? put_decimal<std::int16_t, binary::put_numeric>
                          : put_decimal<std::int16_t, text::put_numeric>;
        case PhysicalType::INT32:
            return binary ? put_decimal<std::int32_t, binary::put_numeric>
                          : put_decimal<std::int32_t, text::put_numeric>;
        case PhysicalType::INT64:
            return binary ? put_decimal<std::int64_t, binary::put_numeric>
                          : put_decimal<std::int64_t, text::put_numeric>;
        default:
            return binary ? put_decimal<duckdb::hugeint_t, binary::put_numeric>
                          : put_decimal<duckdb::hugeint_t, text::put_numeric>;
    }
}

PutValue choose_enum(PhysicalType storage) {
    switch (storage) {
        case PhysicalType::UINT8:
            return put_enum<std::uint8_t>;
        case PhysicalType::UINT16:
            return put_enum<std::uint16_t>;
        default:
            return put_enum<std::uint32_t>;
    }
}

PutValue choose_text(const LogicalType& type) {
    switch (type.id()) {
        case LogicalTypeId::BOOLEAN:
            return put_plain<bool, text::put_bool>;
        case LogicalTypeId::TINYINT:
            return put_integer_text<std::int8_t>;
        case LogicalTypeId::SMALLINT:
            return put_integer_text<std::int16_t>;
        case LogicalTypeId::INTEGER:
            return put_integer_text<std::int32_t>;
        case LogicalTypeId::BIGINT:
            return put_integer_text<std::int64_t>;
        case LogicalTypeId::UTINYINT:
            return put_integer_text<std::uint8_t>;
        case LogicalTypeId::USMALLINT:
            return put_integer_text<std::uint16_t>;
        case LogicalTypeId::UINTEGER:
            return put_integer_text<std::uint32_t>;
        case LogicalTypeId::UBIGINT:
            return put_plain<std::uint64_t, text::put_unsigned>;
        case LogicalTypeId::HUGEINT:
            return put_decimal<duckdb::hugeint_t, text::put_numeric>;
        case LogicalTypeId::UHUGEINT:
            return put_uhugeint<text::put_unsigned_numeric>;
        case LogicalTypeId::FLOAT:
            return put_plain<float, text::put_float4>;
        case LogicalTypeId::DOUBLE:
            return put_plain<double, text::put_float8>;
        case LogicalTypeId::DECIMAL:
            return choose_decimal(type.InternalType(), false);
        case LogicalTypeId::BLOB:
            return put_bytea_text;
        case LogicalTypeId::DATE:
            return put_date<text::put_date>;
        case LogicalTypeId::TIME:
            return put_time_text<1>;
        case LogicalTypeId::TIME_NS:
            return put_time_text<1000>;
        case LogicalTypeId::TIME_TZ:
            return put_timetz<text::put_timetz>;
        case LogicalTypeId::TIMESTAMP_SEC:
            return put_timestamp<text::put_timestamp, 1000000, 1>;
        case LogicalTypeId::TIMESTAMP_MS:
            return put_timestamp<text::put_timestamp, 1000, 1>;
        case LogicalTypeId::TIMESTAMP:
            return put_timestamp<text::put_timestamp, 1, 1>;
        case LogicalTypeId::TIMESTAMP_NS:
            return put_timestamp<text::put_timestamp, 1, 1000>;
        case LogicalTypeId::TIMESTAMP_TZ:
            return put_timestamptz_text;
        case LogicalTypeId::INTERVAL:
            return put_interval<text::put_interval>;
        case LogicalTypeId::UUID:
            return put_uuid<text::put_uuid>;
        case LogicalTypeId::BIT:
            return put_bits_text;
        case LogicalTypeId::ENUM:
            return choose_enum(type.InternalType());
        case LogicalTypeId::LIST:
        case LogicalTypeId::ARRAY:
            return put_array_text;
        case LogicalTypeId::STRUCT:
        case LogicalTypeId::MAP:
        case LogicalTypeId::UNION:
            return put_json;
        default:
            return put_string;
    }
}

PutValue choose_binary(const LogicalType& type) {
    switch (type.id()) {
        case LogicalTypeId::BOOLEAN:
            return put_plain<bool, binary::put_bool>;
        case LogicalTypeId::TINYINT:
            return put_integer_binary<std::int8_t, std::int16_t>;
        case LogicalTypeId::SMALLINT:
            return put_integer_binary<std::int16_t, std::int16_t>;
        case LogicalTypeId::INTEGER:
            return put_integer_binary<std::int32_t, std::int32_t>;
        case LogicalTypeId::BIGINT:
            return put_integer_binary<std::int64_t, std::int64_t>;
        case LogicalTypeId::UTINYINT:
            return put_integer_binary<std::uint8_t, std::int16_t>;
        case LogicalTypeId::USMALLINT:
            return put_integer_binary<std::uint16_t, std::int32_t>;
        case LogicalTypeId::UINTEGER:
            return put_integer_binary<std::uint32_t, std::int64_t>;
        case LogicalTypeId::UBIGINT:
            return put_decimal<std::uint64_t, binary::put_numeric>;
        case LogicalTypeId::HUGEINT:
            return put_decimal<duckdb::hugeint_t, binary::put_numeric>;
        case LogicalTypeId::UHUGEINT:
            return put_uhugeint<binary::put_unsigned_numeric>;
        case LogicalTypeId::FLOAT:
            return put_plain<float, binary::put_float4>;
        case LogicalTypeId::DOUBLE:
            return put_plain<double, binary::put_float8>;
        case LogicalTypeId::DECIMAL:
            return choose_decimal(type.InternalType(), true);
        case LogicalTypeId::DATE:
            return put_date<binary::put_date>;
        case LogicalTypeId::TIME:
            return put_time_binary<1>;
        case LogicalTypeId::TIME_NS:
            return put_time_binary<1000>;
        case LogicalTypeId::TIME_TZ:
            return put_timetz<binary::put_timetz>;
        case LogicalTypeId::TIMESTAMP_SEC:
            return put_timestamp<binary::put_timestamp, 1000000, 1>;
        case LogicalTypeId::TIMESTAMP_MS:
            return put_timestamp<binary::put_timestamp, 1000, 1>;
        case LogicalTypeId::TIMESTAMP:
        case LogicalTypeId::TIMESTAMP_TZ:
            return put_timestamp<binary::put_timestamp, 1, 1>;
        case LogicalTypeId::TIMESTAMP_NS:
            return put_timestamp<binary::put_timestamp, 1, 1000>;
        case LogicalTypeId::INTERVAL:
            return put_interval<binary::put_interval>;
        case LogicalTypeId::UUID:
            return put_uuid<binary::put_uuid>;
        case LogicalTypeId::BIT:
            return put_bits_binary;
        case LogicalTypeId::BLOB:
            return put_string;
        case LogicalTypeId::LIST:
        case LogicalTypeId::ARRAY:
            return put_array_binary;
        default:
            return choose_text(type);
    }
}

}  // namespace

PutValue choose_encoder(const LogicalType& type, bool binary) {
    return binary ? choose_binary(type) : choose_text(type);
}

}  // namespace boathouse::engine
