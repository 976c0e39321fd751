#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "pgwire/values.hpp"
#include "pgwire/zone.hpp"

namespace boathouse::pgwire::text {

namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

template <class T>
void put_decimal_digits(Buffer& out, T value) {
    char* at = out.room(24);
    out.advance(static_cast<std::size_t>(std::to_chars(at, at + 24, value).ptr - at));
}

void put_two(Buffer& out, unsigned value) {
    char* at = out.room(2);
    at[0] = static_cast<char>('0' + value / 10 % 10);
    at[1] = static_cast<char>('0' + value % 10);
    out.advance(2);
}

// Enough for all digits of a number between two doubles from 2^51 on.
constexpr int kExactDigits = 330;

// Whether the decimal, as std::to_chars writes it, is the number itself and not just near it.
bool is_exactly(std::string_view decimal, long double number) {
    std::array<char, kExactDigits + 16> exact{};
    const int size = std::snprintf(exact.data(), exact.size(), "%.*Le", kExactDigits, number);
    const std::string_view all(exact.data(), static_cast<std::size_t>(size));
    const std::size_t digits = decimal.find('e');
    const std::size_t all_digits = all.find('e');
    const std::string_view rest = all.substr(digits, all_digits - digits);
    return decimal.substr(digits) == all.substr(all_digits) && decimal.substr(0, digits) == all.substr(0, digits) &&
           rest.find_first_not_of(".0") == std::string_view::npos;
}

// Digits behind the point of a decimal as std::to_chars writes it: "-1.25e+20" has two.
int decimals_of(std::string_view decimal) {
    const std::size_t point = decimal.find('.');
    return point == std::string_view::npos ? 0 : static_cast<int>(decimal.find('e') - point - 1);
}

// Whether the decimal lies just between `value` and its neighbour. It reads back as `value` only by the rule of
// rounding to even, on which PostgreSQL does not rely (STRICTLY_SHORTEST in its d2s.c). Between numbers below
// `midpoints_from` no decimal that short lies. A long double holds the midpoint exactly.
template <class T>
bool is_midpoint(T value, const char* decimal, T midpoints_from) {
    if (std::abs(value) < midpoints_from) return false;
    const long double read = std::strtold(decimal, nullptr);
    const T neighbour =
        std::nextafter(value, static_cast<long double>(value) < read ? std::numeric_limits<T>::infinity()
                                                                     : -std::numeric_limits<T>::infinity());
    const long double midpoint = (static_cast<long double>(value) + static_cast<long double>(neighbour)) / 2;
    return read == midpoint && is_exactly(decimal, midpoint);  // what was read is rounded, the digits are not
}

// "-1.25e+02" at `at`, its 'e' at `mark`, written anew as "-125"; the end. There is room for 64 bytes.
char* put_fixed(char* at, std::size_t mark, int exponent) {
    if (*at == '-') {
        ++at;
        --mark;
    }
    char digits[32];
    std::size_t count = 0;
    for (std::size_t i = 0; i < mark; ++i) {
        if (at[i] != '.') digits[count++] = at[i];
    }
    if (exponent < 0) {
        *at++ = '0';
        *at++ = '.';
        for (int zero = -1; zero > exponent; --zero) *at++ = '0';
        return std::copy_n(digits, count, at);
    }
    const std::size_t whole = static_cast<std::size_t>(exponent) + 1;
    at = std::copy_n(digits, std::min(whole, count), at);
    for (std::size_t i = count; i < whole; ++i) *at++ = '0';
    if (count <= whole) return at;
    *at++ = '.';
    return std::copy_n(digits + whole, count - whole, at);
}

// PostgreSQL prints the shortest digits that read back as the same number, with an exponent from 10^exponent_max on.
template <class T>
void put_float(Buffer& out, T value, int exponent_max, T midpoints_from) {
    if (std::isnan(value)) return out.put("NaN");
    if (std::isinf(value)) return out.put(value > 0 ? "Infinity" : "-Infinity");
    char* at = out.room(64);
    char* end = std::to_chars(at, at + 63, value, std::chars_format::scientific).ptr;
    *end = '\0';
    // Where the next digit is a zero, the longer decimal is the same one.
    for (int decimals = decimals_of(at) + 1; is_midpoint(value, at, midpoints_from); ++decimals) {
        end = std::to_chars(at, at + 63, value, std::chars_format::scientific, decimals).ptr;
        *end = '\0';
    }
    const std::string_view scientific(at, static_cast<std::size_t>(end - at));
    int exponent = 0;
    const std::size_t mark = scientific.find('e');
    const char* digits = scientific.data() + mark + 1 + (scientific[mark + 1] == '+' ? 1 : 0);
    std::from_chars(digits, end, exponent);
    if (exponent >= -4 && exponent < exponent_max) end = put_fixed(at, static_cast<std::size_t>(mark), exponent);
    out.advance(static_cast<std::size_t>(end - at));
}

struct CivilDay {
    int year;
    unsigned month;
    unsigned day;
};

// Days since 1970-01-01 to the proleptic Gregorian calendar, as Howard Hinnant's "chrono-compatible low-level date
// algorithms" have it; std::chrono's years end at 32767, PostgreSQL's at 5874897.
CivilDay civil_day(std::int32_t days) {
    const std::int64_t shifted = static_cast<std::int64_t>(days) + 719468;
    const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    const unsigned day_of_era = static_cast<unsigned>(shifted - era * 146097);
    const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned shifted_month = (5 * day_of_year + 2) / 153;
    const unsigned day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    const std::int64_t year = static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0);
    return {static_cast<int>(year), month, day};
}

// "2024-02-29"; the year before 1 is "0001-… BC", whose mark the caller puts last.
bool put_calendar(Buffer& out, std::int32_t days) {
    const CivilDay day = civil_day(days);
    const bool before_christ = day.year <= 0;
    const unsigned year = static_cast<unsigned>(before_christ ? 1 - day.year : day.year);
    if (year < 10000) {
        put_two(out, year / 100);
        put_two(out, year % 100);
    } else {
        put_decimal_digits(out, year);
    }
    out.put_byte('-');
    put_two(out, day.month);
    out.put_byte('-');
    put_two(out, day.day);
    return before_christ;
}

// "05" or "05.25": as many decimals as needed.
void put_fraction(Buffer& out, std::int64_t micros) {
    if (micros == 0) return;
    char digits[7] = {'.'};
    for (int i = 6; i >= 1; --i) {
        digits[i] = static_cast<char>('0' + micros % 10);
        micros /= 10;
    }
    std::size_t length = 7;
    while (digits[length - 1] == '0') --length;
    out.put_bytes(digits, length);
}

void put_clock(Buffer& out, std::int64_t micros) {
    const std::int64_t seconds = micros / kMicrosPerSecond;
    put_two(out, static_cast<unsigned>(seconds / 3600));
    out.put_byte(':');
    put_two(out, static_cast<unsigned>(seconds / 60 % 60));
    out.put_byte(':');
    put_two(out, static_cast<unsigned>(seconds % 60));
    put_fraction(out, micros % kMicrosPerSecond);
}

// "+02", "+05:30", "+00:19:32".
void put_offset(Buffer& out, std::int32_t seconds) {
    out.put_byte(seconds < 0 ? '-' : '+');
    const unsigned size = static_cast<unsigned>(seconds < 0 ? -seconds : seconds);
    put_two(out, size / 3600);
    if (size % 3600 != 0) {
        out.put_byte(':');
        put_two(out, size / 60 % 60);
    }
    if (size % 60 != 0) {
        out.put_byte(':');
        put_two(out, size % 60);
    }
}

bool put_infinity(Buffer& out, std::int64_t micros) {
    if (micros == kInfinityMicros) {
        out.put("infinity");
        return true;
    }
    if (micros == kMinusInfinityMicros) {
        out.put("-infinity");
        return true;
    }
    return false;
}

// The day and clock of a wall clock; true if before Christ.
bool put_wall_clock(Buffer& out, std::int64_t micros) {
    std::int64_t days = micros / kMicrosPerDay;
    std::int64_t rest = micros % kMicrosPerDay;
    if (rest < 0) {
        rest += kMicrosPerDay;
        --days;
    }
    const bool before_christ = put_calendar(out, static_cast<std::int32_t>(days));
    out.put_byte(' ');
    put_clock(out, rest);
    return before_christ;
}

// Digits of `value` at the end of `digits`; returns where they begin.
char* digits_of(UInt128 value, char* end) {
    do {
        *--end = static_cast<char>('0' + static_cast<int>(value % 10));
        value /= 10;
    } while (value != 0);
    return end;
}

// One part of an interval as EncodeInterval's style "postgres" has it: " -2 days", a plus sign after a negative part.
void put_interval_part(Buffer& out, std::int64_t value, std::string_view unit, bool& first, bool& before_negative) {
    if (value == 0) return;
    if (!first) out.put_byte(' ');
    if (before_negative && value > 0) out.put_byte('+');
    put_integer(out, value);
    out.put_byte(' ');
    out.put(unit);
    if (value != 1) out.put_byte('s');
    first = false;
    before_negative = value < 0;
}

}  // namespace

void put_bool(Buffer& out, bool value) {
    out.put_byte(value ? 't' : 'f');
}
void put_integer(Buffer& out, std::int64_t value) {
    put_decimal_digits(out, value);
}
void put_unsigned(Buffer& out, std::uint64_t value) {
    put_decimal_digits(out, value);
}
void put_float4(Buffer& out, float value) {
    put_float(out, value, 6, 0x1p21F);
}
void put_float8(Buffer& out, double value) {
    put_float(out, value, 15, 0x1p51);
}

void put_numeric(Buffer& out, Int128 value, int scale) {
    if (value < 0) out.put_byte('-');
    const UInt128 size = value < 0 ? UInt128{0} - static_cast<UInt128>(value) : static_cast<UInt128>(value);
    char digits[48];
    char* const end = digits + sizeof digits;
    char* begin = digits_of(size, end);
    while (end - begin < scale + 1) *--begin = '0';
    out.put_bytes(begin, static_cast<std::size_t>(end - begin - scale));
    if (scale == 0) return;
    out.put_byte('.');
    out.put_bytes(end - scale, static_cast<std::size_t>(scale));
}

void put_unsigned_numeric(Buffer& out, UInt128 value) {
    char digits[48];
    char* const end = digits + sizeof digits;
    const char* begin = digits_of(value, end);
    out.put_bytes(begin, static_cast<std::size_t>(end - begin));
}

void put_bytea(Buffer& out, std::string_view bytes) {
    static constexpr char kHex[] = "0123456789abcdef";
    char* at = out.room(2 + bytes.size() * 2);
    *at++ = '\\';
    *at++ = 'x';
    for (const char byte : bytes) {
        *at++ = kHex[static_cast<unsigned char>(byte) >> 4];
        *at++ = kHex[static_cast<unsigned char>(byte) & 15];
    }
    out.advance(2 + bytes.size() * 2);
}

void put_date(Buffer& out, std::int32_t days) {
    if (days == kInfinityDays) return out.put("infinity");
    if (days == kMinusInfinityDays) return out.put("-infinity");
    if (put_calendar(out, days)) out.put(" BC");
}

void put_time(Buffer& out, std::int64_t micros) {
    put_clock(out, micros);
}

void put_timetz(Buffer& out, std::int64_t micros, std::int32_t offset_seconds) {
    put_clock(out, micros);
    put_offset(out, offset_seconds);
}

void put_timestamp(Buffer& out, std::int64_t micros) {
    if (put_infinity(out, micros)) return;
    if (put_wall_clock(out, micros)) out.put(" BC");
}

void put_timestamptz(Buffer& out, std::int64_t micros, const Zone& zone) {
    if (put_infinity(out, micros)) return;
    std::int64_t seconds = micros / kMicrosPerSecond;
    if (micros % kMicrosPerSecond < 0) --seconds;
    const std::int32_t offset = zone.offset_seconds(seconds);
    const bool before_christ = put_wall_clock(out, micros + offset * kMicrosPerSecond);
    put_offset(out, offset);
    if (before_christ) out.put(" BC");
}

void put_interval(Buffer& out, Interval value) {
    bool first = true;
    bool before_negative = false;
    put_interval_part(out, value.months / 12, "year", first, before_negative);
    put_interval_part(out, value.months % 12, "mon", first, before_negative);
    put_interval_part(out, value.days, "day", first, before_negative);
    if (!first && value.micros == 0) return;
    if (!first) out.put_byte(' ');
    if (value.micros < 0) {
        out.put_byte('-');
    } else if (before_negative) {
        out.put_byte('+');
    }
    const std::uint64_t size =
        value.micros < 0 ? 0 - static_cast<std::uint64_t>(value.micros) : static_cast<std::uint64_t>(value.micros);
    const std::uint64_t hours = size / (3600 * kMicrosPerSecond);
    if (hours < 100) {
        put_two(out, static_cast<unsigned>(hours));
    } else {
        put_unsigned(out, hours);
    }
    const std::int64_t rest = static_cast<std::int64_t>(size % (3600 * kMicrosPerSecond));
    out.put_byte(':');
    put_two(out, static_cast<unsigned>(rest / (60 * kMicrosPerSecond)));
    out.put_byte(':');
    put_two(out, static_cast<unsigned>(rest / kMicrosPerSecond % 60));
    put_fraction(out, rest % kMicrosPerSecond);
}

void put_uuid(Buffer& out, UInt128 value) {
    static constexpr char kHex[] = "0123456789abcdef";
    char* at = out.room(36);
    for (int digit = 0; digit < 32; ++digit) {
        if (digit == 8 || digit == 12 || digit == 16 || digit == 20) *at++ = '-';
        *at++ = kHex[static_cast<unsigned>(value >> (124 - 4 * digit)) & 15];
    }
    out.advance(36);
}

}  // namespace boathouse::pgwire::text
