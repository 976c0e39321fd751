#include "engine/inlined_column.hpp"

#include <bit>
#include <boost/endian/conversion.hpp>
#include <duckdb/common/types/interval.hpp>
#include <duckdb/common/vector_operations/vector_operations.hpp>

namespace boathouse::engine {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::UnifiedVectorFormat;

namespace {

using Form = InlinedType::Form;

template <class T>
void put(std::string& bytes, T number) {
    boost::endian::native_to_big_inplace(number);
    bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

constexpr std::int32_t kNull = -1;  // as an element's length

InlinedType text_in(std::string column) {
    return {Form::text, 0, 25, "pg_catalog.text", std::move(column)};
}

std::string decimal_column(const LogicalType& type) {
    return "numeric(" + std::to_string(duckdb::DecimalType::GetWidth(type)) + "," +
           std::to_string(duckdb::DecimalType::GetScale(type)) + ")";
}

// Each value that there is, by `write`; the length of those that are not.
template <class T, class Write>
void add_each(std::string& bytes, const UnifiedVectorFormat& values, std::size_t count, Write write) {
    const auto* const data = UnifiedVectorFormat::GetData<T>(values);
    for (std::size_t row = 0; row < count; ++row) {
        const auto index = values.sel->get_index(row);
        if (values.validity.RowIsValid(index)) {
            write(data[index]);
        } else {
            put(bytes, kNull);
        }
    }
}

template <class From, class To>
void add_as(std::string& bytes, const UnifiedVectorFormat& values, std::size_t count) {
    add_each<From>(bytes, values, count, [&](From value) {
        put(bytes, static_cast<std::int32_t>(sizeof(To)));
        put(bytes, static_cast<To>(value));
    });
}

template <class From, class Bits>
void add_bits(std::string& bytes, const UnifiedVectorFormat& values, std::size_t count) {
    add_each<From>(bytes, values, count, [&](From value) {
        put(bytes, static_cast<std::int32_t>(sizeof(Bits)));
        put(bytes, std::bit_cast<Bits>(value));
    });
}

// PostgreSQL's: microseconds, days, months.
void add_intervals(std::string& bytes, const UnifiedVectorFormat& values, std::size_t count) {
    add_each<duckdb::interval_t>(bytes, values, count, [&](const duckdb::interval_t& value) {
        put(bytes, std::int32_t{16});
        put(bytes, value.micros);
        put(bytes, value.days);
        put(bytes, value.months);
    });
}

}  // namespace

std::optional<InlinedType> inlined_type(const LogicalType& type) {
    switch (type.id()) {
        case LogicalTypeId::BOOLEAN:
            return InlinedType{Form::boolean, 1, 16, "pg_catalog.bool", "boolean"};
        case LogicalTypeId::TINYINT:
        case LogicalTypeId::SMALLINT:
            return InlinedType{Form::integer, 2, 21, "pg_catalog.int2", "smallint"};
        case LogicalTypeId::UTINYINT:
        case LogicalTypeId::USMALLINT:
        case LogicalTypeId::INTEGER:
            return InlinedType{Form::integer, 4, 23, "pg_catalog.int4", "integer"};
        case LogicalTypeId::UINTEGER:
        case LogicalTypeId::BIGINT:
            return InlinedType{Form::integer, 8, 20, "pg_catalog.int8", "bigint"};
        case LogicalTypeId::FLOAT:
            return InlinedType{Form::real, 4, 700, "pg_catalog.float4", "real"};
        case LogicalTypeId::DOUBLE:
            return InlinedType{Form::real, 8, 701, "pg_catalog.float8", "double precision"};
        case LogicalTypeId::VARCHAR:
        case LogicalTypeId::BLOB:
            return InlinedType{Form::bytes, 0, 17, "pg_catalog.bytea", "bytea"};
        case LogicalTypeId::INTERVAL:
            return InlinedType{Form::interval, 16, 1186, "pg_catalog.interval", "interval"};
        case LogicalTypeId::TIME:
            return InlinedType{Form::time, 8, 1083, "pg_catalog.time", "time without time zone"};
        case LogicalTypeId::TIME_TZ:
            return text_in("time with time zone");
        case LogicalTypeId::UUID:
            return text_in("uuid");
        case LogicalTypeId::DECIMAL:
            return text_in(decimal_column(type));
        case LogicalTypeId::UBIGINT:
        case LogicalTypeId::HUGEINT:
        case LogicalTypeId::UHUGEINT:
        case LogicalTypeId::DATE:
        case LogicalTypeId::TIMESTAMP:
        case LogicalTypeId::TIMESTAMP_SEC:
        case LogicalTypeId::TIMESTAMP_MS:
        case LogicalTypeId::TIMESTAMP_NS:
        case LogicalTypeId::TIMESTAMP_TZ:
            return text_in("character varying");
        default:
            return std::nullopt;
    }
}

// An array of one dimension:
// https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/arrayfuncs.c, array_recv().
InlinedColumn::InlinedColumn(const InlinedType& type, std::size_t rows) : type_(type) {
    constexpr std::int32_t kDimensions = 1;
    constexpr std::int32_t kMayHoldNulls = 1;
    constexpr std::int32_t kFirst = 1;
    put(bytes_, kDimensions);
    put(bytes_, kMayHoldNulls);
    put(bytes_, static_cast<std::int32_t>(type_.element_oid));
    put(bytes_, static_cast<std::int32_t>(rows));
    put(bytes_, kFirst);
}

void InlinedColumn::add_strings(const UnifiedVectorFormat& values, std::size_t count) {
    add_each<duckdb::string_t>(bytes_, values, count, [&](const duckdb::string_t& value) {
        put(bytes_, static_cast<std::int32_t>(value.GetSize()));
        bytes_.append(value.GetData(), value.GetSize());
    });
}

void InlinedColumn::add_numbers(const UnifiedVectorFormat& values, const LogicalType& type, std::size_t count) {
    switch (type.id()) {
        case LogicalTypeId::BOOLEAN:
            return add_as<bool, std::uint8_t>(bytes_, values, count);
        case LogicalTypeId::TINYINT:
            return add_as<std::int8_t, std::int16_t>(bytes_, values, count);
        case LogicalTypeId::SMALLINT:
            return add_as<std::int16_t, std::int16_t>(bytes_, values, count);
        case LogicalTypeId::UTINYINT:
            return add_as<std::uint8_t, std::int32_t>(bytes_, values, count);
        case LogicalTypeId::USMALLINT:
            return add_as<std::uint16_t, std::int32_t>(bytes_, values, count);
        case LogicalTypeId::INTEGER:
            return add_as<std::int32_t, std::int32_t>(bytes_, values, count);
        case LogicalTypeId::UINTEGER:
            return add_as<std::uint32_t, std::int64_t>(bytes_, values, count);
        case LogicalTypeId::FLOAT:
            return add_bits<float, std::uint32_t>(bytes_, values, count);
        case LogicalTypeId::DOUBLE:
            return add_bits<double, std::uint64_t>(bytes_, values, count);
        case LogicalTypeId::BIGINT:
        case LogicalTypeId::TIME:
            return add_as<std::int64_t, std::int64_t>(bytes_, values, count);
        default:
            throw duckdb::InternalException("no numbers: %s", type.ToString());
    }
}

void InlinedColumn::add(duckdb::Vector& values, std::size_t count) {
    UnifiedVectorFormat format;
    if (type_.form == Form::text) {
        duckdb::Vector texts(LogicalType::VARCHAR, count);
        duckdb::VectorOperations::DefaultCast(values, texts, count);
        texts.ToUnifiedFormat(count, format);
        return add_strings(format, count);
    }
    values.ToUnifiedFormat(count, format);
    switch (type_.form) {
        case Form::bytes:
            return add_strings(format, count);
        case Form::interval:
            return add_intervals(bytes_, format, count);
        case Form::text:
        case Form::boolean:
        case Form::integer:
        case Form::real:
        case Form::time:
            return add_numbers(format, values.GetType(), count);
    }
}

}  // namespace boathouse::engine
