#include "engine/wire_types.hpp"

namespace boathouse::engine {

namespace wire = boathouse::pgwire;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;

namespace {

// The type of a list's values, all its dimensions removed: PostgreSQL's arrays have one type for any of them.
const LogicalType& element_type(const LogicalType& type) {
    const LogicalType* element = &type;
    while (element->id() == LogicalTypeId::LIST || element->id() == LogicalTypeId::ARRAY) {
        element = element->id() == LogicalTypeId::LIST ? &duckdb::ListType::GetChildType(*element)
                                                       : &duckdb::ArrayType::GetChildType(*element);
    }
    return *element;
}

}  // namespace

bool goes_as_json(const LogicalType& type) {
    return type.id() == LogicalTypeId::STRUCT || type.id() == LogicalTypeId::MAP || type.id() == LogicalTypeId::UNION ||
           type.id() == LogicalTypeId::VARIANT;
}

wire::WireType wire_type(const LogicalType& type) {
    switch (type.id()) {
        case LogicalTypeId::BOOLEAN:
            return wire::kBool;
        case LogicalTypeId::TINYINT:
        case LogicalTypeId::UTINYINT:
        case LogicalTypeId::SMALLINT:
            return wire::kInt2;
        case LogicalTypeId::USMALLINT:
        case LogicalTypeId::INTEGER:
            return wire::kInt4;
        case LogicalTypeId::UINTEGER:
        case LogicalTypeId::BIGINT:
            return wire::kInt8;
        case LogicalTypeId::UBIGINT:
        case LogicalTypeId::HUGEINT:
        case LogicalTypeId::UHUGEINT:
        case LogicalTypeId::BIGNUM:
        case LogicalTypeId::DECIMAL:
            return wire::kNumeric;
        case LogicalTypeId::FLOAT:
            return wire::kFloat4;
        case LogicalTypeId::DOUBLE:
            return wire::kFloat8;
        case LogicalTypeId::BLOB:
            return wire::kBytea;
        case LogicalTypeId::DATE:
            return wire::kDate;
        case LogicalTypeId::TIME:
        case LogicalTypeId::TIME_NS:
            return wire::kTime;
        case LogicalTypeId::TIME_TZ:
            return wire::kTimetz;
        case LogicalTypeId::TIMESTAMP_SEC:
        case LogicalTypeId::TIMESTAMP_MS:
        case LogicalTypeId::TIMESTAMP:
        case LogicalTypeId::TIMESTAMP_NS:
            return wire::kTimestamp;
        case LogicalTypeId::TIMESTAMP_TZ:
            return wire::kTimestamptz;
        case LogicalTypeId::INTERVAL:
            return wire::kInterval;
        case LogicalTypeId::UUID:
            return wire::kUuid;
        case LogicalTypeId::BIT:
            return wire::kVarbit;
        case LogicalTypeId::STRUCT:
        case LogicalTypeId::MAP:
        case LogicalTypeId::UNION:
        case LogicalTypeId::VARIANT:
            return wire::kJson;
        case LogicalTypeId::LIST:
        case LogicalTypeId::ARRAY: {
            const wire::WireType element = wire_type(element_type(type));
            return {element.array_oid, element.array_oid, -1};
        }
        case LogicalTypeId::VARCHAR:
            return type.IsJSONType() ? wire::kJson : wire::kText;
        default:
            return wire::kText;
    }
}

wire::ColumnDescription describe_column(const std::string& name, const LogicalType& type) {
    const wire::WireType on_wire = wire_type(type);
    wire::ColumnDescription column;
    column.name = name;
    column.type = on_wire.oid;
    column.length = on_wire.length;
    const LogicalType& element = element_type(type);
    if (element.id() == LogicalTypeId::DECIMAL) {
        column.modifier =
            wire::numeric_modifier(duckdb::DecimalType::GetWidth(element), duckdb::DecimalType::GetScale(element));
    }
    return column;
}

std::uint32_t element_oid(std::uint32_t oid) {
    static constexpr wire::WireType kTypes[] = {
        wire::kBool,        wire::kBytea,    wire::kInt8,   wire::kInt2,    wire::kInt4, wire::kText,  wire::kJson,
        wire::kFloat4,      wire::kFloat8,   wire::kBpchar, wire::kVarchar, wire::kDate, wire::kTime,  wire::kTimestamp,
        wire::kTimestamptz, wire::kInterval, wire::kTimetz, wire::kNumeric, wire::kUuid, wire::kJsonb, wire::kVarbit,
    };
    for (const wire::WireType& type : kTypes) {
        if (type.array_oid == oid) return type.oid;
    }
    return 0;
}

LogicalType logical_type(std::uint32_t oid) {
    if (const std::uint32_t element = element_oid(oid); element != 0) {
        const LogicalType type = logical_type(element);
        return type.id() == LogicalTypeId::UNKNOWN ? type : LogicalType::LIST(type);
    }
    switch (oid) {
        case wire::kBool.oid:
            return LogicalType::BOOLEAN;
        case wire::kInt2.oid:
            return LogicalType::SMALLINT;
        case wire::kInt4.oid:
            return LogicalType::INTEGER;
        case wire::kInt8.oid:
            return LogicalType::BIGINT;
        case wire::kFloat4.oid:
            return LogicalType::FLOAT;
        case wire::kFloat8.oid:
            return LogicalType::DOUBLE;
        case wire::kText.oid:
        case wire::kVarchar.oid:
        case wire::kBpchar.oid:
            return LogicalType::VARCHAR;
        case wire::kBytea.oid:
            return LogicalType::BLOB;
        case wire::kDate.oid:
            return LogicalType::DATE;
        case wire::kTime.oid:
            return LogicalType::TIME;
        case wire::kTimetz.oid:
            return LogicalType::TIME_TZ;
        case wire::kTimestamp.oid:
            return LogicalType::TIMESTAMP;
        case wire::kTimestamptz.oid:
            return LogicalType::TIMESTAMP_TZ;
        case wire::kInterval.oid:
            return LogicalType::INTERVAL;
        case wire::kUuid.oid:
            return LogicalType::UUID;
        case wire::kVarbit.oid:
            return LogicalType::BIT;
        case wire::kJson.oid:
        case wire::kJsonb.oid:
            return LogicalType::JSON();
        default:
            return LogicalType::UNKNOWN;
    }
}

}  // namespace boathouse::engine
