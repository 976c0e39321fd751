#include "pgwire/values.hpp"

namespace boathouse::pgwire::binary {

namespace {

// PostgreSQL's epoch, 2000-01-01, in ours.
constexpr std::int32_t kEpochDays = 10957;
constexpr std::int64_t kEpochMicros = std::int64_t{kEpochDays} * 86'400'000'000;

// numeric_send: digits of base 10000, the exponent of the first, sign, decimals.
void put_digits(Buffer& out, UInt128 value, int scale, bool negative) {
    // Shift left so that the decimals fill whole base-10000 digits.
    const int decimals_padded = (scale + 3) / 4 * 4;
    std::int16_t digits[16];
    int count = 0;
    int fraction_shift = decimals_padded - scale;
    // The last digit takes only 4 - shift decimals of the value.
    static constexpr int kPowers[] = {1, 10, 100, 1000, 10000};
    if (fraction_shift > 0) {
        const int take = kPowers[4 - fraction_shift];
        digits[count++] =
            static_cast<std::int16_t>(static_cast<int>(value % static_cast<UInt128>(take)) * kPowers[fraction_shift]);
        value /= static_cast<UInt128>(take);
    }
    while (value != 0) {
        digits[count++] = static_cast<std::int16_t>(value % 10000);
        value /= 10000;
    }
    // digits[] holds the least first. Leading and trailing zeros are not sent.
    int lowest = 0;
    while (count > 0 && digits[count - 1] == 0) --count;
    while (lowest < count && digits[lowest] == 0) ++lowest;
    const int weight = count - 1 - decimals_padded / 4;
    out.put_i16(static_cast<std::int16_t>(count - lowest));
    out.put_i16(static_cast<std::int16_t>(count == 0 ? 0 : weight));
    out.put_i16(static_cast<std::int16_t>(negative && count > 0 ? 0x4000 : 0));
    out.put_i16(static_cast<std::int16_t>(scale));
    for (int i = count - 1; i >= lowest; --i) out.put_i16(digits[i]);
}

}  // namespace

void put_bool(Buffer& out, bool value) {
    out.put_byte(value ? '\1' : '\0');
}

void put_float4(Buffer& out, float value) {
    out.put_i32(std::bit_cast<std::int32_t>(value));
}

void put_float8(Buffer& out, double value) {
    out.put_i64(std::bit_cast<std::int64_t>(value));
}

void put_numeric(Buffer& out, Int128 value, int scale) {
    const UInt128 size = value < 0 ? UInt128{0} - static_cast<UInt128>(value) : static_cast<UInt128>(value);
    put_digits(out, size, scale, value < 0);
}

void put_unsigned_numeric(Buffer& out, UInt128 value) {
    put_digits(out, value, 0, false);
}

void put_date(Buffer& out, std::int32_t days) {
    const bool infinite = days == kInfinityDays || days == kMinusInfinityDays;
    out.put_i32(infinite ? days : days - kEpochDays);
}

void put_timetz(Buffer& out, std::int64_t micros, std::int32_t offset_seconds) {
    out.put_i64(micros);
    out.put_i32(-offset_seconds);  // PostgreSQL counts seconds west of Greenwich
}

void put_timestamp(Buffer& out, std::int64_t micros) {
    const bool infinite = micros == kInfinityMicros || micros == kMinusInfinityMicros;
    out.put_i64(infinite ? micros : micros - kEpochMicros);
}

void put_interval(Buffer& out, Interval value) {
    out.put_i64(value.micros);
    out.put_i32(value.days);
    out.put_i32(value.months);
}

void put_uuid(Buffer& out, UInt128 value) {
    out.put_i64(static_cast<std::int64_t>(static_cast<std::uint64_t>(value >> 64)));
    out.put_i64(static_cast<std::int64_t>(static_cast<std::uint64_t>(value)));
}

}  // namespace boathouse::pgwire::binary
