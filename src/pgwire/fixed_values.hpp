// The frequent values of values.hpp once more, written straight to memory that is known to have room: what a result of
// millions of rows spends its time on.
//
// Each writes at most kFixedBytesMax bytes and returns the end, or nullptr for a value outside what it knows
// (infinities, years beyond four digits), which values.hpp then writes. Pure functions, any thread.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "pgwire/buffer.hpp"

namespace boathouse::pgwire::fixed {

inline constexpr std::size_t kFixedBytesMax = 48;

namespace detail {

inline constexpr auto kPairs = [] {
    std::array<char, 200> digits{};
    for (std::size_t i = 0; i < 100; ++i) {
        digits[2 * i] = static_cast<char>('0' + i / 10);
        digits[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return digits;
}();

inline constexpr auto kPowers = [] {
    std::array<std::uint64_t, 19> powers{};
    powers[0] = 1;
    for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
    return powers;
}();

inline char* put_pair(char* at, unsigned value) {
    std::memcpy(at, kPairs.data() + 2 * static_cast<std::size_t>(value), 2);
    return at + 2;
}

inline constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
inline constexpr std::int32_t kFirstDay = -719162;  // 0001-01-01
inline constexpr std::int32_t kLastDay = 2932896;   // 9999-12-31

}  // namespace detail

template <class T>
char* integer(char* at, T value) {
    return std::to_chars(at, at + kFixedBytesMax, value).ptr;
}

template <class T>
char* network(char* at, T value) {
    value = network_order(value);
    std::memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

// The shortest digits that read back as the same number, where PostgreSQL writes them without an exponent. Larger and
// smaller numbers, zero and what is not finite are values.hpp's; below 2^51 no decimal lies halfway between two doubles
// (see text_values.cpp).
inline char* float8(char* at, double value) {
    const double size = std::abs(value);
    if (!(size >= 1e-4 && size < 1e15)) return nullptr;
    return std::to_chars(at, at + kFixedBytesMax, value, std::chars_format::fixed).ptr;
}

// value / 10^scale, scale at most 18.
inline char* decimal(char* at, std::int64_t value, int scale) {
    if (value < 0) *at++ = '-';
    const std::uint64_t size = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    const std::uint64_t power = detail::kPowers[static_cast<std::size_t>(scale)];
    at = std::to_chars(at, at + kFixedBytesMax, size / power).ptr;
    if (scale == 0) return at;
    *at++ = '.';
    std::uint64_t fraction = size % power;
    int digit = scale;
    for (; digit >= 2; digit -= 2, fraction /= 100)
        detail::put_pair(at + digit - 2, static_cast<unsigned>(fraction % 100));
    if (digit == 1) *at = static_cast<char>('0' + fraction);
    return at + scale;
}

// "2024-02-29"; the calendar is text_values.cpp's civil_day().
inline char* date(char* at, std::int32_t days) {
    if (days < detail::kFirstDay || days > detail::kLastDay) return nullptr;
    const auto shifted = static_cast<std::uint32_t>(days + 719468);
    const std::uint32_t era = shifted / 146097;
    const std::uint32_t day_of_era = shifted - era * 146097;
    const std::uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const std::uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::uint32_t shifted_month = (5 * day_of_year + 2) / 153;
    const std::uint32_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    const std::uint32_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    const std::uint32_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    at = detail::put_pair(detail::put_pair(at, year / 100), year % 100);
    *at++ = '-';
    at = detail::put_pair(at, month);
    *at++ = '-';
    return detail::put_pair(at, day);
}

// "2024-02-29 12:34:56.789"
inline char* timestamp(char* at, std::int64_t micros) {
    std::int64_t days = micros / detail::kMicrosPerDay;
    std::int64_t clock = micros % detail::kMicrosPerDay;
    if (clock < 0) {
        clock += detail::kMicrosPerDay;
        --days;
    }
    if (days < detail::kFirstDay || days > detail::kLastDay) return nullptr;
    at = date(at, static_cast<std::int32_t>(days));
    *at++ = ' ';
    const auto seconds = static_cast<std::uint32_t>(clock / 1'000'000);
    auto fraction = static_cast<std::uint32_t>(clock % 1'000'000);
    at = detail::put_pair(at, seconds / 3600);
    *at++ = ':';
    at = detail::put_pair(at, seconds / 60 % 60);
    *at++ = ':';
    at = detail::put_pair(at, seconds % 60);
    if (fraction == 0) return at;
    *at = '.';
    detail::put_pair(at + 5, fraction % 100);
    detail::put_pair(at + 3, fraction / 100 % 100);
    detail::put_pair(at + 1, fraction / 10000);
    at += 7;
    while (at[-1] == '0') --at;
    return at;
}

}  // namespace boathouse::pgwire::fixed
