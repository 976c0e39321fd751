// Undoes the Content-Encoding of a request's body: gzip, zstd, or none (RFC 9110, section 8.4; RFC 8878).
//
// A body may hold several gzip members or zstd frames, one after the other. What comes out is bounded: a small body
// that grows beyond the limit is refused as soon as it does. Pure function, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "http/message.hpp"

namespace boathouse::http {

// The plain bytes, or why not: 415 unknown encoding, 400 damaged or cut off, 413 too large.
std::variant<std::string, Response> decode_content(std::string body, std::string_view encoding,
                                                   std::uint64_t bytes_max);

}  // namespace boathouse::http
