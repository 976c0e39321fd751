#include "engine/parameter_values.hpp"

#include <bit>
#include <charconv>
#include <duckdb/common/exception/conversion_exception.hpp>

#include "engine/parameter_arrays.hpp"
#include "engine/wire_types.hpp"
#include "pgwire/frontend.hpp"
#include "pgwire/values.hpp"

namespace boathouse::engine {

namespace wire = boathouse::pgwire;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::Value;

namespace {

constexpr std::int32_t kEpochDays = 10957;  // 2000-01-01
constexpr std::int64_t kEpochMicros = std::int64_t{kEpochDays} * 86'400'000'000;

[[noreturn]] void malformed(const char* type) {
    throw duckdb::ConversionException("incorrect binary data format in a parameter of type %s", type);
}

int hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

// bytea_in: "\x" and hexadecimal digits, or the old escapes ("\\", "\ooo").
std::string decode_bytea(std::string_view text) {
    std::string bytes;
    if (text.starts_with("\\x")) {
        if (text.size() % 2 != 0) malformed("bytea");
        for (std::size_t i = 2; i < text.size(); i += 2) {
            const int high = hex_digit(text[i]);
            const int low = hex_digit(text[i + 1]);
            if (high < 0 || low < 0) malformed("bytea");
            bytes += static_cast<char>(high << 4 | low);
        }
        return bytes;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            bytes += text[i];
        } else if (i + 1 < text.size() && text[i + 1] == '\\') {
            bytes += '\\';
            ++i;
        } else {
            if (i + 3 >= text.size()) malformed("bytea");
            int value = 0;
            for (std::size_t digit = i + 1; digit <= i + 3; ++digit) {
                if (text[digit] < '0' || text[digit] > '7') malformed("bytea");
                value = value * 8 + (text[digit] - '0');
            }
            bytes += static_cast<char>(value);
            i += 3;
        }
    }
    return bytes;
}

// numeric_recv, as text: DuckDB's cast makes of it what the plan wants.
std::string decode_numeric(wire::Reader& reader) {
    const int count = reader.i16();
    const int weight = reader.i16();
    const int sign = reader.i16();
    const int scale = reader.i16();
    if (static_cast<std::uint16_t>(sign) == 0xC000) return "NaN";
    if (static_cast<std::uint16_t>(sign) == 0xD000) return "Infinity";
    if (static_cast<std::uint16_t>(sign) == 0xF000) return "-Infinity";
    if (count < 0 || scale < 0 || weight > 64 || weight < -64 || scale > 256) malformed("numeric");
    std::vector<int> digits;
    for (int i = 0; i < count && reader.ok(); ++i) digits.push_back(reader.i16());
    const auto digit_at = [&](int position) {  // of base 10000, position 0 just left of the point
        const int index = weight - position;
        return index >= 0 && index < static_cast<int>(digits.size()) ? digits[static_cast<std::size_t>(index)] : 0;
    };
    std::string text = sign == 0x4000 ? "-" : "";
    for (int position = std::max(weight, 0); position >= 0; --position)
        text += std::to_string(10000 + digit_at(position)).substr(1);
    const std::size_t first = text.find_first_not_of("-0");
    const std::size_t keep = text.starts_with('-') ? 1 : 0;
    text.erase(keep, (first == std::string::npos ? text.size() - 1 : first) - keep);
    if (scale == 0) return text;
    text += '.';
    std::string fraction;
    for (int position = -1; static_cast<int>(fraction.size()) < scale; --position)
        fraction += std::to_string(10000 + digit_at(position)).substr(1);
    return text + fraction.substr(0, static_cast<std::size_t>(scale));
}

duckdb::timestamp_t timestamp_of(std::int64_t micros) {
    if (micros == wire::kInfinityMicros) return duckdb::timestamp_t::infinity();
    if (micros == wire::kMinusInfinityMicros) return duckdb::timestamp_t::ninfinity();
    if (__builtin_add_overflow(micros, kEpochMicros, &micros)) malformed("timestamp");
    return duckdb::timestamp_t(micros);
}

duckdb::date_t date_of(std::int32_t days) {
    if (days == wire::kInfinityDays) return duckdb::date_t::infinity();
    if (days == wire::kMinusInfinityDays) return duckdb::date_t::ninfinity();
    if (__builtin_add_overflow(days, kEpochDays, &days)) malformed("date");
    return duckdb::date_t(days);
}

Value uuid_of(wire::Reader& reader) {
    const std::uint64_t upper = static_cast<std::uint64_t>(reader.i64());
    const std::uint64_t lower = static_cast<std::uint64_t>(reader.i64());
    return Value::UUID(duckdb::hugeint_t(static_cast<std::int64_t>(upper ^ (std::uint64_t{1} << 63)), lower));
}

// varbit_recv: the number of bits, then the bits from the left.
Value bits_of(wire::Reader& reader) {
    const std::int32_t count = reader.i32();
    const std::string_view bytes = reader.rest();
    if (count < 0 || (static_cast<std::size_t>(count) + 7) / 8 != bytes.size()) malformed("bit varying");
    std::string bits;
    for (std::int32_t i = 0; i < count; ++i) {
        bits += (bytes[static_cast<std::size_t>(i) / 8] >> (7 - i % 8) & 1) != 0 ? '1' : '0';
    }
    return Value::BIT(bits);
}

Value decode_scalar(std::uint32_t oid, wire::Reader& reader) {
    switch (oid) {
        case wire::kBool.oid:
            return Value::BOOLEAN(reader.byte() != 0);
        case wire::kInt2.oid:
            return Value::SMALLINT(reader.i16());
        case wire::kInt4.oid:
            return Value::INTEGER(reader.i32());
        case wire::kOid.oid:
            return Value::UINTEGER(static_cast<std::uint32_t>(reader.i32()));
        case wire::kInt8.oid:
            return Value::BIGINT(reader.i64());
        case wire::kFloat4.oid:
            return Value::FLOAT(std::bit_cast<float>(reader.i32()));
        case wire::kFloat8.oid:
            return Value::DOUBLE(std::bit_cast<double>(reader.i64()));
        case wire::kNumeric.oid:
            return Value(decode_numeric(reader));
        case wire::kDate.oid:
            return Value::DATE(date_of(reader.i32()));
        case wire::kTime.oid:
            return Value::TIME(duckdb::dtime_t(reader.i64()));
        case wire::kTimetz.oid: {
            const std::int64_t micros = reader.i64();
            return Value::TIMETZ(duckdb::dtime_tz_t(duckdb::dtime_t(micros), -reader.i32()));
        }
        case wire::kTimestamp.oid:
            return Value::TIMESTAMP(timestamp_of(reader.i64()));
        case wire::kTimestamptz.oid:
            return Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(timestamp_of(reader.i64())));
        case wire::kInterval.oid: {
            const std::int64_t micros = reader.i64();
            const std::int32_t days = reader.i32();
            return Value::INTERVAL(reader.i32(), days, micros);
        }
        case wire::kUuid.oid:
            return uuid_of(reader);
        case wire::kBytea.oid: {
            const std::string_view bytes = reader.rest();
            return Value::BLOB(reinterpret_cast<duckdb::const_data_ptr_t>(bytes.data()), bytes.size());
        }
        case wire::kVarbit.oid:
            return bits_of(reader);
        case wire::kJsonb.oid:
            if (reader.byte() != 1) malformed("jsonb");
            return Value(std::string(reader.rest()));
        default:
            return Value(std::string(reader.rest()));
    }
}

Value decode_binary_value(std::uint32_t oid, std::string_view bytes) {
    wire::Reader reader(bytes);
    Value value = decode_scalar(oid, reader);
    if (!reader.complete()) malformed("this kind");
    return value;
}

Value decode_text_value(std::uint32_t oid, std::string_view text) {
    if (oid == wire::kBytea.oid) {
        const std::string bytes = decode_bytea(text);
        return Value::BLOB(reinterpret_cast<duckdb::const_data_ptr_t>(bytes.data()), bytes.size());
    }
    return Value(std::string(text));
}

template <typename Integer>
std::optional<Value> integer_of(std::string_view text) {
    Integer integer = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), integer);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
    return Value::CreateValue<Integer>(integer);
}

// An integer as all clients write it. What is written in another way DuckDB casts, as it does every other type; that
// takes ten times as long.
std::optional<Value> plain_integer(std::uint32_t oid, std::string_view text) {
    switch (oid) {
        case wire::kInt2.oid:
            return integer_of<std::int16_t>(text);
        case wire::kInt4.oid:
            return integer_of<std::int32_t>(text);
        case wire::kInt8.oid:
            return integer_of<std::int64_t>(text);
        default:
            return std::nullopt;
    }
}

// What decode_binary_value and decode_text_value give for a type.
LogicalType decoded_type(std::uint32_t oid, bool binary) {
    const LogicalType type = logical_type(oid);
    if (type.id() == LogicalTypeId::UNKNOWN || type.IsJSONType()) return LogicalType::VARCHAR;
    return binary || oid == wire::kBytea.oid ? type : LogicalType::VARCHAR;
}

Value decode(std::uint32_t oid, std::string_view bytes, bool binary) {
    const std::uint32_t element = element_oid(oid);
    if (element == 0) return binary ? decode_binary_value(oid, bytes) : decode_text_value(oid, bytes);
    const LogicalType type = decoded_type(element, binary);
    return binary ? decode_binary_array(element, type, bytes, decode_binary_value)
                  : decode_text_array(element, type, bytes, decode_text_value);
}

// Value::CastAs says that the statement was wrong; here it is the value that came.
Value cast(duckdb::ClientContext& context, const Value& value, const LogicalType& type) {
    Value result;
    std::string error;
    if (!value.TryCastAs(context, type, result, &error)) throw duckdb::ConversionException("%s", error);
    return result;
}

// The type of a text, or of nested lists of texts, with JSON in the texts' place.
LogicalType json_like(const LogicalType& type) {
    return type.id() == LogicalTypeId::LIST ? LogicalType::LIST(json_like(duckdb::ListType::GetChildType(type)))
                                            : LogicalType::JSON();
}

// What the value becomes where the plan has no wish: the type that the client named.
LogicalType natural_type(std::uint32_t oid) {
    return oid == wire::kNumeric.oid ? LogicalType::DOUBLE : logical_type(oid);
}

bool is_open(const LogicalType& type) {
    return type.id() == LogicalTypeId::UNKNOWN || type.id() == LogicalTypeId::INVALID ||
           type.id() == LogicalTypeId::ANY || type.id() == LogicalTypeId::SQLNULL;
}

}  // namespace

Value decode_parameter(duckdb::ClientContext& context, const ParameterValue& parameter, std::uint32_t oid,
                       const LogicalType& expected) {
    const LogicalType wanted = is_open(expected) ? natural_type(oid) : expected;
    if (!parameter.bytes) return is_open(wanted) ? Value() : Value(wanted);
    const std::string_view bytes = *parameter.bytes;
    if (parameter.format == 0 && wanted.IsIntegral()) {
        if (const auto integer = plain_integer(oid, bytes)) return cast(context, *integer, wanted);
    }
    Value value = decode(oid, bytes, parameter.format == 1);
    // JSON is text until it is checked; then it casts to structs, maps and variants too.
    const std::uint32_t element = element_oid(oid) == 0 ? oid : element_oid(oid);
    if (element == wire::kJson.oid || element == wire::kJsonb.oid)
        value = cast(context, value, json_like(value.type()));
    return is_open(wanted) ? value : cast(context, value, wanted);
}

}  // namespace boathouse::engine
