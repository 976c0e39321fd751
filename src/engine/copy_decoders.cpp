#include "engine/copy_decoders.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <duckdb/common/exception/conversion_exception.hpp>
#include <duckdb/common/vector_operations/vector_operations.hpp>

#include "engine/copy_text_values.hpp"
#include "engine/parameter_values.hpp"
#include "engine/wire_types.hpp"
#include "pgwire/frontend.hpp"
#include "pgwire/utf8.hpp"
#include "pgwire/values.hpp"

namespace boathouse::engine {

namespace wire = boathouse::pgwire;
using duckdb::FlatVector;
using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::PhysicalType;
using pgwire::CopyField;
using Run = CopyDecoder::Run;
using Decode = CopyDecoder::Decode;

namespace {

// Read(decoder, field, value) for every field that is not NULL.
template <class T, auto Read>
std::size_t decode_plain(const Run& run) {
    T* const values = FlatVector::GetData<T>(run.vector);
    auto& validity = FlatVector::Validity(run.vector);
    for (std::size_t i = 0; i < run.fields.size(); ++i) {
        if (run.fields[i].is_null) {
            validity.SetInvalid(run.first + i);
        } else if (!Read(run.decoder, run.fields[i].view(), values[run.first + i])) {
            return i;
        }
    }
    return run.fields.size();
}

template <class T>
bool read_integer(const CopyDecoder&, std::string_view text, T& value) {
    return copy_text::integer(text, value);
}
bool read_bool(const CopyDecoder&, std::string_view text, bool& value) {
    return copy_text::boolean(text, value);
}
template <class T>
bool read_float(const CopyDecoder&, std::string_view text, T& value) {
    return copy_text::floating(text, value);
}

template <class T>
bool read_decimal(const CopyDecoder& decoder, std::string_view text, T& value) {
    return copy_text::decimal(text, duckdb::DecimalType::GetWidth(decoder.type),
                              duckdb::DecimalType::GetScale(decoder.type), value);
}

bool read_date(const CopyDecoder&, std::string_view text, duckdb::date_t& value) {
    return copy_text::date(text, value);
}
bool read_timestamp(const CopyDecoder&, std::string_view text, duckdb::timestamp_t& value) {
    return copy_text::timestamp(text, value);
}

template <bool Check>
std::size_t decode_string(const Run& run) {
    auto* const values = FlatVector::GetData<duckdb::string_t>(run.vector);
    auto& validity = FlatVector::Validity(run.vector);
    for (std::size_t i = 0; i < run.fields.size(); ++i) {
        const CopyField& field = run.fields[i];
        if (field.is_null) {
            validity.SetInvalid(run.first + i);
            continue;
        }
        if (Check && wire::find_invalid_utf8(field.view()) != std::string_view::npos) return i;
        values[run.first + i] = duckdb::StringVector::AddStringOrBlob(run.vector, field.data, field.size);
    }
    return run.fields.size();
}

// One value at a time by the decoders of Bind's parameters.
std::size_t decode_values(const Run& run) {
    for (std::size_t i = 0; i < run.fields.size(); ++i) {
        ParameterValue parameter;
        parameter.format = run.decoder.binary ? 1 : 0;
        if (!run.fields[i].is_null) parameter.bytes = run.fields[i].view();
        try {
            run.vector.SetValue(run.first + i,
                                decode_parameter(run.context, parameter, run.decoder.oid, run.decoder.type));
        } catch (const duckdb::ConversionException&) {
            return i;
        } catch (const duckdb::InvalidInputException&) {
            return i;
        }
    }
    return run.fields.size();
}

// All at once by DuckDB's cast; only if that fails one by one, to find which it was.
std::size_t decode_cast(const Run& run) {
    const idx_t count = run.fields.size();
    duckdb::Vector texts(LogicalType::VARCHAR, std::max<idx_t>(count, 1));
    for (idx_t i = 0; i < count; ++i) {
        const CopyField& field = run.fields[i];
        if (field.is_null) {
            FlatVector::SetNull(texts, i, true);
        } else {
            FlatVector::GetData<duckdb::string_t>(texts)[i] =
                duckdb::string_t(field.data, static_cast<std::uint32_t>(field.size));
        }
    }
    duckdb::Vector cast(run.decoder.type, std::max<idx_t>(count, 1));
    std::string message;
    if (duckdb::VectorOperations::TryCast(run.context, texts, cast, count, &message)) {
        duckdb::VectorOperations::Copy(cast, run.vector, count, 0, run.first);
        return count;
    }
    for (idx_t i = 0; i < count; ++i) {
        duckdb::Value value;
        if (run.fields[i].is_null) continue;
        if (!duckdb::Value(std::string(run.fields[i].view()))
                 .TryCastAs(run.context, run.decoder.type, value, &message, false))
            return i;
    }
    return 0;
}

// Binary: a fixed number of bytes in network order, then Make(bits).
template <class T, class Bits, auto Make>
bool read_fixed(const CopyDecoder&, std::string_view bytes, T& value) {
    if (bytes.size() != sizeof(Bits)) return false;
    Bits bits;
    std::memcpy(&bits, bytes.data(), sizeof bits);
    return Make(wire::network_order(bits), value);
}

template <class T, class Bits>
bool same_bits(Bits bits, T& value) {
    value = std::bit_cast<T>(bits);
    return true;
}

bool read_binary_bool(const CopyDecoder&, std::string_view bytes, bool& value) {
    if (bytes.size() != 1) return false;
    value = bytes[0] != 0;
    return true;
}

constexpr std::int32_t kEpochDays = 10957;  // 2000-01-01
constexpr std::int64_t kEpochMicros = std::int64_t{kEpochDays} * 86'400'000'000;

bool date_from_days(std::int32_t days, duckdb::date_t& value) {
    if (days == wire::kInfinityDays) {
        value = duckdb::date_t::infinity();
    } else if (days == wire::kMinusInfinityDays) {
        value = duckdb::date_t::ninfinity();
    } else {
        return !__builtin_add_overflow(days, kEpochDays, &value.days);
    }
    return true;
}

bool timestamp_from_micros(std::int64_t micros, duckdb::timestamp_t& value) {
    if (micros == wire::kInfinityMicros) {
        value = duckdb::timestamp_t::infinity();
    } else if (micros == wire::kMinusInfinityMicros) {
        value = duckdb::timestamp_t::ninfinity();
    } else {
        return !__builtin_add_overflow(micros, kEpochMicros, &value.value);
    }
    return true;
}

Decode choose_decimal(PhysicalType storage) {
    switch (storage) {
        case PhysicalType::INT16:
            return decode_plain<std::int16_t, read_decimal<std::int16_t>>;
        case PhysicalType::INT32:
            return decode_plain<std::int32_t, read_decimal<std::int32_t>>;
        case PhysicalType::INT64:
            return decode_plain<std::int64_t, read_decimal<std::int64_t>>;
        default:
            return decode_cast;
    }
}

Decode choose_text(const LogicalType& type) {
    switch (type.id()) {
        case LogicalTypeId::BOOLEAN:
            return decode_plain<bool, read_bool>;
        case LogicalTypeId::TINYINT:
            return decode_plain<std::int8_t, read_integer<std::int8_t>>;
        case LogicalTypeId::SMALLINT:
            return decode_plain<std::int16_t, read_integer<std::int16_t>>;
        case LogicalTypeId::INTEGER:
            return decode_plain<std::int32_t, read_integer<std::int32_t>>;
        case LogicalTypeId::BIGINT:
            return decode_plain<std::int64_t, read_integer<std::int64_t>>;
        case LogicalTypeId::UTINYINT:
            return decode_plain<std::uint8_t, read_integer<std::uint8_t>>;
        case LogicalTypeId::USMALLINT:
            return decode_plain<std::uint16_t, read_integer<std::uint16_t>>;
        case LogicalTypeId::UINTEGER:
            return decode_plain<std::uint32_t, read_integer<std::uint32_t>>;
        case LogicalTypeId::UBIGINT:
            return decode_plain<std::uint64_t, read_integer<std::uint64_t>>;
        case LogicalTypeId::FLOAT:
            return decode_plain<float, read_float<float>>;
        case LogicalTypeId::DOUBLE:
            return decode_plain<double, read_float<double>>;
        case LogicalTypeId::DECIMAL:
            return choose_decimal(type.InternalType());
        case LogicalTypeId::DATE:
            return decode_plain<duckdb::date_t, read_date>;
        case LogicalTypeId::TIMESTAMP:
            return decode_plain<duckdb::timestamp_t, read_timestamp>;
        case LogicalTypeId::VARCHAR:
            return type.IsJSONType() ? decode_cast : decode_string<false>;
        case LogicalTypeId::BLOB:
        case LogicalTypeId::LIST:
        case LogicalTypeId::ARRAY:
            return decode_values;
        default:
            return decode_cast;
    }
}

Decode choose_binary(const LogicalType& type) {
    switch (type.id()) {
        case LogicalTypeId::BOOLEAN:
            return decode_plain<bool, read_binary_bool>;
        case LogicalTypeId::SMALLINT:
            return decode_plain<std::int16_t,
                                read_fixed<std::int16_t, std::int16_t, same_bits<std::int16_t, std::int16_t>>>;
        case LogicalTypeId::INTEGER:
            return decode_plain<std::int32_t,
                                read_fixed<std::int32_t, std::int32_t, same_bits<std::int32_t, std::int32_t>>>;
        case LogicalTypeId::BIGINT:
            return decode_plain<std::int64_t,
                                read_fixed<std::int64_t, std::int64_t, same_bits<std::int64_t, std::int64_t>>>;
        case LogicalTypeId::FLOAT:
            return decode_plain<float, read_fixed<float, std::int32_t, same_bits<float, std::int32_t>>>;
        case LogicalTypeId::DOUBLE:
            return decode_plain<double, read_fixed<double, std::int64_t, same_bits<double, std::int64_t>>>;
        case LogicalTypeId::DATE:
            return decode_plain<duckdb::date_t, read_fixed<duckdb::date_t, std::int32_t, date_from_days>>;
        case LogicalTypeId::TIMESTAMP:
        case LogicalTypeId::TIMESTAMP_TZ:
            return decode_plain<duckdb::timestamp_t,
                                read_fixed<duckdb::timestamp_t, std::int64_t, timestamp_from_micros>>;
        case LogicalTypeId::VARCHAR:
            return type.IsJSONType() ? decode_values : decode_string<true>;
        case LogicalTypeId::BLOB:
            return decode_string<false>;
        default:
            return decode_values;
    }
}

const char* type_word(const LogicalType& type) {
    switch (wire_type(type).oid) {
        case wire::kBool.oid:
            return "boolean";
        case wire::kInt2.oid:
            return "smallint";
        case wire::kInt4.oid:
            return "integer";
        case wire::kInt8.oid:
            return "bigint";
        case wire::kFloat4.oid:
            return "real";
        case wire::kFloat8.oid:
            return "double precision";
        case wire::kNumeric.oid:
            return "numeric";
        case wire::kDate.oid:
            return "date";
        case wire::kTime.oid:
            return "time";
        case wire::kTimetz.oid:
            return "time with time zone";
        case wire::kTimestamp.oid:
            return "timestamp";
        case wire::kTimestamptz.oid:
            return "timestamp with time zone";
        case wire::kInterval.oid:
            return "interval";
        case wire::kUuid.oid:
            return "uuid";
        case wire::kBytea.oid:
            return "bytea";
        case wire::kVarbit.oid:
            return "bit varying";
        case wire::kJson.oid:
            return "json";
        default:
            return "text";
    }
}

bool is_point_in_time(const LogicalType& type) {
    const std::uint32_t oid = wire_type(type).oid;
    return oid == wire::kDate.oid || oid == wire::kTime.oid || oid == wire::kTimetz.oid ||
           oid == wire::kTimestamp.oid || oid == wire::kTimestamptz.oid || oid == wire::kInterval.oid;
}

}  // namespace

CopyDecoder::CopyDecoder(const CopyColumn& column, bool is_binary)
    : type(column.type),
      binary(is_binary),
      oid(wire_type(column.type).oid),
      decode_(is_binary ? choose_binary(column.type) : choose_text(column.type)) {}

std::size_t CopyDecoder::decode(duckdb::ClientContext& context, std::span<const CopyField> fields,
                                duckdb::Vector& vector, idx_t first) const {
    return decode_({context, *this, fields, vector, first});
}

QueryError CopyDecoder::failure(const CopyField& field) const {
    const std::string text(field.view());
    if (binary) {
        const std::size_t invalid =
            type.id() == LogicalTypeId::VARCHAR ? wire::find_invalid_utf8(field.view()) : std::string_view::npos;
        if (invalid != std::string_view::npos) return {"22021", wire::invalid_utf8_message(field.view(), invalid)};
        if (static_cast<std::int64_t>(field.size) < wire_type(type).length)
            return {"08P01", "insufficient data left in message"};
        return {"22P03", "incorrect binary data format"};
    }
    if (type.id() == LogicalTypeId::LIST || type.id() == LogicalTypeId::ARRAY)
        return {"22P02", "malformed array literal: \"" + text + "\""};
    if (type.IsIntegral() && copy_text::is_integer(field.view()))
        return {"22003", "value \"" + text + "\" is out of range for type " + type_word(type)};
    if (type.id() == LogicalTypeId::DECIMAL && copy_text::is_number(field.view())) {
        QueryError error{"22003", "numeric field overflow"};
        const int width = duckdb::DecimalType::GetWidth(type);
        const int scale = duckdb::DecimalType::GetScale(type);
        error.detail = "A field with precision " + std::to_string(width) + ", scale " + std::to_string(scale) +
                       " must round to an absolute value less than " +
                       (width == scale ? "1" : "10^" + std::to_string(width - scale)) + ".";
        return error;
    }
    return {is_point_in_time(type) ? "22007" : "22P02",
            std::string("invalid input syntax for type ") + type_word(type) + ": \"" + text + "\""};
}

}  // namespace boathouse::engine
