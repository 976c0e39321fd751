// What an Arrow IPC message says of itself, checked before anybody counts on it.
//
// Private to src/arrow/. nanoarrow validates what it decodes, but takes it that no length is negative or so large that
// a product of lengths overflows, and that optional parts of a schema are there, and that a dictionary has what its
// type needs. Pure, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace boathouse::arrow {

inline constexpr std::int64_t kLengthMax = std::int64_t{1} << 28;  // elements of one column of one batch

// What cannot be true of the message; nullopt: nothing. `flatbuffer` is its metadata without the prefix, which a
// verifier has gone through.
std::optional<std::string> find_message_fault(std::string_view flatbuffer, std::int64_t body_bytes);

// What a dictionary's message has, and what it must have at least.
struct DictionaryParts {
    std::int64_t id = 0;
    std::size_t nodes = 0;
    std::size_t buffers = 0;
};
// `flatbuffer`: of a dictionary without a fault.
DictionaryParts parts_of_dictionary(std::string_view flatbuffer);

}  // namespace boathouse::arrow
