#include "engine/number_pattern.hpp"

#include <algorithm>
#include <cstdlib>
#include <duckdb.hpp>

namespace boathouse::engine {

namespace {

struct Decimal {
    bool negative = false;
    std::string whole;     // without leading zeros
    std::string fraction;  // as many digits as the pattern has
};

// One character of the output: a digit's place, a group separator, the point, or a text of its own.
struct Place {
    enum class Kind { digit, zero, group, point, sign, minus, plus, literal };
    Kind kind;
    char text = 0;
};

struct Pattern {
    std::vector<Place> places;
    bool fill = true;  // without FM
    std::size_t whole = 0;
    std::size_t fraction = 0;
    std::size_t first_zero = std::string::npos;  // among the whole digits
    bool has_sign = false;
};

void add_digit(Pattern& pattern, bool zero, bool after_point) {
    pattern.places.push_back({zero ? Place::Kind::zero : Place::Kind::digit});
    if (after_point) {
        ++pattern.fraction;
        return;
    }
    if (zero) pattern.first_zero = std::min(pattern.first_zero, pattern.whole);
    ++pattern.whole;
}

Pattern parse_pattern(std::string_view text) {
    Pattern pattern;
    bool after_point = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const std::string two = duckdb::StringUtil::Upper(std::string(text.substr(at, 2)));
        const char letter = two[0];
        if (two == "FM") {
            pattern.fill = false;
            ++at;
        } else if (two == "MI" || two == "PL" || two == "SG") {
            pattern.places.push_back({two == "MI"   ? Place::Kind::minus
                                      : two == "PL" ? Place::Kind::plus
                                                    : Place::Kind::sign});
            pattern.has_sign = true;
            ++at;
        } else if (letter == 'S') {
            pattern.places.push_back({Place::Kind::sign});
            pattern.has_sign = true;
        } else if (letter == '9' || letter == '0') {
            add_digit(pattern, letter == '0', after_point);
        } else if (letter == '.' || letter == 'D') {
            if (after_point) throw duckdb::InvalidInputException("multiple decimal points");
            after_point = true;
            pattern.places.push_back({Place::Kind::point});
        } else if (letter == ',' || letter == 'G') {
            pattern.places.push_back({Place::Kind::group});
        } else if (letter >= 'A' && letter <= 'Z') {
            throw duckdb::NotImplementedException("to_char does not know \"%s\" in a number's pattern", two);
        } else if (letter != '"') {
            pattern.places.push_back({Place::Kind::literal, text[at]});
        }
    }
    return pattern;
}

// Adds one to the last digit of whole.fraction.
void increment(Decimal& number) {
    std::string digits = number.whole + number.fraction;
    std::size_t at = digits.size();
    while (at > 0 && digits[at - 1] == '9') digits[--at] = '0';
    if (at > 0) {
        ++digits[at - 1];
    } else {
        digits.insert(digits.begin(), '1');
    }
    number.fraction = digits.substr(digits.size() - number.fraction.size());
    number.whole = digits.substr(0, digits.size() - number.fraction.size());
}

Decimal round_to(std::string_view text, std::size_t scale) {
    std::string plain(text);
    if (plain.find_first_of("eE") != std::string::npos) {
        char fixed[512];
        std::snprintf(fixed, sizeof fixed, "%.20f", std::strtod(plain.c_str(), nullptr));
        plain = fixed;
    }
    Decimal number;
    number.negative = plain.starts_with('-');
    if (number.negative) plain.erase(0, 1);
    const std::size_t point = std::min(plain.find('.'), plain.size());
    number.whole = plain.substr(0, point);
    number.whole.erase(0, std::min(number.whole.find_first_not_of('0'), number.whole.size()));
    const std::string rest = point < plain.size() ? plain.substr(point + 1) : std::string();
    number.fraction = rest.substr(0, scale);
    number.fraction.resize(scale, '0');
    if (rest.size() > scale && rest[scale] >= '5') increment(number);
    const bool is_zero = number.whole.empty() && number.fraction.find_first_not_of('0') == std::string::npos;
    if (is_zero) number.negative = false;
    return number;
}

// The digits of the whole part, padded to the pattern: blanks, or zeros from its first 0 on.
std::string whole_digits(const Pattern& pattern, const Decimal& number) {
    if (number.whole.size() > pattern.whole) return std::string(pattern.whole, '#');
    std::string digits(pattern.whole - number.whole.size(), ' ');
    digits += number.whole;
    for (std::size_t at = std::min(pattern.first_zero, digits.size()); at < digits.size(); ++at)
        if (digits[at] == ' ') digits[at] = '0';
    // 0.5 by 9.9 is " .5", 0 by 9 is " 0".
    if (number.whole.empty() && pattern.fraction == 0 && !digits.empty() && digits.back() == ' ') digits.back() = '0';
    return digits;
}

void strip_fraction(std::string& fraction, const Pattern& pattern) {
    // With FM the trailing zeros go that no 0 of the pattern asks for.
    std::size_t keep = 0;
    std::size_t position = 0;
    bool after_point = false;
    for (const Place& place : pattern.places) {
        if (place.kind == Place::Kind::point) after_point = true;
        const bool is_digit = place.kind == Place::Kind::digit || place.kind == Place::Kind::zero;
        if (!after_point || !is_digit) continue;
        ++position;
        if (place.kind == Place::Kind::zero) keep = position;
    }
    while (fraction.size() > keep && fraction.back() == '0') fraction.pop_back();
}

}  // namespace

std::string format_number(std::string_view text, std::string_view pattern_text) {
    const Pattern pattern = parse_pattern(pattern_text);
    const Decimal number = round_to(text, pattern.fraction);
    const std::string whole = whole_digits(pattern, number);
    std::string fraction = number.whole.size() > pattern.whole ? std::string(pattern.fraction, '#') : number.fraction;
    if (!pattern.fill) strip_fraction(fraction, pattern);

    std::string output;
    std::size_t whole_at = 0;
    std::size_t fraction_at = 0;
    bool after_point = false;
    bool signed_already = pattern.has_sign;
    const auto sign_before_digits = [&] {
        if (signed_already) return;
        signed_already = true;
        if (number.negative)
            output += '-';
        else if (pattern.fill)
            output += ' ';
    };
    std::string blanks;  // before the first digit; the sign comes after them
    for (const Place& place : pattern.places) {
        switch (place.kind) {
            case Place::Kind::digit:
            case Place::Kind::zero: {
                if (after_point) {
                    if (fraction_at < fraction.size()) output += fraction[fraction_at];
                    ++fraction_at;
                    break;
                }
                const char digit = whole[whole_at++];
                if (digit == ' ') {
                    if (pattern.fill) blanks += ' ';
                    break;
                }
                output += blanks;
                blanks.clear();
                sign_before_digits();
                output += digit;
                break;
            }
            case Place::Kind::group:
                if (whole_at > 0 && whole[whole_at - 1] != ' ')
                    output += ',';
                else if (pattern.fill)
                    blanks += ' ';
                break;
            case Place::Kind::point:
                output += blanks;
                blanks.clear();
                sign_before_digits();
                after_point = true;
                output += '.';
                break;
            case Place::Kind::sign:
                output += number.negative ? '-' : '+';
                break;
            case Place::Kind::minus:
                if (number.negative)
                    output += '-';
                else if (pattern.fill)
                    output += ' ';
                break;
            case Place::Kind::plus:
                if (!number.negative)
                    output += '+';
                else if (pattern.fill)
                    output += ' ';
                break;
            case Place::Kind::literal:
                output += place.text;
                break;
        }
    }
    return output;
}

}  // namespace boathouse::engine
