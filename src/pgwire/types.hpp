// PostgreSQL's type numbers, from its pg_type.dat, as clients know them.
#pragma once

#include <cstdint>

namespace boathouse::pgwire {

struct WireType {
    std::uint32_t oid = 0;
    std::uint32_t array_oid = 0;
    std::int16_t length = -1;  // bytes of a binary value; -1: it varies
};

inline constexpr WireType kBool{16, 1000, 1};
inline constexpr WireType kBytea{17, 1001, -1};
inline constexpr WireType kInt8{20, 1016, 8};
inline constexpr WireType kInt2{21, 1005, 2};
inline constexpr WireType kInt4{23, 1007, 4};
inline constexpr WireType kText{25, 1009, -1};
inline constexpr WireType kOid{26, 1028, 4};
inline constexpr WireType kJson{114, 199, -1};
inline constexpr WireType kFloat4{700, 1021, 4};
inline constexpr WireType kFloat8{701, 1022, 8};
inline constexpr WireType kUnknown{705, 0, -2};
inline constexpr WireType kBpchar{1042, 1014, -1};
inline constexpr WireType kVarchar{1043, 1015, -1};
inline constexpr WireType kDate{1082, 1182, 4};
inline constexpr WireType kTime{1083, 1183, 8};
inline constexpr WireType kTimestamp{1114, 1115, 8};
inline constexpr WireType kTimestamptz{1184, 1185, 8};
inline constexpr WireType kInterval{1186, 1187, 16};
inline constexpr WireType kTimetz{1266, 1270, 12};
inline constexpr WireType kVarbit{1562, 1563, -1};
inline constexpr WireType kNumeric{1700, 1231, -1};
inline constexpr WireType kUuid{2950, 2951, 16};
inline constexpr WireType kJsonb{3802, 3807, -1};

// PostgreSQL's typmod of numeric(precision, scale).
constexpr std::int32_t numeric_modifier(int precision, int scale) {
    return ((precision << 16) | scale) + 4;
}

}  // namespace boathouse::pgwire
