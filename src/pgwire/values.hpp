// Values as PostgreSQL 15 writes them, in its text format (DateStyle ISO, IntervalStyle postgres, bytea_output hex,
// extra_float_digits 1) and its binary format (the *_send functions of its source).
//
// Each function appends one value without its length. Inputs are machine values with the epoch and unit that their
// names say; 1970-01-01 is day 0, microsecond 0. Pure functions, any thread, nothing fails: what has no PostgreSQL
// value (a date beyond year 5874897) is the caller's to refuse.
#pragma once

#include <cstdint>
#include <string_view>

#include "pgwire/buffer.hpp"

namespace boathouse::pgwire {

class Zone;

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

// Marks of PostgreSQL's infinities; the same for days (of 32 bits) and microseconds.
inline constexpr std::int32_t kInfinityDays = INT32_MAX;
inline constexpr std::int32_t kMinusInfinityDays = INT32_MIN;
inline constexpr std::int64_t kInfinityMicros = INT64_MAX;
inline constexpr std::int64_t kMinusInfinityMicros = INT64_MIN;

struct Interval {
    std::int32_t months = 0;
    std::int32_t days = 0;
    std::int64_t micros = 0;
};

namespace text {

void put_bool(Buffer& out, bool value);
void put_integer(Buffer& out, std::int64_t value);
void put_unsigned(Buffer& out, std::uint64_t value);
void put_float4(Buffer& out, float value);
void put_float8(Buffer& out, double value);
// value / 10^scale, with all `scale` decimals.
void put_numeric(Buffer& out, Int128 value, int scale);
void put_unsigned_numeric(Buffer& out, UInt128 value);
void put_bytea(Buffer& out, std::string_view bytes);
void put_date(Buffer& out, std::int32_t days);
void put_time(Buffer& out, std::int64_t micros);
void put_timetz(Buffer& out, std::int64_t micros, std::int32_t offset_seconds);
void put_timestamp(Buffer& out, std::int64_t micros);
// The instant in the session's zone.
void put_timestamptz(Buffer& out, std::int64_t micros, const Zone& zone);
void put_interval(Buffer& out, Interval value);
void put_uuid(Buffer& out, UInt128 value);

}  // namespace text

namespace binary {

void put_bool(Buffer& out, bool value);
void put_float4(Buffer& out, float value);
void put_float8(Buffer& out, double value);
void put_numeric(Buffer& out, Int128 value, int scale);
void put_unsigned_numeric(Buffer& out, UInt128 value);
void put_date(Buffer& out, std::int32_t days);
void put_timetz(Buffer& out, std::int64_t micros, std::int32_t offset_seconds);
// Also timestamptz.
void put_timestamp(Buffer& out, std::int64_t micros);
void put_interval(Buffer& out, Interval value);
void put_uuid(Buffer& out, UInt128 value);

}  // namespace binary

}  // namespace boathouse::pgwire
