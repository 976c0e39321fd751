#include "pgwire/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace boathouse::pgwire {

namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr std::uint64_t kHighBits = 0x8080808080808080U;

// Bytes of the sequence that begins here, by its first byte; 0: none begins so.
std::size_t sequence_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if ((lead & 0xE0U) == 0xC0U) return 2;
    if ((lead & 0xF0U) == 0xE0U) return 3;
    if ((lead & 0xF8U) == 0xF0U) return 4;
    return 0;
}

// The valid sequence's length, or 0. The bounds of the second byte keep out overlong forms, surrogates and what lies
// beyond the last plane.
std::size_t valid_sequence(const unsigned char* at, std::size_t left) {
    const unsigned char lead = *at;
    if (lead == 0) return 0;
    const std::size_t length = sequence_length(lead);
    if (length <= 1) return length;
    if (length > left) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((at[i] & 0xC0U) != 0x80U) return 0;
    }
    if (lead < 0xC2 || lead > 0xF4) return 0;
    if (lead == 0xE0 && at[1] < 0xA0) return 0;
    if (lead == 0xED && at[1] > 0x9F) return 0;
    if (lead == 0xF0 && at[1] < 0x90) return 0;
    if (lead == 0xF4 && at[1] > 0x8F) return 0;
    return length;
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view bytes) {
    const auto* const data = reinterpret_cast<const unsigned char*>(bytes.data());
    std::size_t at = 0;
    while (at < bytes.size()) {
        // Eight bytes at a time while all are ASCII and none is zero.
        while (at + sizeof(std::uint64_t) <= bytes.size()) {
            std::uint64_t word = 0;
            std::memcpy(&word, data + at, sizeof word);
            if (((word | (word - kOnes)) & kHighBits) != 0) break;
            at += sizeof word;
        }
        if (at >= bytes.size()) break;
        const std::size_t length = valid_sequence(data + at, bytes.size() - at);
        if (length == 0) return at;
        at += length;
    }
    return std::string_view::npos;
}

std::string invalid_utf8_message(std::string_view bytes, std::size_t at) {
    static constexpr char kHex[] = "0123456789abcdef";
    const std::size_t length = std::max<std::size_t>(1, sequence_length(static_cast<unsigned char>(bytes[at])));
    std::string message = "invalid byte sequence for encoding \"UTF8\":";
    for (const char byte : bytes.substr(at, length)) {
        const auto value = static_cast<unsigned char>(byte);
        message += std::string(" 0x") + kHex[value >> 4] + kHex[value & 15];
    }
    return message;
}

}  // namespace boathouse::pgwire
