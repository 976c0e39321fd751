#include "engine/copy_text_values.hpp"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

namespace boathouse::engine::copy_text {

namespace {

bool is_blank(char byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}
bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

// Without its '+', which from_chars does not take; but "+-1" is no number.
std::string_view without_plus(std::string_view text) {
    if (text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
    return text;
}

bool same_word(std::string_view text, std::string_view word) {
    return text.size() == word.size() && strncasecmp(text.data(), word.data(), word.size()) == 0;
}

// Any beginning of the word that is `letters_min` long at least, as boolin takes it.
bool begins(std::string_view text, std::string_view word, std::size_t letters_min) {
    return text.size() >= letters_min && text.size() <= word.size() && same_word(text, word.substr(0, text.size()));
}

// Two or more digits at `at`; -1 if they are none.
int digits_at(std::string_view text, std::size_t at, std::size_t count) {
    if (at + count > text.size()) return -1;
    int value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        if (!is_digit(text[i])) return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

// "2024-02-29"
bool iso_date(std::string_view text, duckdb::date_t& value) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
    const int year = digits_at(text, 0, 4);
    const int month = digits_at(text, 5, 2);
    const int day = digits_at(text, 8, 2);
    if (year < 1 || month < 0 || day < 0 || !duckdb::Date::IsValid(year, month, day)) return false;
    value = duckdb::Date::FromDate(year, month, day);
    return true;
}

// "12:34:56", "12:34:56.789" with up to six decimals, in microseconds.
bool iso_clock(std::string_view text, std::int64_t& micros) {
    if (text.size() < 8 || text[2] != ':' || text[5] != ':') return false;
    const int hours = digits_at(text, 0, 2);
    const int minutes = digits_at(text, 3, 2);
    const int seconds = digits_at(text, 6, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) return false;
    std::int64_t fraction = 0;
    if (text.size() > 8) {
        const std::size_t count = text.size() - 9;
        if (text[8] != '.' || count == 0 || count > 6) return false;
        fraction = digits_at(text, 9, count);
        if (fraction < 0) return false;
        for (std::size_t i = count; i < 6; ++i) fraction *= 10;
    }
    micros = ((hours * 60LL + minutes) * 60 + seconds) * 1'000'000 + fraction;
    return true;
}

// "-1.25e3" as "-1250", its 'e' at `mark`; empty if it is no number, or larger or smaller than any decimal.
std::string without_exponent(std::string_view text, std::size_t mark) {
    constexpr int kExponentMax = 100;
    const std::string_view power = without_plus(text.substr(mark + 1));
    int exponent = 0;
    const auto read = std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (read.ec != std::errc() || read.ptr != power.data() + power.size()) return {};
    if (exponent > kExponentMax || exponent < -kExponentMax) return {};
    const std::string sign = text[0] == '-' ? "-" : "";
    const std::string_view mantissa = text.substr(text[0] == '-' || text[0] == '+' ? 1 : 0);
    std::string digits;
    int point = 0;
    bool seen = false;
    for (const char byte : mantissa.substr(0, mantissa.find_first_of("eE"))) {
        if (byte == '.') seen = true;
        if (byte != '.') digits += byte;
        if (byte != '.' && !seen) ++point;
    }
    point += exponent;
    if (point <= 0) return sign + "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
    while (static_cast<int>(digits.size()) < point) digits += '0';
    return sign + digits.insert(static_cast<std::size_t>(point), ".");
}

}  // namespace

template <class T>
bool integer(std::string_view text, T& value) {
    const char* const end = text.data() + text.size();
    if (const auto read = std::from_chars(text.data(), end, value); read.ec == std::errc() && read.ptr == end)
        return true;
    const std::string_view plain = without_plus(trimmed(text));
    const auto read = std::from_chars(plain.data(), plain.data() + plain.size(), value);
    return read.ec == std::errc() && read.ptr == plain.data() + plain.size() && !plain.empty();
}

template bool integer(std::string_view, std::int8_t&);
template bool integer(std::string_view, std::int16_t&);
template bool integer(std::string_view, std::int32_t&);
template bool integer(std::string_view, std::int64_t&);
template bool integer(std::string_view, std::uint8_t&);
template bool integer(std::string_view, std::uint16_t&);
template bool integer(std::string_view, std::uint32_t&);
template bool integer(std::string_view, std::uint64_t&);

template <class T>
bool floating(std::string_view text, T& value) {
    const std::string_view plain = without_plus(trimmed(text));
    if (plain.empty()) return false;
    const bool negative = plain[0] == '-';
    const std::string_view word = negative ? plain.substr(1) : plain;
    if (is_digit(word.empty() ? 'x' : word[0]) || (!word.empty() && word[0] == '.')) {
        const auto read = std::from_chars(plain.data(), plain.data() + plain.size(), value);
        return read.ec == std::errc() && read.ptr == plain.data() + plain.size();
    }
    if (same_word(plain, "NaN")) {
        value = std::numeric_limits<T>::quiet_NaN();
        return true;
    }
    if (!same_word(word, "Infinity") && !same_word(word, "inf")) return false;
    value = negative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    return true;
}

template bool floating(std::string_view, float&);
template bool floating(std::string_view, double&);

// Digits with a point, perhaps with an exponent. Halves round away from zero, as numeric's do.
template <class T>
bool decimal(std::string_view text, int width, int scale, T& value) {
    const std::string_view plain = trimmed(text);
    std::size_t at = 0;
    const bool negative = !plain.empty() && plain[0] == '-';
    if (!plain.empty() && (plain[0] == '-' || plain[0] == '+')) ++at;
    std::uint64_t number = 0;
    int digits = 0;  // significant
    int decimals = 0;
    bool any = false;
    bool point = false;
    bool round_up = false;
    for (; at < plain.size(); ++at) {
        const char byte = plain[at];
        if (byte == '.' && !point) {
            point = true;
            continue;
        }
        if ((byte == 'e' || byte == 'E') && any) {
            const std::string written_out = without_exponent(plain, at);
            return !written_out.empty() && decimal(written_out, width, scale, value);
        }
        if (!is_digit(byte)) return false;
        any = true;
        if (point && decimals == scale) {
            round_up = byte >= '5';
            ++decimals;
            continue;
        }
        if (point && decimals > scale) continue;
        if (point) ++decimals;
        number = number * 10 + static_cast<std::uint64_t>(byte - '0');
        if (number != 0 && ++digits > width) return false;
    }
    if (!any) return false;
    for (; decimals < scale; ++decimals) {
        number *= 10;
        if (number != 0 && ++digits > width) return false;
    }
    if (round_up) ++number;
    std::uint64_t limit = 1;
    for (int i = 0; i < width; ++i) limit *= 10;
    if (number >= limit) return false;
    const auto size = static_cast<std::int64_t>(number);
    value = static_cast<T>(negative ? -size : size);
    return true;
}

template bool decimal(std::string_view, int, int, std::int16_t&);
template bool decimal(std::string_view, int, int, std::int32_t&);
template bool decimal(std::string_view, int, int, std::int64_t&);

bool boolean(std::string_view text, bool& value) {
    const std::string_view word = trimmed(text);
    if (begins(word, "true", 1) || begins(word, "yes", 1) || same_word(word, "on") || word == "1") {
        value = true;
        return true;
    }
    value = false;
    return begins(word, "false", 1) || begins(word, "no", 1) || begins(word, "off", 2) || word == "0";
}

bool date(std::string_view text, duckdb::date_t& value) {
    if (iso_date(text, value)) return true;
    const std::string_view plain = trimmed(text);
    duckdb::idx_t at = 0;
    bool special = false;
    return duckdb::Date::TryConvertDate(plain.data(), plain.size(), at, value, special, true) ==
           duckdb::DateCastResult::SUCCESS;
}

bool timestamp(std::string_view text, duckdb::timestamp_t& value) {
    duckdb::date_t day;
    std::int64_t micros = 0;
    if (text.size() > 11 && (text[10] == ' ' || text[10] == 'T') && iso_date(text.substr(0, 10), day) &&
        iso_clock(text.substr(11), micros)) {
        return duckdb::Timestamp::TryFromDatetime(day, duckdb::dtime_t(micros), value);
    }
    const std::string_view plain = trimmed(text);
    return duckdb::Timestamp::TryConvertTimestamp(plain.data(), plain.size(), value, false) ==
           duckdb::TimestampCastResult::SUCCESS;
}

bool is_integer(std::string_view text) {
    std::string_view plain = trimmed(text);
    if (!plain.empty() && (plain[0] == '-' || plain[0] == '+')) plain.remove_prefix(1);
    return !plain.empty() && std::all_of(plain.begin(), plain.end(), is_digit);
}

bool is_number(std::string_view text) {
    double value = 0;
    const std::string_view plain = without_plus(trimmed(text));
    const auto read = std::from_chars(plain.data(), plain.data() + plain.size(), value);
    return read.ptr == plain.data() + plain.size() && !plain.empty() && std::isfinite(value);
}

}  // namespace boathouse::engine::copy_text
